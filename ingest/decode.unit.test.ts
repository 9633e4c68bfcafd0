import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { manyTagPayload, sensorTopic, singleReadingPayload } from '../schemas/mqtt.ts'
import { resolveUnit, tagDefinitions } from '../schemas/tags.ts'
import { decodeMessage } from './decode.ts'
import type { DecodedMessage } from './decoded-message.ts'

const now = Date.UTC(2026, 10, 21, 9, 30)

const decode = (topic: string, payload: string | Buffer, dup = false): DecodedMessage =>
  decodeMessage({ topic, payload: Buffer.from(payload), dup, retained: false, receivedAtMs: now })
const reasons = (decoded: DecodedMessage) =>
  decoded.items.map((item) => (item.kind === 'rejected' ? item.reason : 'reading'))
const only = (decoded: DecodedMessage) => {
  assert.equal(decoded.items.length, 1)
  assert.ok(decoded.items[0])
  return decoded.items[0]
}

const pH = sensorTopic('V-01', 'pH')
const many = sensorTopic('V-01')

/** Payloads near the valid ones: a right value, or something else, under each name. */
const sometimes = <Value>(right: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: 6, arbitrary: right as fc.Arbitrary<unknown> }, { weight: 1, arbitrary: fc.jsonValue() })
const optional = {
  at: sometimes(fc.constantFrom('2026-11-21T09:29:59.123Z', '2026-11-20T23:00:00+02:00', '2026-11-21 09:00')),
  seq: sometimes(fc.nat()),
  quality: sometimes(fc.constantFrom('good', 'uncertain', 'bad')),
  origin: sometimes(fc.constantFrom('live', 'simulated', 'replayed')),
}

test('a single reading is taken exactly when the contract allows its payload and its unit is one of the tag', () => {
  const payload = fc.record(
    {
      value: sometimes(fc.double({ noNaN: true, noDefaultInfinity: true })),
      unit: sometimes(fc.constantFrom('pH', '[pH]', '1', 'Cel')),
      ...optional,
      extra: fc.constant(1),
    },
    { requiredKeys: [] },
  )
  const withoutExtra = fc.boolean()
  fc.assert(
    fc.property(payload, withoutExtra, (object, isClean) => {
      if (isClean) delete object.extra
      const text = JSON.stringify(object)
      const parsed = JSON.parse(text) as { unit?: string }
      const allowed = singleReadingPayload.safeParse(parsed).success
      const definition = tagDefinitions[0]
      const unitFits = parsed.unit === undefined || resolveUnit(definition, parsed.unit) !== undefined
      const item = only(decode(pH, text))
      assert.equal(item.kind === 'reading', allowed && unitFits, `${text}: ${JSON.stringify(item)}`)
    }),
    { numRuns: 1_000 },
  )
})

test('a many-tag message is decoded exactly when the contract allows it, and then every value is accounted for', () => {
  const names = fc.constantFrom('pH', 'DO', 'OD', 'Weight', 'glucose', 'temperature/broth')
  const payload = fc.record(
    {
      values: sometimes(fc.dictionary(names, sometimes(fc.double({ noNaN: true, noDefaultInfinity: true })))),
      units: sometimes(fc.dictionary(names, fc.constantFrom('pH', '%', 'kg'))),
      ...optional,
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(payload, (object) => {
      const text = JSON.stringify(object)
      const parsed = JSON.parse(text)
      const decoded = decode(many, text)
      assert.equal(decoded.items.length, decoded.claims)
      if (manyTagPayload.safeParse(parsed).success) {
        assert.equal(decoded.claims, Object.keys(parsed.values).length)
        for (const item of decoded.items)
          if (item.kind === 'rejected')
            assert.ok(
              ['unknown-tag', 'wrong-unit', 'not-a-number', 'not-finite'].includes(item.reason),
              item.rule,
            )
      } else {
        const item = only(decoded)
        assert.ok(item.kind === 'rejected' && ['schema', 'bad-time'].includes(item.reason), text)
      }
    }),
    { numRuns: 1_000 },
  )
})

test('any bytes on any topic come out as readings or rejections with field and rule, never as an exception', () => {
  const topic = fc.oneof(fc.constantFrom(pH, many, `${pH}/x`, 'bioprocess/pichia//sensors/pH'), fc.string())
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map((text) => Buffer.from(text)),
  )
  fc.assert(
    fc.property(topic, bytes, (where, payload) => {
      const decoded = decode(where, Buffer.from(payload))
      assert.equal(decoded.items.length, decoded.claims)
      for (const item of decoded.items) {
        assert.ok(item.kind === 'reading' || item.rule.length > 0)
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a record cannot hold
        assert.doesNotMatch(JSON.stringify(item), /[\u0000-\u001f]/)
      }
    }),
  )
})

test('a bare number is a reading at its arrival, without identity', () => {
  const decoded = decode(pH, ' 5.01\n', true)
  const item = only(decoded)
  assert.ok(item.kind === 'reading')
  assert.equal(item.value, 5.01)
  assert.equal(decoded.atMs, now)
  assert.equal(decoded.hasSourceTime, false)
  assert.equal(decoded.dup, true)
})

