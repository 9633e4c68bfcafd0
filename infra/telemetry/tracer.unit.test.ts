import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatTraceparent, offTracer, parseTraceparent } from './tracer.ts'

// The examples of W3C Trace Context, 3.2.2 and 3.2.4.
const example = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

test('the example of W3C Trace Context is read into its three parts', () => {
  assert.deepEqual(parseTraceparent(example), {
    traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
    spanId: '00f067aa0ba902b7',
    flags: 1,
  })
})

test('a malformed traceparent is no parent at all', () => {
  for (const text of [
    undefined,
    '',
    'nonsense',
    '00-00000000000000000000000000000000-00f067aa0ba902b7-01',
    '00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01',
    '00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01',
    'ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    `${example}-more`,
    `${example}\n`,
  ])
    assert.equal(parseTraceparent(text), undefined, String(text))
})

test('a later version of the format is read by the parts that this version knows', () => {
  assert.equal(
    parseTraceparent(`cc${example.slice(2)}-what-is-new`)?.traceId,
    '4bf92f3577b34da6a3ce929d0e0e4736',
  )
})

test('what is formatted is read back unchanged', () => {
  const hex = (length: number) =>
    fc
      .array(fc.constantFrom(...'0123456789abcdef'), { minLength: length, maxLength: length })
      .map((digits) => digits.join(''))
      .filter((text) => /[^0]/.test(text))
  fc.assert(
    fc.property(hex(32), hex(16), fc.integer({ min: 0, max: 255 }), (traceId, spanId, flags) => {
      assert.deepEqual(parseTraceparent(formatTraceparent({ traceId, spanId, flags })), {
        traceId,
        spanId,
        flags,
      })
    }),
  )
})

test('a tracer that is off keeps nothing and leaves nothing beside an event', () => {
  const first = offTracer.startSpan('ingest.message')
  const second = offTracer.startSpan('store.append', { parent: first, parentTraceparent: example })
  assert.equal(first, second)
  assert.equal(offTracer.traceparentOf(second), undefined)
  offTracer.endSpan(second, { error: new Error('x') })
})
