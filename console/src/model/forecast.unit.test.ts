import assert from 'node:assert/strict'
import test from 'node:test'
import type { Forecast, IssuedForecast } from '../api/answers.ts'
import {
  addForecasts,
  addToSpans,
  binomialTail,
  coverageStatus,
  coverageWords,
  fanOf,
  newestOf,
  originWords,
  pathOf,
  softSensorPath,
} from './forecast.ts'

const startMs = Date.parse('2026-11-20T13:00:00.000Z')
const at = (index: number) => new Date(startMs + index * 30_000).toISOString()
const basis = (index: number) => ({
  issuedAt: at(index),
  window: { from: at(index - 1), to: at(index) },
  recordedAt: at(index),
  modelId: 'od600',
  modelVersion: '1.0.0',
  modelHash: `3fa4${'0'.repeat(60)}`,
  featureSchemaHash: 'b'.repeat(64),
  inputHash: 'c'.repeat(64),
  inputPositions: { from: '1', to: '2' },
  phase: 'exponential' as const,
  hoursSinceInoculation: 2,
  inDomainScore: 0.9,
  position: String(100 + index),
  eventId: `event-${index}`,
})
const issued = (index: number, od = 4): IssuedForecast => ({
  kind: 'issued',
  ...basis(index),
  lastValue: od,
  lastMu: 0.2,
  horizons: [
    { horizon: 'PT2H', p5: od, p50: od * 1.5, p95: od * 2 },
    { horizon: 'PT0S', p5: od * 0.9, p50: od * 1.01, p95: od * 1.1 },
    { horizon: 'PT30M', p5: od, p50: od * 1.1, p95: od * 1.2 },
  ],
  attributions: [],
})
const withheld = (index: number, reason = 'too-many-missing' as const): Forecast => ({
  kind: 'withheld',
  ...basis(index),
  reason,
  detail: `window ${index}`,
})

test('the path of a forecast starts at the online value and goes on in the order of its horizons', () => {
  assert.deepEqual(
    pathOf(issued(0)).map((point) => [(point.at - startMs) / 60_000, point.p50]),
    [
      [0, 4],
      [30, 4 * 1.1],
      [120, 6],
    ],
  )
  assert.equal(pathOf({ ...issued(0), lastValue: null })[0]?.at, startMs + 1_800_000)
})

test('the soft sensor is told apart from what lies ahead', () => {
  assert.deepEqual(
    softSensorPath([issued(0), withheld(1), issued(2, 5)]).map(({ p50 }) => p50),
    [4 * 1.01, 5 * 1.01],
  )
})

test('the newest outcome is the one of the newest window, in whatever order outcomes arrive', () => {
  assert.equal(newestOf(issued(3), [withheld(5), issued(4)])?.eventId, 'event-5')
  assert.equal(newestOf(undefined, []), undefined)
  assert.deepEqual(
    addForecasts([issued(1), issued(3)], [issued(2), issued(3)]).map(({ eventId }) => eventId),
    ['event-1', 'event-2', 'event-3'],
  )
})

test('a fan stays legible and leaves out the forecast in force', () => {
  const items = Array.from({ length: 100 }, (_, index) => issued(index))
  const fan = fanOf(items, items[99], 20)
  assert.ok(fan.length <= 20)
  assert.ok(fan.every(({ eventId }) => eventId !== 'event-99'))
})

test('a withheld forecast goes on with the span before it only when it is the next window for the same reason', () => {
  const spans = addToSpans([], [withheld(1), withheld(2), issued(3), withheld(4)])
  assert.deepEqual(
    spans.map(({ from, to, count, detail }) => [from, to, count, detail]),
    [
      [at(0), at(2), 2, 'window 2'],
      [at(3), at(4), 1, 'window 4'],
    ],
  )
  assert.deepEqual(addToSpans(spans, [withheld(2), withheld(4)]), spans)
})

test('a forecast says when it was issued, by which model, and how often its interval held', () => {
  assert.equal(originWords(issued(0), 'UTC'), 'issued 13:00:00 by od600 1.0.0 (sha 3fa4…)')
  const covered = {
    horizon: 'PT30M' as const,
    covered: 17,
    scored: 20,
    coverage: 0.85,
    meanRelativeError: 0.03,
  }
  assert.equal(coverageWords(covered, 0.9), '17/20 = 85 % of 90 %')
  assert.equal(coverageWords({ ...covered, covered: 172, scored: 201 }, 0.9), '172/201 = 85.6 % of 90 %')
})

test('coverage that chance does not explain is said to be too low', () => {
  // Reference: the sum of the exact fractions.
  assert.ok(Math.abs(binomialTail(14, 20, 0.9) - 0.01125313) < 1e-8)
  assert.ok(Math.abs(binomialTail(15, 20, 0.9) - 0.0431745) < 1e-7)
  assert.ok(Math.abs(binomialTail(20, 20, 0.9) - 1) < 1e-12)
  assert.ok(binomialTail(5000, 6000, 0.9) < 1e-30)
  const toneOf = (covered: number, scored: number) => coverageStatus({ covered, scored }, 0.9)?.tone
  assert.equal(toneOf(17, 20), undefined)
  assert.equal(toneOf(15, 20), 'caution')
  assert.equal(toneOf(13, 20), 'alarm')
  assert.equal(toneOf(0, 1), undefined)
})
