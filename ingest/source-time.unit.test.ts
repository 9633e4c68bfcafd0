import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sourceTime } from '../schemas/mqtt.ts'
import { parseSourceTime } from './source-time.ts'

const two = (value: number) => String(value).padStart(2, '0')

test('every instant from 1970 on is understood in any zone, with any decimals, to the millisecond', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: Date.UTC(9998, 0, 1) }),
      fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 }),
      fc.stringMatching(/^\d{0,6}$/),
      (ms, offset, moreDecimals) => {
        const local = new Date(ms + offset * 60_000).toISOString()
        fc.pre(/^\d{4}-/.test(local) && !local.startsWith('00'))
        const zone = `${offset < 0 ? '-' : '+'}${two(Math.trunc(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`
        const text = `${local.slice(0, -1)}${moreDecimals}${zone}`
        assert.ok(sourceTime.safeParse(text).success)
        assert.equal(parseSourceTime(text), ms)
      },
    ),
  )
})

test('what is understood has the form of the contract', () => {
  const almost = fc
    .tuple(
      fc.constantFrom('2026-11-21T09:30:00.000Z', '2024-02-29T23:59:59+14:00'),
      fc.nat(30),
      fc.string({ maxLength: 2 }),
    )
    .map(([text, at, noise]) => text.slice(0, at) + noise + text.slice(at + 1))
  fc.assert(
    fc.property(almost, (text) => {
      const ms = parseSourceTime(text)
      if (ms !== undefined) assert.ok(sourceTime.safeParse(text).success, text)
      else if (sourceTime.safeParse(text).success) {
        // Only the calendar and the years before 1970 are refused on top of the form.
        const day = new Date(`${text.slice(0, 10)}T00:00:00Z`)
        const isCalendar = !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text.slice(0, 10))
        const isClock =
          /T([01]\d|2[0-3]):[0-5]\d:[0-5]\d/.test(text) && /(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/.test(text)
        assert.ok(!isCalendar || !isClock || Date.parse(text) < 0, text)
      }
    }),
    { numRuns: 2_000 },
  )
})

test('days, hours and seconds that do not exist are refused', () => {
  for (const text of [
    '2026-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-12-31T23:59:60Z',
    '2026-01-01T00:00:00',
    '2026-01-01 00:00:00Z',
    '1969-12-31T23:59:59.999Z',
    '0001-01-01T00:00:00Z',
  ])
    assert.equal(parseSourceTime(text), undefined, text)
  assert.equal(parseSourceTime('2024-02-29T00:00:00Z'), Date.UTC(2024, 1, 29))
})
