import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { findTag, type TagDefinition } from '../../schemas/tags.ts'
import { type CleanedPoint, cleanSeries, type RawReading, seriesCleaner } from './clean-series.ts'
import { rules } from './cleaning-rules.ts'
import { arbitrarySeries } from './testing/arbitrary-series.ts'

const tag = (name: string): TagDefinition => {
  const definition = findTag(name)
  assert.ok(definition)
  return definition
}
const broth = tag('Temp_Broth')
const minute = 60_000

let position = 0n
const reading = (atMs: number, value: number, quality: RawReading['quality'] = 'good'): RawReading => ({
  atMs,
  value,
  unit: 'Cel',
  quality,
  position: ++position,
})

/** A minute of readings, a gap of `gapMs` between good readings, one reading. */
function withGap(gapMs: number): { before: RawReading; after: RawReading; points: readonly CleanedPoint[] } {
  const readings = Array.from({ length: 60 }, (_, second) => reading(second * 1000, 30))
  const before = readings.at(-1)!
  const after = reading(before.atMs + gapMs, 30.3)
  return { before, after, points: cleanSeries(broth, [...readings, after]) }
}
const qualities = (points: readonly CleanedPoint[]): string[] => [
  ...new Set(points.map((one) => one.quality)),
]

test('a closed gap below 5 min is a straight line that names both its ends', () => {
  const { before, after, points } = withGap(5 * minute - 1000)
  const filled = points.filter((point) => point.quality === 'interpolated')
  assert.equal(filled.length, 298)
  const middle = filled[148]!
  const straight = 30 + (0.3 * (middle.atMs - before.atMs)) / (after.atMs - before.atMs)
  assert.ok(Math.abs((middle.value ?? 0) - straight) < 1e-12)
  assert.ok(filled.every((point) => point.rule === rules.linearGap))
  assert.deepEqual(middle.positions, [before.position, after.position])
})

test('a closed gap of 5.0 to 30.0 min, both included, is smoothed and says how sure it is', () => {
  for (const gapMs of [5 * minute, 30 * minute]) {
    const { points, before, after } = withGap(gapMs)
    assert.deepEqual(qualities(points), ['good', 'kalman'])
    const filled = points.filter((point) => point.quality === 'kalman')
    assert.equal(filled.length, gapMs / 1000 - 1)
    for (const { value, variance, positions, basis } of filled) {
      assert.ok(value !== null && value > 29.5 && value < 31, String(value))
      assert.ok(variance !== undefined && variance > 0)
      assert.deepEqual(positions, [before.position, after.position])
      assert.deepEqual(basis, { from: before.position - 59n, to: after.position, count: 61 })
    }
  }
})

test('a gap above 30 min is not filled: one missing point stands for it', () => {
  const { points, before, after } = withGap(30 * minute + 1000)
  assert.deepEqual(qualities(points), ['good', 'missing'])
  const [hole, ...others] = points.filter((point) => point.quality === 'missing')
  assert.equal(others.length, 0)
  assert.deepEqual([hole?.value, hole?.atMs, hole?.untilMs], [null, before.atMs + 1000, after.atMs])
})

test('while a gap is open the last good value holds as stale for 30 min, then nothing does', () => {
  const readings = [reading(0, 30), reading(1000, 30.1)]
  const points = cleanSeries(broth, readings, { untilMs: 41 * minute })
  const stale = points.filter((point) => point.quality === 'stale')
  assert.equal(stale.length, 1800)
  assert.ok(stale.every((point) => point.value === 30.1 && point.positions[0] === readings[1]?.position))
  const [hole] = points.filter((point) => point.quality === 'missing')
  assert.deepEqual([hole?.atMs, hole?.untilMs, hole?.value], [1000 + 30 * minute, 41 * minute, null])
})

test('an invalid reading does not end a gap: it is filled over, and stays visible as invalid', () => {
  const readings = [reading(0, 30), reading(1000, -999), reading(2000, 30, 'bad'), reading(3000, 30.3)]
  const points = cleanSeries(broth, readings)
  assert.deepEqual(
    points.map(({ atMs, quality }) => `${atMs} ${quality}`),
    ['0 good', '1000 invalid', '1000 interpolated', '2000 invalid', '2000 interpolated', '3000 good'],
  )
})

test('a reading a moment early or late leaves no gap', () => {
  const points = cleanSeries(broth, [reading(0, 30), reading(1400, 30), reading(1900, 30)])
  assert.deepEqual(qualities(points), ['good'])
})

test('a trend is cut at the hard bounds', () => {
  const oxygen = tag('Off_Gas_CO2')
  const falling = Array.from({ length: 120 }, (_, second) => ({
    atMs: second * 1000,
    value: 1.2 - second * 0.01,
    unit: '%',
    quality: 'good' as const,
    position: BigInt(second),
  }))
  const after = { atMs: 119_000 + 20 * minute, value: 0, unit: '%', quality: 'good' as const, position: 200n }
  const filled = cleanSeries(oxygen, [...falling, after]).filter((point) => point.quality === 'kalman')
  assert.ok(filled.length > 1000)
  assert.ok(filled.every(({ value }) => value !== null && value >= 0))
})

test('cleaning invents nothing outside the hard bounds and names raw positions that exist', () => {
  fc.assert(
    fc.property(arbitrarySeries, ({ definition, readings, untilMs }) => {
      const [low, high] = definition.hardBounds
      const known = new Set(readings.map((one) => one.position))
      const points = cleanSeries(definition, readings, { cadenceMs: 10_000, untilMs })
      for (const point of points) {
        const none = point.quality === 'invalid' || point.quality === 'missing'
        assert.equal(point.value === null, none)
        if (point.value !== null) assert.ok(point.value >= low && point.value <= high, String(point.value))
        assert.ok(point.positions.length > 0 && point.positions.every((one) => known.has(one)))
        assert.match(point.rule, /^[a-z-]+\/\d+$/)
        assert.equal(point.variance !== undefined, point.quality === 'kalman')
      }
      // Every raw reading is accounted for exactly once as itself.
      const own = points.filter(({ quality }) => ['good', 'clipped', 'invalid'].includes(quality))
      assert.deepEqual(
        own.map((point) => point.positions[0]).sort(),
        readings.map((one) => one.position).sort(),
      )
    }),
    { numRuns: 200 },
  )
})

test('cleaning does not depend on how the stream is split', () => {
  fc.assert(
    fc.property(arbitrarySeries, fc.array(fc.nat(60)), ({ definition, readings, untilMs }, cuts) => {
      const whole = cleanSeries(definition, readings, { cadenceMs: 10_000, untilMs })
      const cleaner = seriesCleaner(definition, 10_000)
      const points: CleanedPoint[] = []
      const edges = [0, ...cuts.sort((left, right) => left - right), readings.length]
      edges.slice(1).forEach((end, nth) => {
        // Looking at the open end in between must leave no trace.
        cleaner.open((readings[edges[nth]!]?.atMs ?? 0) + minute)
        for (const one of readings.slice(edges[nth], end)) points.push(...cleaner.push(one))
      })
      points.push(...cleaner.open(untilMs))
      assert.deepEqual(
        points.sort((left, right) => left.atMs - right.atMs),
        whole,
      )
    }),
  )
})
