/** Input that no store could take: refused naming field, value and rule, and nothing of the call is written. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClientEvent } from '../../../schemas/event.ts'
import type { AppendRequest } from '../event-store.ts'
import { appendTo, type ContractContext, freshCategory, readStream } from './contract-store.ts'
import { again, alarm, reading, typed } from './sample-events.ts'

type Refusal = { readonly code: 'invalid-append' | 'invalid-event'; readonly field?: string }

export function inputContract({ store }: ContractContext): void {
  async function assertRefused(request: AppendRequest, refusal: Refusal): Promise<void> {
    const witness = freshCategory().stream()
    const requests = [{ stream: witness, expectedRevision: 'any', events: [alarm()] } as const, request]
    await assert.rejects(store().append(requests), (error: Error & Partial<Refusal> & { rule?: string }) => {
      assert.equal(error.code, refusal.code, error.message)
      if (refusal.field !== undefined) assert.equal(error.field, refusal.field)
      assert.ok(error.rule, 'the rule is named')
      return true
    })
    assert.deepEqual(await readStream(store(), witness), [], 'nothing of the call is written')
  }

  const malformed = [
    '',
    ' ',
    'a b',
    '-a',
    '$system-1',
    'a\nb',
    'a\u0000b',
    'ä-1',
    'a'.repeat(300),
    'a/b',
    "a'b",
  ]
  test('a malformed stream name is refused', async () => {
    for (const stream of malformed)
      await assertRefused(
        { stream, expectedRevision: 'any', events: [reading()] },
        { code: 'invalid-append', field: 'stream' },
      )
  })

  test('names that mean something to a database are names like others', async () => {
    const { category } = freshCategory()
    for (const name of [`${category}-null`, `NULL.${category}`, `${category}:a.b_c-D`]) {
      assert.equal((await appendTo(store(), name, 'noStream', [reading()])).kind, 'appended')
      assert.equal((await readStream(store(), name)).length, 1)
    }
  })

  test('an expected revision that no stream can have is refused', async () => {
    for (const expectedRevision of [-1n, -2n])
      await assertRefused(
        { stream: freshCategory().stream(), expectedRevision, events: [reading()] },
        { code: 'invalid-append', field: 'expectedRevision' },
      )
  })

  test('a request without events is refused; a call without requests is answered with nothing', async () => {
    await assertRefused(
      { stream: freshCategory().stream(), expectedRevision: 'any', events: [] },
      { code: 'invalid-append', field: 'events' },
    )
    assert.deepEqual(await store().append([]), [])
  })

  test('a request beyond the limits is refused', async () => {
    const { eventsPerAppend, bytesPerAppend } = store().limits
    const stream = freshCategory().stream()
    const refusal = { code: 'invalid-append', field: 'events' } as const
    const many = Array.from({ length: eventsPerAppend + 1 }, () => reading())
    await assertRefused({ stream, expectedRevision: 'any', events: many }, refusal)
    const large = alarm({}, 'x'.repeat(bytesPerAppend))
    await assertRefused({ stream, expectedRevision: 'any', events: [large] }, refusal)
    const half = () => alarm({}, 'x'.repeat(Math.ceil(bytesPerAppend / 2)))
    await assertRefused({ stream, expectedRevision: 'any', events: [half(), half()] }, refusal)
  })

  test('an id twice in one request with other content is refused', async () => {
    const event = reading()
    const other = again(event, { data: { ...event.data, value: 6 } })
    await assertRefused(
      { stream: freshCategory().stream(), expectedRevision: 'any', events: [event, alarm(), other] },
      { code: 'invalid-append', field: 'events' },
    )
  })

  const invalid: readonly (readonly [string, ClientEvent, string | undefined])[] = [
    ['an unknown type', reading({ type: 'ReadingImagined' }), 'type'],
    ['another schema version', reading({ schemaVersion: 2 }), 'schemaVersion'],
    ['an id that is no UUID', reading({ id: 'reading-1' }), 'id'],
    ['an id in upper case', reading({ id: reading().id.toUpperCase() }), 'id'],
    ['a time without milliseconds', reading({ occurredAt: '2026-11-21T09:30:00Z' }), 'occurredAt'],
    ['a day that no calendar has', reading({ receivedAt: '2026-02-30T09:30:00.000Z' }), 'receivedAt'],
    ['an actor without a role', alarm({ actor: { kind: 'human', id: 'p-1' } as never }), 'actor/role'],
    ['no site', reading({ site: '' }), 'site'],
    ['a negative sequence', reading({ source: { topic: 't', seq: -1 } }), 'source/seq'],
    ['a broken sequence', reading({ source: { topic: 't', seq: 1.5 } }), 'source/seq'],
    ['a reading that is no number', dataOf(reading(), { value: Number.NaN }), 'data/value'],
    ['an infinite reading', dataOf(reading(), { value: Number.POSITIVE_INFINITY }), 'data/value'],
    ['a reading in words', dataOf(reading(), { value: '5.01' }), 'data/value'],
    ['an unknown quality', dataOf(reading(), { quality: 'fair' }), 'data/quality'],
    ['an unknown flag', dataOf(reading(), { flags: ['odd'] }), 'data/flags/0'],
    ['an empty list of flags', dataOf(reading(), { flags: [] }), 'data/flags'],
    ['a missing unit', dataOf(reading(), { unit: undefined }), 'data/unit'],
    ['a field that the type does not know', dataOf(typed(), { colour: 'blue' }), undefined],
    ['an envelope field of the store', { ...reading(), position: 1n } as ClientEvent, undefined],
    ['half a surrogate pair', typed({}, 'broken \ud800 text'), undefined],
    ['half a surrogate pair in a reading', dataOf(reading(), { vessel: '\udc00' }), undefined],
  ]
  for (const [what, event, field] of invalid)
    test(`an event with ${what} is refused`, async () => {
      await assertRefused(
        { stream: freshCategory().stream(), expectedRevision: 'any', events: [alarm(), event] },
        { code: 'invalid-event', ...(field === undefined ? {} : { field }) },
      )
    })
}

const dataOf = (event: ClientEvent, overrides: Record<string, unknown>): ClientEvent => ({
  ...event,
  data: { ...event.data, ...overrides },
})
