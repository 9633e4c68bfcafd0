import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { instantOf, performedAt } from './time.ts'

test('every instant is understood in every zone, to the millisecond', () => {
  const zones = fc.tuple(
    fc.constantFrom('+', '-'),
    fc.integer({ min: 0, max: 14 }),
    fc.constantFrom(0, 30, 45),
  )
  const dates = fc.date({
    min: new Date('2000-01-02T00:00:00Z'),
    max: new Date('2099-12-30T00:00:00Z'),
    noInvalidDate: true,
  })
  fc.assert(
    fc.property(dates, zones, (date, [sign, hours, minutes]) => {
      const offsetMs = (hours * 60 + minutes) * 60_000 * (sign === '-' ? -1 : 1)
      const zone = `${sign}${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`
      const local = new Date(date.getTime() + offsetMs).toISOString().slice(0, -1)
      assert.equal(instantOf(`${local}${zone}`), date.toISOString())
    }),
  )
  assert.equal(instantOf('2000-02-29T23:59:59+23:59'), '2000-02-29T00:00:59.000Z')
  assert.equal(instantOf('2024-02-29T12:00:00-00:30'), '2024-02-29T12:30:00.000Z')
  assert.equal(instantOf('9999-12-31T23:59:59.999Z'), '9999-12-31T23:59:59.999Z')
  assert.equal(instantOf('9999-12-31T23:59:59.999-00:01'), undefined)
  assert.equal(instantOf('0000-01-01T00:00:00+00:01'), undefined)
  assert.equal(instantOf('2026-11-21T09:30:00Z'), '2026-11-21T09:30:00.000Z')
  assert.equal(instantOf('2026-11-21T09:30:00.123987Z'), '2026-11-21T09:30:00.123Z')
})

for (const text of [
  '2026-02-30T00:00:00Z',
  '2025-02-29T00:00:00Z',
  '1900-02-29T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-00-10T00:00:00Z',
  '2026-04-31T00:00:00Z',
  '2026-01-00T00:00:00Z',
  '2026-01-01T24:00:00Z',
  '2026-01-01T00:60:00Z',
  '2026-01-01T00:00:60Z',
  '2026-01-01T00:00:00+24:00',
  '2026-01-01T00:00:00+01:60',
  '2026-01-01T00:00:00',
  '2026-01-01',
  'yesterday',
])
  test(`${text} names no instant`, () => assert.equal(instantOf(text), undefined))

const received = '2026-11-21T10:00:00.000Z'

test('what was done now is no late entry, what was done more than 5 min ago is', () => {
  assert.deepEqual(performedAt(undefined, received), { kind: 'at', occurredAt: received, lateEntry: false })
  const at = (text: string) => performedAt(text, received)
  assert.deepEqual(at('2026-11-21T09:55:00Z'), {
    kind: 'at',
    occurredAt: '2026-11-21T09:55:00.000Z',
    lateEntry: false,
  })
  assert.deepEqual(at('2026-11-21T09:54:59.999Z'), {
    kind: 'at',
    occurredAt: '2026-11-21T09:54:59.999Z',
    lateEntry: true,
  })
  assert.deepEqual(at('2026-11-21T10:05:00Z'), {
    kind: 'at',
    occurredAt: '2026-11-21T10:05:00.000Z',
    lateEntry: false,
  })
})

test('the year 2000 is the first that is believed', () => {
  assert.equal(performedAt('2000-01-01T00:00:00Z', received).kind, 'at')
})

test('more than 5 min in the future, before the year 2000 and an impossible day are refused', () => {
  for (const text of [
    '2026-11-21T10:05:00.001Z',
    '0001-01-01T00:00:00Z',
    '1999-12-31T23:59:59.999Z',
    '2026-02-30T00:00:00Z',
  ])
    assert.equal(performedAt(text, received).kind, 'impossible', text)
})
