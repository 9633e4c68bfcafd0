/** Idempotency by event id, at any age and whatever revision is expected. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ClientEvent } from '../../../schemas/event.ts'
import type { AppendOutcome, ExpectedRevision, Recorded } from '../event-store.ts'
import {
  appended,
  appendTo,
  type ContractContext,
  freshCategory,
  idsOf,
  readStream,
} from './contract-store.ts'
import { again, alarm, freshId, reading, readings, seal, typed } from './sample-events.ts'

const everyExpectation: readonly ExpectedRevision[] = ['any', 'noStream', 'streamExists', 0n, 2n, 5n, 99n]

export function idempotencyContract({ store, reopen, canReopen }: ContractContext): void {
  for (const expected of everyExpectation)
    test(`the same events again, expecting ${expected}, are answered where they stand`, async () => {
      const stream = freshCategory().stream()
      const events = [reading(), alarm(), typed()]
      const recorded = await appended(store(), stream, events)
      await appended(store(), stream, readings(3))
      assertRepeats(
        await appendTo(
          store(),
          stream,
          expected,
          events.map((event) => again(event)),
        ),
        recorded,
      )
      assert.equal((await readStream(store(), stream)).length, 6)
    })

  test('a part of an earlier request, in any order, is a repetition', async () => {
    const stream = freshCategory().stream()
    const events = [reading(), alarm(), typed(), reading()]
    const recorded = await appended(store(), stream, events)
    const pick = (...at: number[]) => ({
      events: at.map((index) => again(events[index] as ClientEvent)),
      recorded: at.map((index) => recorded[index] as Recorded),
    })
    for (const part of [pick(0), pick(0, 1), pick(3, 1), pick(2, 2)])
      assertRepeats(await appendTo(store(), stream, 3n, part.events), part.recorded)
    assert.equal((await readStream(store(), stream)).length, 4)
  })

  test('a record that arrived again has the same content although it was received later', async () => {
    const stream = freshCategory().stream()
    const events = [reading(), alarm()]
    const recorded = await appended(store(), stream, events)
    const receivedAt = '2026-11-21T10:00:00.000Z'
    assertRepeats(
      await appendTo(
        store(),
        stream,
        'any',
        events.map((event) => again(event, { receivedAt })),
      ),
      recorded,
    )
    assert.equal((await readStream(store(), stream))[0]?.receivedAt, events[0]?.receivedAt)
  })

  for (const expected of ['any', 'streamExists'] as const)
    test(`of events that are partly there, expecting ${expected}, the missing ones are appended`, async () => {
      const stream = freshCategory().stream()
      const old = [reading(), alarm()]
      const places = await appended(store(), stream, old)
      const fresh = [typed(), reading()]
      const offered = [fresh[0], old[1], fresh[1], old[0]] as ClientEvent[]
      const outcome = await appendTo(store(), stream, expected, offered)
      assert.equal(outcome.kind, 'appended')
      if (outcome.kind !== 'appended') return
      assert.deepEqual(outcome.duplicates, new Set(idsOf(old)))
      assert.deepEqual(idsOf(outcome.recorded), idsOf(offered))
      assert.deepEqual(outcome.recorded[1], places[1])
      assert.deepEqual(outcome.recorded[3], places[0])
      assert.deepEqual(
        outcome.recorded.map(({ revision }) => revision),
        [2n, 1n, 3n, 0n],
      )
      assert.deepEqual(idsOf(await readStream(store(), stream)), idsOf([...old, ...fresh]))
    })

  for (const expected of ['noStream', -1, 0] as const)
    test(`events that are partly there conflict when ${typeof expected === 'number' ? (expected < 0 ? 'the original revision' : 'the present revision') : expected} is expected`, async () => {
      const stream = freshCategory().stream()
      await appended(store(), stream, [alarm()])
      const old = readings(2)
      await appended(store(), stream, old)
      const expectedRevision = expected === 'noStream' ? expected : expected < 0 ? 0n : 2n
      const outcome = await appendTo(store(), stream, expectedRevision, [...old, reading()])
      assert.deepEqual(outcome, { kind: 'conflict', actual: 2n })
      assert.equal((await readStream(store(), stream)).length, 3)
    })

  test('an id that stands in another stream collides, and nothing of its request is written', async () => {
    const { stream } = freshCategory()
    const [event, other] = [reading(), typed()]
    await appended(store(), stream('a'), [event, other])
    for (const expected of ['any', 'noStream'] as const) {
      const outcome = await appendTo(store(), stream('b'), expected, [alarm(), again(event), again(other)])
      assert.equal(outcome.kind, 'id-collision')
      if (outcome.kind === 'id-collision')
        assert.deepEqual([...outcome.ids].sort(), [event.id, other.id].sort())
    }
    assert.deepEqual(await readStream(store(), stream('b')), [])
  })

  test('an id with other content collides, whatever is different and whatever is expected', async () => {
    const stream = freshCategory().stream()
    const originals = [reading(), alarm(), typed()]
    await appended(store(), stream, originals)
    const [sample, raised, created] = originals as [ClientEvent, ClientEvent, ClientEvent]
    const others = [
      again(sample, { data: { ...sample.data, value: 5.02 } }),
      again(sample, { data: { ...sample.data, quality: 'bad' } }),
      again(sample, { occurredAt: '2026-11-21T09:30:00.001Z' }),
      again(sample, { source: { topic: 'bioprocess/pichia/V-01/sensors/pH' } }),
      again(sample, { source: { topic: 'bioprocess/pichia/V-01/sensors/pH', seq: 8 } }),
      again(sample, { correlationId: freshId() }),
      alarm({ id: sample.id }),
      again(raised, { data: { ...raised.data, message: 'other' } }),
      again(created, { reason: { code: 'planned', text: 'for another reason' } }),
    ]
    for (const other of others)
      for (const expectedRevision of ['any', 2n] as const)
        assert.deepEqual(await appendTo(store(), stream, expectedRevision, [reading(), other]), {
          kind: 'id-collision',
          ids: [other.id],
        })
    assert.equal((await readStream(store(), stream)).length, 3)
  })

  test('an id twice in one request is one event, answered twice', async () => {
    const stream = freshCategory().stream()
    const [event, other] = [reading(), typed()]
    const outcome = await appendTo(store(), stream, 'noStream', [event, other, again(event), again(other)])
    assert.equal(outcome.kind, 'appended')
    if (outcome.kind !== 'appended') return
    assert.deepEqual(idsOf(outcome.recorded), idsOf([event, other, event, other]))
    assert.deepEqual(outcome.recorded[0], outcome.recorded[2])
    assert.equal(outcome.duplicates.size, 0)
    assert.equal((await readStream(store(), stream)).length, 2)
  })

  test('requests of one call that name the same ids are judged one after the other', async () => {
    const { stream } = freshCategory()
    const event = reading()
    const outcomes = await store().append([
      { stream: stream('a'), expectedRevision: 'noStream', events: [event] },
      { stream: stream('a'), expectedRevision: 'noStream', events: [again(event)] },
      { stream: stream('a'), expectedRevision: 'any', events: [again(event), alarm()] },
    ])
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ['appended', 'duplicate', 'appended'],
    )
    assert.equal((await readStream(store(), stream('a'))).length, 2)
    assert.equal((await appendTo(store(), stream('b'), 'any', [again(event)])).kind, 'id-collision')
  })

  test('the same request many times at once is appended once', async () => {
    const stream = freshCategory().stream()
    const events = [reading(), alarm()]
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () =>
        appendTo(
          store(),
          stream,
          'noStream',
          events.map((event) => again(event)),
        ),
      ),
    )
    const kinds = outcomes.map(({ kind }) => kind)
    assert.equal(kinds.filter((kind) => kind === 'appended').length, 1)
    assert.equal(kinds.filter((kind) => kind === 'duplicate').length, 19)
    assert.equal((await readStream(store(), stream)).length, 2)
  })

  test('a repetition is told from a new event in a sealed stream, too', async () => {
    const stream = freshCategory().stream()
    const events = [reading(), seal(1)]
    const recorded = await appended(store(), stream, events)
    assertRepeats(
      await appendTo(
        store(),
        stream,
        'any',
        events.map((event) => again(event)),
      ),
      recorded,
    )
    assert.equal(
      (await appendTo(store(), stream, 'any', [again(events[0] as ClientEvent), alarm()])).kind,
      'sealed',
    )
  })

  test('an id counts at any age, also one that is older or newer than its event', async () => {
    const stream = freshCategory().stream()
    const events = [Date.parse('1999-01-01T00:00:00Z'), Date.parse('2099-01-01T00:00:00Z'), 0].map((ms) =>
      reading({ id: freshId(ms) }),
    )
    const recorded = await appended(store(), stream, events)
    assertRepeats(await appendTo(store(), stream, 'any', events), recorded)
  })

  test('a store that was opened anew knows the ids that it holds', { skip: !canReopen }, async () => {
    const stream = freshCategory().stream()
    const events = [reading(), typed()]
    const recorded = await appended(store(), stream, events)
    const anew = await reopen()
    assertRepeats(await appendTo(anew, stream, 'any', events), recorded)
    assert.equal((await appendTo(anew, freshCategory().stream(), 'any', events)).kind, 'id-collision')
  })

  test('any sequence of appends and repetitions leaves each event once, in the order of its first append', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.nat({ max: 11 }), { minLength: 1, maxLength: 5 }), {
          minLength: 1,
          maxLength: 8,
        }),
        async (requests) => {
          const stream = freshCategory().stream()
          const events = Array.from({ length: 12 }, (_, index) => (index % 3 === 0 ? alarm() : reading()))
          const model: string[] = []
          const pick = (request: readonly number[]) =>
            request.map((index) => again(events[index] as ClientEvent))
          // Half in one call, half call by call: it makes no difference.
          const half = Math.floor(requests.length / 2)
          const outcomes = [
            ...(await store().append(
              requests
                .slice(0, half)
                .map((request) => ({ stream, expectedRevision: 'any', events: pick(request) })),
            )),
          ]
          for (const request of requests.slice(half))
            outcomes.push(await appendTo(store(), stream, 'any', pick(request)))
          for (const [at, request] of requests.entries()) {
            const ids = idsOf(pick(request))
            const isNew = ids.some((id) => !model.includes(id))
            assert.equal(outcomes[at]?.kind, isNew ? 'appended' : 'duplicate')
            for (const id of ids) if (!model.includes(id)) model.push(id)
          }
          assert.deepEqual(idsOf(await readStream(store(), stream)), model)
        },
      ),
      { numRuns: 25 },
    )
  })
}

function assertRepeats(outcome: AppendOutcome, recorded: readonly Recorded[]): void {
  assert.deepEqual(outcome, { kind: 'duplicate', recorded })
}