test('one bad value among many is rejected alone, with its place and rule', () => {
  const decoded = decode(
    many,
    '{"at":"2026-11-21T09:29:59Z","seq":4,"values":{"pH":5,"DO":NaN,"glucose":2,"OD":"x","Weight":-Infinity,"Temp_Broth":[1]}}',
  )
  assert.equal(decoded.claims, 6)
  assert.equal(decoded.seq, 4)
  assert.deepEqual(reasons(decoded), [
    'reading',
    'not-finite',
    'unknown-tag',
    'not-a-number',
    'not-finite',
    'not-a-number',
  ])
  const unknown = decoded.items[2]
  assert.ok(unknown?.kind === 'rejected')
  assert.equal(unknown.field, '/values/glucose')
  assert.match(unknown.rule, /registry/)
})

test('a name that is not in the contract is named', () => {
  const item = only(decode(pH, '{"value":5,"recordedAt":"2026-01-01T00:00:00Z"}'))
  assert.ok(item.kind === 'rejected')
  assert.equal(item.reason, 'schema')
  assert.equal(item.field, '/recordedAt')
})

test('a tag that stands twice in a message is no silent loss', () => {
  const item = only(decode(many, '{"at":"2026-11-21T09:29:59Z","values":{"pH":5,"pH":6}}'))
  assert.ok(item.kind === 'rejected')
  assert.equal(item.reason, 'schema')
  assert.match(item.rule, /"pH" stands twice/)
})

test('a time up to five minutes ahead is a fast clock, one further ahead is refused', () => {
  const at = (ms: number) => JSON.stringify({ value: 5, at: new Date(ms).toISOString() })
  assert.deepEqual(reasons(decode(pH, at(now + 300_000))), ['reading'])
  assert.deepEqual(reasons(decode(pH, at(now + 300_001))), ['time-in-future'])
})

test('64 KiB are taken, a byte more is too large', () => {
  const padded = (length: number) => '5'.padEnd(length)
  assert.deepEqual(reasons(decode(pH, padded(65_536))), ['reading'])
  assert.deepEqual(reasons(decode(pH, padded(65_537))), ['payload-too-large'])
})

test('values at the hard bounds are possible, beyond them impossible, in whatever unit they came', () => {
  for (const definition of tagDefinitions) {
    const topic = sensorTopic('V-01', definition.tag)
    for (const unit of [undefined, ...('otherUnits' in definition ? definition.otherUnits : [])]) {
      const factor = unit?.factor ?? 1
      const check = (value: number, isPossible: boolean) => {
        const item = only(decode(topic, JSON.stringify({ value, ...(unit ? { unit: unit.unit } : {}) })))
        assert.ok(item.kind === 'reading')
        assert.equal(
          item.isPossible,
          isPossible,
          `${definition.tag} ${value} ${unit?.unit ?? definition.unit}`,
        )
        assert.equal(item.quality, isPossible ? 'good' : 'bad')
        assert.equal(item.unit, unit?.unit ?? definition.unit, 'raw data are never converted')
      }
      const [low, high] = definition.hardBounds
      const step = Math.max(Math.abs(high), 1) * 0.01
      check((low + step) / factor, true)
      check((high - step) / factor, true)
      check((low - step) / factor, false)
      check((high + step) / factor, false)
      if (factor === 1) {
        check(low, true)
        check(high, true)
      }
    }
  }
})

test('negative zero becomes zero, for canonical JSON has no other', () => {
  const item = only(decode(sensorTopic('V-01', 'OD'), '-0'))
  assert.ok(item.kind === 'reading')
  assert.ok(Object.is(item.value, 0))
})

test('the topics of the plant with their aliases lead to the canonical tag', () => {
  for (const [path, tag] of [
    ['temperature/broth', 'Temp_Broth'],
    ['pressure/headspace', 'Reactor_Pressure'],
    ['offgas/co2', 'Off_Gas_CO2'],
    ['PH', 'pH'],
  ] as const) {
    const item = only(decode(sensorTopic('V-01', path), '1'))
    assert.ok(item.kind === 'reading')
    assert.equal(item.definition.tag, tag)
  }
})

test('nesting deeper than the stack is quarantined like any other rubbish', () => {
  const deep = '['.repeat(30_000) + ']'.repeat(30_000)
  assert.deepEqual(reasons(decode(pH, deep)), ['not-a-number'])
  assert.deepEqual(reasons(decode(pH, `{"value":${deep}}`)), ['not-a-number'])
  assert.deepEqual(reasons(decode(sensorTopic('V-01'), deep)), ['schema'])
})

test('a message without a single value is quarantined, not passed over', () => {
  const decoded = decode(sensorTopic('V-01'), '{"at":"2026-11-21T09:30:00.000Z","values":{}}')
  assert.deepEqual([decoded.claims, reasons(decoded)], [1, ['schema']])
})

test('a sender that invents topics cannot make the accounts grow without end', () => {
  const sources = new Set<string>()
  for (let n = 0; n < 5_000; n++) {
    const decoded = decode(`bioprocess/pichia/V-99/sensors/count/${n}`, '1')
    assert.equal(decoded.topic, `bioprocess/pichia/V-99/sensors/count/${n}`)
    sources.add(decoded.source)
  }
  assert.ok(sources.size <= 65, `${sources.size} sources`)
  assert.equal(
    decode('bioprocess/pichia/V-99/sensors/offgas/co2', '1').source,
    'bioprocess/pichia/V-99/sensors/offgas/co2',
  )
})

test('of an oversized payload only the beginning stays in memory, with its length and hash', () => {
  const decoded = decode(pH, Buffer.alloc(5 * 1024 * 1024, 0x31))
  assert.deepEqual(reasons(decoded), ['payload-too-large'])
  assert.equal(decoded.payload.length, 16 * 1024)
  assert.equal(decoded.oversized?.length, 5 * 1024 * 1024)
})
