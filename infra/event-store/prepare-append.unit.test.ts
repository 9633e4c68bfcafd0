import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalJson } from '../../schemas/canonical-json.ts'
import type { ClientEvent } from '../../schemas/event.ts'
import { validateForAppend } from '../../schemas/events/registry.ts'
import { clientEventOf, contentOf, type PreparedEvent, prepareAppend } from './prepare-append.ts'
import { again, alarm, anyEvent, reading, typed } from './testing/sample-events.ts'

const limits = { eventsPerAppend: 100, bytesPerAppend: 1_000_000 }
const preparation = prepareAppend(limits)

function prepare(event: ClientEvent): PreparedEvent {
  const { events } = preparation.prepare({ stream: 'batch-1', expectedRevision: 'any', events: [event] })
  return events[0] as PreparedEvent
}

function isRefused(work: () => unknown): boolean {
  try {
    work()
    return false
  } catch {
    return true
  }
}

test('whatever is prepared is put together again with the same canonical bytes', () => {
  fc.assert(
    fc.property(anyEvent, (event) => {
      const prepared = prepare(event)
      assert.equal(canonicalJson(clientEventOf(prepared)), canonicalJson(event))
      const { receivedAt: _, ...content } = event
      assert.equal(contentOf(prepared), canonicalJson(content))
    }),
    { numRuns: 500 },
  )
})

test('a reading of the usual shape is split, a general event is not', () => {
  assert.equal(prepare(reading()).kind, 'reading')
  assert.equal(prepare(reading({ source: { topic: 'a/b' } })).kind, 'reading')
  assert.equal(prepare(reading({ data: { ...reading().data, flags: ['late'] } })).kind, 'reading')
  for (const odd of [
    alarm(),
    typed(),
    reading({ correlationId: reading().id }),
    again(reading({ occurredAt: '0001-01-01T00:00:00.000Z' })),
    reading({ data: { ...reading().data, vessel: 'V\u0000' } }),
  ])
    assert.equal(prepare(odd).kind, 'general')
})

const spoilt: readonly unknown[] = [
  undefined,
  null,
  '',
  'x',
  '\u0000',
  'late\u0000late',
  -1,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 60,
  true,
  [],
  ['late'],
  ['late', 'out-of-order'],
  ['late\u0000out-of-order'],
  ['flags', 'late'],
  [1],
  {},
  { topic: 'a' },
  '2026-11-21T09:30:00.000Z',
  '2026-02-30T09:30:00.000Z',
  '2026-11-21T24:00:00.000Z',
]
const paths = [
  ['id'],
  ['schemaVersion'],
  ['occurredAt'],
  ['receivedAt'],
  ['actor'],
  ['actor', 'kind'],
  ['actor', 'id'],
  ['actor', 'more'],
  ['source'],
  ['source', 'topic'],
  ['source', 'seq'],
  ['source', 'more'],
  ['origin'],
  ['site'],
  ['reason'],
  ['more'],
  ['data'],
  ['data', 'vessel'],
  ['data', 'tag'],
  ['data', 'value'],
  ['data', 'unit'],
  ['data', 'quality'],
  ['data', 'flags'],
  ['data', 'more'],
] as const

test('the quick check of readings refuses exactly what the schema refuses, before and after a template is known', () => {
  const spoil = fc.record({
    path: fc.constantFrom(...paths),
    value: fc.constantFrom(...spoilt),
    remove: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(spoil, { maxLength: 2 }), (changes) => {
      const event = again(reading()) as unknown as Record<string, Record<string, unknown> | unknown>
      for (const { path, value, remove } of changes) {
        const owner = path.length === 1 ? event : (event[path[0]] as Record<string, unknown>)
        if (typeof owner !== 'object' || owner === null) continue
        const key = path[path.length - 1] as string
        if (remove) delete owner[key]
        else owner[key] = value
      }
      const offered = event as unknown as ClientEvent
      const expected = isRefused(() => {
        validateForAppend(offered)
        canonicalJson(offered)
      })
      for (const known of ['new', 'known'])
        assert.equal(
          isRefused(() => prepare(offered)),
          expected,
          `${known}: ${JSON.stringify(offered)}`,
        )
      if (!expected) assert.equal(canonicalJson(clientEventOf(prepare(offered))), canonicalJson(offered))
    }),
    { numRuns: 5_000 },
  )
})

test('only payloads that people typed get a salt, a new one each', () => {
  const [one, two] = [prepare(typed()), prepare(typed())]
  assert.ok(one.kind === 'general' && two.kind === 'general')
  assert.equal(one.salt?.length, 32)
  assert.notDeepEqual(one.salt, two.salt)
  const raised = prepare(alarm())
  assert.ok(raised.kind === 'general' && raised.salt === undefined)
})

test('a trace context that is none is left out, and its record is taken', () => {
  const { traceparent } = preparation.prepare({
    stream: 'batch-1',
    expectedRevision: 'any',
    events: [reading()],
    traceparent: '{"no":"trace"}',
  })
  assert.equal(traceparent, undefined)
})

test('templates beyond the bound are learnt anew, and readings still come out right', () => {
  const small = prepareAppend(limits, 3)
  for (let round = 0; round < 3; round++)
    for (let vessel = 0; vessel < 8; vessel++) {
      const event = reading({ data: { ...reading().data, vessel: `V-${vessel}` } })
      const { events } = small.prepare({ stream: 'batch-1', expectedRevision: 'any', events: [event] })
      assert.deepEqual(clientEventOf(events[0] as PreparedEvent), event)
    }
})
