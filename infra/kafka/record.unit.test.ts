import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { RecordedEvent } from '../../schemas/event.ts'
import { anyEvent, reading } from '../event-store/testing/sample-events.ts'
import { decodeRecord, encodeRecord } from './record.ts'

const recorded = (event: ReturnType<typeof reading>): RecordedEvent => ({
  ...event,
  stream: 'reading-b',
  revision: 7n,
  position: 9_007_199_254_740_993n,
  recordedAt: '2026-11-21T09:30:01.000Z',
})

test('an event comes back from its record as it was, with positions beyond the safe integers', () => {
  fc.assert(
    fc.property(anyEvent, (client) => {
      // JSON has no negative zero, nor have the canonical bytes of RFC 8785.
      const event = recorded(JSON.parse(JSON.stringify(client)))
      const { value, headers } = encodeRecord(event, 'store-1')
      const decoded = decodeRecord({
        key: Buffer.from('V-01'),
        value,
        headers: Object.fromEntries(
          Object.entries(headers).map(([name, text]) => [name, Buffer.from(String(text))]),
        ),
      })
      assert.deepEqual(decoded, { kind: 'event', key: 'V-01', storeId: 'store-1', event })
    }),
  )
})

test('the trace context travels as a header and not in the envelope', () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const { value, headers } = encodeRecord({ ...recorded(reading()), traceparent }, 's')
  assert.equal(headers.traceparent, traceparent)
  assert.doesNotMatch(value.toString(), /traceparent/)
})

test('whatever bytes stand in a record, decoding gives an event or a reason and never throws', () => {
  const good = encodeRecord(recorded(reading()), 'store-1')
  const bytes = fc.oneof(
    fc.uint8Array().map((array) => Buffer.from(array)),
    fc.json().map((text) => Buffer.from(text)),
    fc
      .tuple(fc.nat(good.value.length - 1), fc.integer({ min: 0, max: 255 }))
      .map(([at, byte]) => Buffer.from(good.value.map((old, index) => (index === at ? byte : old)))),
  )
  fc.assert(
    fc.property(bytes, (value) => {
      const { kind } = decodeRecord({ key: null, value, headers: good.headers as Record<string, string> })
      assert.ok(kind === 'event' || kind === 'poison')
    }),
  )
})

test('a record names the first rule it breaks', () => {
  const { value, headers: all } = encodeRecord(recorded(reading()), 'store-1')
  const headers = all as Record<string, string>
  const change = (text: string, by: string) => Buffer.from(value.toString().replace(text, by))
  const reasonOf = (record: Parameters<typeof decodeRecord>[0]) => {
    const decoded = decodeRecord(record)
    return decoded.kind === 'poison' ? decoded.reason : decoded.kind
  }
  assert.equal(reasonOf({ key: null, value, headers: { ...headers, position: '1' } }), 'header-differs')
  assert.equal(reasonOf({ key: null, value, headers: {} }), 'missing-header')
  assert.equal(reasonOf({ key: null, value: null, headers }), 'empty')
  assert.equal(reasonOf({ key: null, value: Buffer.from([0xff]), headers }), 'not-utf8')
  assert.equal(reasonOf({ key: null, value: Buffer.from('['), headers }), 'not-json')
  assert.equal(reasonOf({ key: null, value: change('"site"', '"cite"'), headers }), 'not-an-envelope')
  assert.equal(
    reasonOf({ key: null, value: change('SensorReadingRecorded', 'Unheard'), headers }),
    'unknown-type',
  )
  assert.equal(
    reasonOf({ key: null, value: change('"schemaVersion":1', '"schemaVersion":9'), headers }),
    'unknown-version',
  )
  assert.equal(reasonOf({ key: null, value: change('"good"', '"fine"'), headers }), 'bad-data')
})
