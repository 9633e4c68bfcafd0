import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { findTag, type TagDefinition } from '../../schemas/tags.ts'
import { cleanSeries, type RawReading } from './clean-series.ts'
import { type DataFinding, findingsWatch } from './data-findings.ts'
import { arbitrarySeries } from './testing/arbitrary-series.ts'

const minute = 60_000
const tag = (name: string): TagDefinition => {
  const definition = findTag(name)
  assert.ok(definition)
  return definition
}
const broth = tag('Temp_Broth')

const readingsAt = (
  seconds: readonly number[],
  quality: RawReading['quality'] = 'good',
  first = 1,
): RawReading[] =>
  seconds.map((second, nth) => ({
    atMs: second * 1000,
    value: 30,
    unit: 'Cel',
    quality,
    position: BigInt(first + nth),
  }))
const seconds = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, nth) => from + nth)

function found(
  readings: readonly RawReading[],
  untilMs: number,
  fromMs = 0,
  definition = broth,
): readonly DataFinding[] {
  const watch = findingsWatch(definition, fromMs)
  for (const reading of readings) watch.push(reading)
  return watch.end(untilMs)
}
const named = (findings: readonly DataFinding[], name: DataFinding['name']): readonly DataFinding[] =>
  findings.filter((finding) => finding.name === name)

test('whole data give no finding', () => {
  assert.deepEqual(found(readingsAt(seconds(0, 600)), 600_000), [])
})

test('30 min without data are no finding, more are: named with tag, ends and the readings around', () => {
  const upTo = (gapSeconds: number) =>
    named(
      found(readingsAt([...seconds(0, 61), ...seconds(60 + gapSeconds, 120 + gapSeconds)]), 3_600_000),
      'missing_data_too_long',
    ).filter(({ open }) => !open)
  assert.deepEqual(upTo(1800), [])
  assert.deepEqual(upTo(1801), [
    {
      name: 'missing_data_too_long',
      level: 'error',
      tag: 'Temp_Broth',
      fromMs: 60_000,
      toMs: 60_000 + 1_801_000,
      open: false,
      expected: 1800,
      missing: 1800,
      positions: [61n, 62n],
    },
  ])
})

test('impossible values and readings bad at the source do not end missing data', () => {
  const readings = [
    ...readingsAt(seconds(0, 60)),
    ...readingsAt(seconds(60, 2400), 'bad', 61),
    ...readingsAt(seconds(2400, 2460), 'good', 2401),
  ]
  const [finding] = named(found(readings, 2_460_000), 'missing_data_too_long')
  assert.deepEqual([finding?.fromMs, finding?.toMs, finding?.positions], [59_000, 2_400_000, [60n, 2401n]])
})

test('a tag that is silent at the end is found while it is silent, and one that begins late is found from the start', () => {
  const [open] = named(found(readingsAt(seconds(0, 60)), 40 * minute), 'missing_data_too_long')
  assert.deepEqual(
    [open?.fromMs, open?.toMs, open?.open, open?.positions],
    [59_000, 40 * minute, true, [60n]],
  )
  const [late] = named(found(readingsAt(seconds(2400, 2460)), 2_460_000), 'missing_data_too_long')
  assert.deepEqual([late?.fromMs, late?.toMs, late?.positions], [0, 2_400_000, [1n]])
})

test('silence before the batch runs is no finding of the batch', () => {
  const readings = readingsAt([...seconds(0, 60), ...seconds(3600, 3660)])
  assert.deepEqual(found(readings, 3_660_000, 3_600_000), [])
})

test('a window with 15 of 30 seconds missing is no finding, one with 16 is a warning', () => {
  const missing = (count: number) => [...seconds(0, 30), ...seconds(30 + count, 60), ...seconds(60, 120)]
  assert.deepEqual(found(readingsAt(missing(15)), 120_000), [])
  const [finding, ...others] = found(readingsAt(missing(16)), 120_000)
  assert.equal(others.length, 0)
  assert.deepEqual(
    { ...finding },
    {
      name: 'window_mostly_missing',
      level: 'warning',
      tag: 'Temp_Broth',
      fromMs: 30_000,
      toMs: 60_000,
      open: false,
      expected: 30,
      missing: 16,
      positions: [44n, 45n],
    },
  )
})

test('windows in a row that are mostly missing are one finding', () => {
  const findings = found(readingsAt([...seconds(0, 60), ...seconds(190, 300)]), 300_000)
  assert.deepEqual(
    findings.map(({ fromMs, toMs, expected, missing, positions }) => [
      fromMs,
      toMs,
      expected,
      missing,
      positions,
    ]),
    [[60_000, 180_000, 120, 120, [60n, 61n]]],
  )
})

test('a tag of another cadence is measured by its own: two of three readings missing are more than half', () => {
  const weight = tag('Weight')
  const at = (times: readonly number[]): RawReading[] =>
    times.map((second, nth) => ({
      atMs: second * 1000,
      value: 1,
      unit: weight.unit,
      quality: 'good',
      position: BigInt(nth + 1),
    }))
  assert.deepEqual(found(at([0, 10, 20, 30, 50, 60]), 60_000, 0, weight), [])
  const [finding] = found(at([0, 10, 20, 30, 60]), 60_000, 0, weight)
  assert.deepEqual([finding?.fromMs, finding?.expected, finding?.missing], [30_000, 3, 2])
})

test('data that are missing too long are exactly what the cleaned series leaves missing', () => {
  fc.assert(
    fc.property(arbitrarySeries, ({ definition, readings, untilMs }) => {
      const fromMs = readings.find(
        ({ value, quality }) =>
          quality !== 'bad' && value >= definition.hardBounds[0] && value <= definition.hardBounds[1],
      )?.atMs
      if (fromMs === undefined) return
      const findings = named(found(readings, untilMs, fromMs, definition), 'missing_data_too_long')
      const holes = cleanSeries(definition, readings, { untilMs }).filter(
        ({ quality }) => quality === 'missing',
      )
      assert.deepEqual(
        findings.map(({ toMs, positions }) => [toMs, positions]),
        holes.map(({ untilMs: toMs, positions }) => [toMs, positions]),
      )
      for (const finding of findings) assert.ok(finding.toMs - finding.fromMs > 30 * minute)
    }),
    { numRuns: 200 },
  )
})
