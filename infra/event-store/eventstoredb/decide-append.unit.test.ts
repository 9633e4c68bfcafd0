import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ExpectedRevision } from '../event-store.ts'
import { decideAppend, type StreamState } from './decide-append.ts'
import type { IndexedEvent } from './index/event-index.ts'
import type { WireEvent } from './wire-format.ts'

const stream = 'batch-1'

const wire = (id: string, fingerprint = `content of ${id}`): WireEvent =>
  ({ event: { id }, fingerprint, data: {}, bytes: 1 }) as unknown as WireEvent

const at = (id: string, revision: bigint, place: Partial<IndexedEvent> = {}): [string, IndexedEvent] => [
  id,
  {
    id,
    stream,
    revision,
    position: revision * 100n,
    recordedAt: '2026-11-21T09:30:00.000Z',
    fingerprint: `content of ${id}`,
    ...place,
  },
]

const outcome = (
  expectedRevision: ExpectedRevision,
  state: StreamState,
  events: readonly WireEvent[],
  known: readonly [string, IndexedEvent][] = [],
) => {
  const decision = decideAppend({ stream, expectedRevision, events }, state, new Map(known))
  return decision.kind === 'answer'
    ? decision.outcome.kind
    : `write ${decision.missing.map((event) => event.event.id).join()}`
}

const empty: StreamState = { head: 'noStream', sealed: false }
const two: StreamState = { head: 1n, sealed: false }

test('new events are written when the stream stands as expected, else it is a conflict', () => {
  const events = [wire('a')]
  assert.equal(outcome('any', empty, events), 'write a')
  assert.equal(outcome('any', two, events), 'write a')
  assert.equal(outcome('noStream', empty, events), 'write a')
  assert.equal(outcome('noStream', two, events), 'conflict')
  assert.equal(outcome('streamExists', empty, events), 'conflict')
  assert.equal(outcome('streamExists', two, events), 'write a')
  assert.equal(outcome(1n, two, events), 'write a')
  assert.equal(outcome(0n, two, events), 'conflict')
  assert.equal(outcome(0n, empty, events), 'conflict')
})

test('events that are all there are duplicates under any expected revision, also in a sealed stream', () => {
  const known = [at('a', 0n), at('b', 1n)]
  for (const expected of ['any', 'noStream', 'streamExists', 0n, 1n, 99n] as const)
    for (const sealed of [false, true])
      assert.equal(outcome(expected, { head: 1n, sealed }, [wire('a'), wire('b')], known), 'duplicate')
})

test('a partial overlap is completed with any and streamExists, and a conflict with an exact revision', () => {
  const known = [at('a', 0n), at('b', 1n)]
  const events = [wire('b'), wire('c')]
  assert.equal(outcome('any', two, events, known), 'write c')
  assert.equal(outcome('streamExists', two, events, known), 'write c')
  for (const expected of ['noStream', 0n, 1n] as const)
    assert.equal(outcome(expected, two, events, known), 'conflict')
})

test('an id with other content or in another stream is a collision before everything else', () => {
  const sealed: StreamState = { head: 1n, sealed: true }
  assert.equal(outcome(7n, sealed, [wire('a', 'other')], [at('a', 0n)]), 'id-collision')
  assert.equal(outcome('any', two, [wire('a')], [at('a', 0n, { stream: 'batch-2' })]), 'id-collision')
})

test('a sealed stream takes nothing new', () => {
  assert.equal(outcome('any', { head: 1n, sealed: true }, [wire('c')]), 'sealed')
  assert.equal(outcome(0n, { head: 1n, sealed: true }, [wire('c')]), 'sealed')
})

test('whatever is asked, only events that are not known are written, each once and in their order', () => {
  const id = fc.constantFrom('a', 'b', 'c', 'd', 'e')
  fc.assert(
    fc.property(fc.array(id, { minLength: 1 }), fc.uniqueArray(id), (asked, there) => {
      const known = new Map(there.map((name, revision) => at(name, BigInt(revision))))
      const state: StreamState = { head: there.length ? BigInt(there.length - 1) : 'noStream', sealed: false }
      const events = asked.map((name) => wire(name))
      const decision = decideAppend({ stream, expectedRevision: 'any', events }, state, known)
      const expected = [...new Set(asked)].filter((name) => !there.includes(name))
      if (decision.kind === 'write')
        assert.deepEqual(
          decision.missing.map((event) => event.event.id),
          expected,
        )
      else {
        assert.equal(decision.outcome.kind, 'duplicate')
        assert.deepEqual(expected, [])
      }
    }),
  )
})
