import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { simulateBatch } from '../domain/process-model/batch-run.ts'
import { presets } from '../domain/process-model/settings.ts'
import { manyTagPayload, parseSensorTopic, singleReadingPayload } from '../schemas/mqtt.ts'
import { findTag, resolveUnit } from '../schemas/tags.ts'
import { deliveryOf, encodeSecond, type TimedMessage } from './messages.ts'

const firstSeconds = [
  ...simulateBatch({ settings: { ...presets.N, limitHours: 30 / 3600 }, noise: 'kind', seed: 1 }),
]
const encoding = {
  vessel: 'V-01',
  startMs: Date.parse('2026-01-01T00:00:00Z'),
  firstSequence: 101,
  origin: 'simulated',
} as const

test('many-tag messages follow the MQTT contract, one a second', () => {
  const messages = firstSeconds.flatMap((second) => encodeSecond(second, { ...encoding, form: 'many-tag' }))
  assert.equal(messages.length, firstSeconds.length)
  for (const [index, message] of messages.entries()) {
    assert.deepEqual(parseSensorTopic(message.topic), { vessel: 'V-01', tagPath: undefined })
    const payload = manyTagPayload.parse(JSON.parse(message.payload))
    assert.equal(payload.seq, 101 + index)
    assert.equal(payload.at, new Date(encoding.startMs + index * 1000).toISOString())
    assert.equal(payload.origin, 'simulated')
    assert.equal(Object.keys(payload.values).length, message.readings)
  }
})

test('one-tag messages follow the MQTT contract, one a reading', () => {
  const messages = firstSeconds.flatMap((second) => encodeSecond(second, { ...encoding, form: 'one-tag' }))
  assert.equal(
    messages.length,
    firstSeconds.reduce((sum, { values }) => sum + Object.keys(values).length, 0),
  )
  for (const message of messages) {
    const definition = findTag(parseSensorTopic(message.topic)?.tagPath ?? '')
    const payload = singleReadingPayload.parse(JSON.parse(message.payload))
    assert.ok(definition && payload.unit !== undefined && resolveUnit(definition, payload.unit))
  }
})

const numbered = (count: number): TimedMessage[] =>
  Array.from({ length: count }, (_, second) => ({ second, topic: 't', payload: String(second), readings: 1 }))
const deliver = (faults: Parameters<typeof deliveryOf>[0], count: number) => {
  const delivery = deliveryOf(faults)
  const out = numbered(count).flatMap((message) => [...delivery.send(message.second, [message])])
  return [...out, ...delivery.end()]
}
const hours = (second: number) => second / 3600

test('without delivery faults messages pass as they are', () => {
  assert.deepEqual(deliver([], 5), numbered(5))
})

test('a duplicate span sends each message twice', () => {
  const out = deliver([{ kind: 'duplicate', fromHours: hours(2), toHours: hours(4) }], 6)
  assert.equal(out.map(({ payload }) => payload).join(''), '01223345')
})

test('a late span is held back and sent in order later', () => {
  const fault = { kind: 'late', fromHours: hours(2), toHours: hours(4), byMinutes: 2 / 60 } as const
  const out = deliver([fault], 8)
  assert.equal(out.map(({ payload }) => payload).join(''), '01452367')
  assert.deepEqual(out.find(({ payload }) => payload === '2')?.second, 6)
})

test('an out-of-order span goes out in reversed groups', () => {
  const out = deliver([{ kind: 'out-of-order', fromHours: hours(1), toHours: hours(6), groupSize: 3 }], 8)
  assert.equal(out.map(({ payload }) => payload).join(''), '03215467')
})

test('whatever the delivery faults, no message is lost and only duplicates repeat', () => {
  const span = fc
    .tuple(fc.nat(60), fc.nat(60))
    .map(([from, length]) => ({ fromHours: hours(from), toHours: hours(from + length) }))
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          span.map((between) => ({ kind: 'late' as const, ...between, byMinutes: 0.5 })),
          span.map((between) => ({ kind: 'out-of-order' as const, ...between, groupSize: 4 })),
        ),
        { maxLength: 4 },
      ),
      (faults) => {
        const out = deliver(faults, 80)
        assert.equal(out.length, 80)
        assert.equal(new Set(out.map(({ payload }) => payload)).size, 80)
      },
    ),
  )
})
