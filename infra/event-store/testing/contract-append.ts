/** Appends: expected revisions, order, sealed streams, and what comes back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalJson } from '../../../schemas/canonical-json.ts'
import { clientPart } from '../../../schemas/event.ts'
import type { AppendOutcome, ExpectedRevision } from '../event-store.ts'
import {
  appended,
  appendTo,
  type ContractContext,
  freshCategory,
  idsOf,
  readStream,
} from './contract-store.ts'
import { alarm, anyEvent, reading, readings, seal, typed } from './sample-events.ts'

type Standing = 'missing' | 'three events' | 'sealed'

const matrix: readonly (readonly [Standing, ExpectedRevision, AppendOutcome['kind']])[] = [
  ['missing', 'any', 'appended'],
  ['missing', 'noStream', 'appended'],
  ['missing', 'streamExists', 'conflict'],
  ['missing', 0n, 'conflict'],
  ['missing', 2n, 'conflict'],
  ['three events', 'any', 'appended'],
  ['three events', 'noStream', 'conflict'],
  ['three events', 'streamExists', 'appended'],
  ['three events', 0n, 'conflict'],
  ['three events', 1n, 'conflict'],
  ['three events', 2n, 'appended'],
  ['three events', 3n, 'conflict'],
  ['sealed', 'any', 'sealed'],
  ['sealed', 'noStream', 'sealed'],
  ['sealed', 'streamExists', 'sealed'],
  ['sealed', 3n, 'sealed'],
]

export function appendContract({ store, capabilities }: ContractContext): void {
  for (const [standing, expected, kind] of matrix)
    test(`an append that expects ${expected} of a stream that is ${standing} is answered ${kind}`, async () => {
      const stream = freshCategory().stream()
      if (standing !== 'missing') await appended(store(), stream, readings(3))
      if (standing === 'sealed') await appended(store(), stream, [seal(3)])
      const before = await readStream(store(), stream)
      const event = reading()
      const outcome = await appendTo(store(), stream, expected, [event])
      assert.equal(outcome.kind, kind)
      const after = await readStream(store(), stream)
      if (outcome.kind === 'appended') {
        assert.deepEqual(idsOf(after), [...idsOf(before), event.id])
        assert.equal(outcome.recorded[0]?.revision, BigInt(before.length))
        assert.equal(outcome.duplicates.size, 0)
      } else assert.deepEqual(after, before)
      if (outcome.kind === 'conflict') assert.equal(outcome.actual, before.at(-1)?.revision ?? 'noStream')
    })

  test('where an event is said to stand is where it is read', async () => {
    const stream = freshCategory().stream()
    const events = [reading(), alarm(), typed(), reading()]
    const recorded = await appended(store(), stream, events)
    const read = await readStream(store(), stream)
    assert.deepEqual(
      recorded,
      read.map(({ id, revision, position, recordedAt }) => ({ id, revision, position, recordedAt })),
    )
    assert.deepEqual(idsOf(read), idsOf(events))
    assert.deepEqual(
      read.map(({ revision }) => revision),
      [0n, 1n, 2n, 3n],
    )
    for (const event of read) assert.equal(event.stream, stream)
  })

  test('positions grow within an append, from request to request and from call to call', async () => {
    const { stream } = freshCategory()
    const outcomes = [
      ...(await store().append([
        { stream: stream('a'), expectedRevision: 'any', events: readings(3) },
        { stream: stream('b'), expectedRevision: 'any', events: [alarm(), reading()] },
        { stream: stream('a'), expectedRevision: 'any', events: readings(2) },
      ])),
      await appendTo(store(), stream('b'), 'any', [typed()]),
    ]
    const recorded = outcomes.flatMap((outcome) => (outcome.kind === 'appended' ? outcome.recorded : []))
    assert.equal(recorded.length, 8)
    assert.deepEqual(
      recorded.map(({ revision }) => revision),
      [0n, 1n, 2n, 0n, 1n, 3n, 4n, 2n],
    )
    const sorted = [...recorded].sort((one, other) => (one.position < other.position ? -1 : 1))
    const perStream = (revisions: readonly number[]) =>
      revisions.map((index) => recorded[index]?.position as bigint)
    for (const positions of [perStream([0, 1, 2, 5, 6]), perStream([3, 4, 7])])
      assert.ok(positions.every((position, at) => at === 0 || position > (positions[at - 1] as bigint)))
    assert.equal(sorted.at(-1)?.id, recorded.at(-1)?.id, 'a later call stands behind an earlier one')
    for (const { position } of recorded) assert.equal(typeof position, 'bigint')
  })

  test('positions are gapless and in the order of the requests', {
    skip: !capabilities.gaplessPositions && 'the adapter does not promise it',
  }, async () => {
    const { stream } = freshCategory()
    const outcomes = await store().append(
      ['a', 'b', 'a', 'c'].map((name) => ({
        stream: stream(name),
        expectedRevision: 'any' as const,
        events: [reading(), alarm()],
      })),
    )
    const positions = outcomes.flatMap((outcome) =>
      outcome.kind === 'appended' ? outcome.recorded.map(({ position }) => position) : [],
    )
    const first = positions[0] as bigint
    assert.deepEqual(
      positions,
      positions.map((_, index) => first + BigInt(index)),
    )
  })

  test("requests are answered in their order, and one request's conflict touches no other", async () => {
    const { stream } = freshCategory()
    const kinds = (
      await store().append([
        { stream: stream('a'), expectedRevision: 'noStream', events: [reading()] },
        { stream: stream('b'), expectedRevision: 4n, events: [reading()] },
        { stream: stream('c'), expectedRevision: 'any', events: [alarm()] },
        { stream: stream('d'), expectedRevision: 'streamExists', events: [alarm()] },
      ])
    ).map(({ kind }) => kind)
    assert.deepEqual(kinds, ['appended', 'conflict', 'appended', 'conflict'])
    assert.equal((await readStream(store(), stream('a'))).length, 1)
    assert.equal((await readStream(store(), stream('b'))).length, 0)
    assert.equal((await readStream(store(), stream('c'))).length, 1)
  })

  test('requests of one call to the same stream are executed one after the other', async () => {
    const stream = freshCategory().stream()
    const kinds = async (expected: readonly ExpectedRevision[]) =>
      (
        await store().append(
          expected.map((expectedRevision) => ({ stream, expectedRevision, events: [reading(), alarm()] })),
        )
      ).map(({ kind }) => kind)
    assert.deepEqual(await kinds(['noStream', 1n, 'noStream', 2n, 3n, 'streamExists']), [
      'appended',
      'appended',
      'conflict',
      'conflict',
      'appended',
      'appended',
    ])
    assert.deepEqual(await kinds(['any', 9n, 9n]), ['appended', 'appended', 'conflict'])
    assert.equal((await readStream(store(), stream)).length, 12)
  })

  test('nothing follows StreamSealed in its stream, from the request on that brings it', async () => {
    const stream = freshCategory().stream()
    const outcomes = await store().append([
      { stream, expectedRevision: 'any', events: [reading(), seal(1)] },
      { stream, expectedRevision: 'any', events: [reading()] },
      { stream, expectedRevision: 1n, events: [alarm()] },
    ])
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ['appended', 'sealed', 'sealed'],
    )
    assert.equal((await appendTo(store(), stream, 'any', [reading()])).kind, 'sealed')
    assert.equal((await readStream(store(), stream)).length, 2)
  })

  test('the trace context comes back beside the record and is no part of it', async () => {
    const stream = freshCategory().stream()
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const events = [reading(), alarm()]
    await store().append([{ stream, expectedRevision: 'any', events, traceparent }])
    const read = await readStream(store(), stream)
    for (const [index, event] of read.entries()) {
      assert.equal(event.traceparent, traceparent)
      assert.deepEqual(clientPart(event), events[index])
    }
    await appended(store(), stream, [reading()])
    assert.ok(!('traceparent' in ((await readStream(store(), stream))[2] as object)))
  })

  test('whatever event is appended, its canonical bytes come back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyEvent, { minLength: 1, maxLength: 20 }), async (events) => {
        const stream = freshCategory().stream()
        await appended(store(), stream, events)
        const read = await readStream(store(), stream)
        assert.deepEqual(
          read.map((event) => canonicalJson(clientPart(event))),
          events.map((event) => canonicalJson(event)),
        )
        for (const event of read.slice(0, 2)) assert.deepEqual(await store().readById(event.id), event)
      }),
      { numRuns: 40 },
    )
  })

  test('a request as large as the limits allow is stored whole', async () => {
    const stream = freshCategory().stream()
    const { eventsPerAppend, bytesPerAppend } = store().limits
    // A reading of ours and what a store may count beside it stay below 700 bytes.
    const count = Math.min(eventsPerAppend, Math.floor(bytesPerAppend / 700))
    await appended(store(), stream, readings(count), 'noStream')
    const large = alarm({}, 'ä'.repeat(Math.floor((bytesPerAppend - 2_000) / 2)))
    await appended(store(), stream, [large])
    const read = await readStream(store(), stream)
    assert.equal(read.length, count + 1)
    assert.deepEqual(clientPart(read.at(-1) as (typeof read)[number]), large)
  })
}
