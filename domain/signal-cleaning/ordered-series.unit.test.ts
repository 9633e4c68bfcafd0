import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cleanedQuality } from '../../schemas/events/process-events.ts'
import { type CleanedPoint, cleanSeries, type RawReading } from './clean-series.ts'
import { orderedCleaner } from './ordered-series.ts'
import { arbitrarySeries } from './testing/arbitrary-series.ts'

const cleaned = (
  definition: Parameters<typeof orderedCleaner>[0],
  readings: readonly RawReading[],
  untilMs: number,
): CleanedPoint[] => {
  const cleaner = orderedCleaner(definition)
  return [...readings.flatMap((reading) => cleaner.push(reading)), ...cleaner.end(untilMs)]
}
const text = (point: CleanedPoint): string =>
  JSON.stringify(point, (_, value) => (typeof value === 'bigint' ? String(value) : value))

test('read one by one, the points are those of the whole series, and they come in order of time', () => {
  fc.assert(
    fc.property(arbitrarySeries, ({ definition, readings, untilMs }) => {
      const points = cleaned(definition, readings, untilMs)
      for (const [nth, point] of points.entries())
        assert.ok(nth === 0 || (points[nth - 1]?.atMs ?? 0) <= point.atMs)
      assert.deepEqual(
        points.map(text).sort(),
        cleanSeries(definition, readings, { untilMs }).map(text).sort(),
      )
    }),
    { numRuns: 60 },
  )
})

test('every point has a quality of the list, a rule with its version and raw positions that exist; raw readings stay as they are', () => {
  fc.assert(
    fc.property(arbitrarySeries, ({ definition, readings, untilMs }) => {
      const raw = readings.map((reading) => Object.freeze({ ...reading }))
      const known = new Set(readings.map(({ position }) => position))
      for (const { quality, rule, positions, basis } of cleaned(definition, raw, untilMs)) {
        assert.ok(cleanedQuality.options.includes(quality))
        assert.match(rule, /^[a-z-]+\/\d+$/)
        assert.ok(quality === 'missing' || positions.length > 0)
        assert.ok(positions.every((position) => known.has(position)))
        assert.equal(basis !== undefined, quality === 'kalman')
        if (!basis) continue
        assert.ok(known.has(basis.from) && known.has(basis.to) && basis.from <= basis.to)
        assert.ok(basis.count >= 2 && basis.count <= 121)
        assert.ok(positions.every((position) => position >= basis.from && position <= basis.to))
      }
      assert.deepEqual(raw, readings)
    }),
    { numRuns: 60 },
  )
})

test('what is final stays: more readings later change no point that was given before', () => {
  fc.assert(
    fc.property(arbitrarySeries, fc.nat(60), ({ definition, readings, untilMs }, cut) => {
      const before = readings.slice(0, cut)
      const cleaner = orderedCleaner(definition)
      const early = before.flatMap((reading) => cleaner.push(reading)).map(text)
      assert.deepEqual(cleaned(definition, readings, untilMs).map(text).slice(0, early.length), early)
    }),
    { numRuns: 60 },
  )
})
