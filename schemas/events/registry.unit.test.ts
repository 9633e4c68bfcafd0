import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import type { ClientEvent } from '../event.ts'
import { eventTypes, InvalidEventError, sentenceOf, upcast, validateForAppend } from './registry.ts'

const reading: ClientEvent = {
  id: '018f0000-0000-7000-8000-000000000001',
  type: 'SensorReadingRecorded',
  schemaVersion: 1,
  occurredAt: '2026-11-21T09:30:00.000Z',
  receivedAt: '2026-11-21T09:30:00.120Z',
  actor: { kind: 'device', id: 'V-01', role: 'sensor' },
  source: { topic: 'bioprocess/pichia/V-01/sensors/pH', seq: 7 },
  origin: 'live',
  site: 'site-1',
  data: { vessel: 'V-01', tag: 'pH', value: 5.01, unit: '[pH]', quality: 'good' },
}

test('every event type has a payload schema, a criticality class, a renderer and an upcaster from each older version', () => {
  assert.ok(eventTypes.length >= 17)
  assert.equal(new Set(eventTypes.map((type) => type.type)).size, eventTypes.length)
  for (const type of eventTypes) {
    assert.ok(type.data instanceof z.ZodType, type.type)
    assert.ok(['critical', 'major', 'non-gxp'].includes(type.criticality), type.type)
    assert.equal(typeof type.sentence, 'function')
    for (let version = 1; version < type.schemaVersion; version++)
      assert.ok(type.upcasters[version], `${type.type} from ${version}`)
  }
})

test('a well-formed reading passes and reads as a sentence', () => {
  validateForAppend(reading)
  assert.equal(sentenceOf(reading), 'pH of V-01 read 5.01 pH (good)')
})

const wrong: [string, (event: ClientEvent) => ClientEvent, string][] = [
  ['an unknown type', (event) => ({ ...event, type: 'ReadingGuessed' }), 'type'],
  ['a version of the future', (event) => ({ ...event, schemaVersion: 2 }), 'schemaVersion'],
  [
    'a time without milliseconds',
    (event) => ({ ...event, occurredAt: '2026-11-21T09:30:00Z' }),
    'occurredAt',
  ],
  [
    'a day that does not exist',
    (event) => ({ ...event, occurredAt: '2026-02-30T09:30:00.000Z' }),
    'occurredAt',
  ],
  [
    'a store field set by the client',
    (event) => ({ ...event, recordedAt: '2026-11-21T09:30:00.000Z' }) as ClientEvent,
    '',
  ],
  ['no actor', ({ actor: _, ...event }) => event as ClientEvent, 'actor'],
  ['an unknown payload field', (event) => ({ ...event, data: { ...event.data, mood: 'fine' } }), 'data'],
  [
    'a value that is no number',
    (event) => ({ ...event, data: { ...event.data, value: Number.NaN } }),
    'data/value',
  ],
]
for (const [what, change, field] of wrong)
  test(`an event with ${what} is refused, naming the field`, () => {
    assert.throws(
      () => validateForAppend(change(reading)),
      (error) => error instanceof InvalidEventError && error.field === field,
    )
  })

test('an event of a version nobody knows is not read as if it were known', () => {
  assert.throws(() => upcast({ ...reading, schemaVersion: 0 }), InvalidEventError)
})
