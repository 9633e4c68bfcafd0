import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fillByTrend, type Point } from './trend-smoother.ts'

const noise = { reading: 0.04, slope: 0.003 }
const points = (values: readonly number[]): Point[] =>
  values.map((value, second) => ({ atMs: second * 1000, value }))

test('filled values and variances are those of the joint normal distribution given the readings', () => {
  // Vector: the joint covariance of all states written out as one dense matrix and conditioned on the readings.
  const expected = [
    [7, 2.567849785255, 0.083190387215],
    [10, 3.073196307844, 0.166820538904],
    [13, 3.515627603432, 0.195476541329],
    [16, 3.914018240117, 0.134253800482],
  ] as const
  const filled = fillByTrend(
    points([1, 1.3, 1.5, 1.9, 2]),
    expected.map(([second]) => second * 1000),
    { atMs: 20_000, value: 4.4 },
    noise,
  )
  expected.forEach(([second, value, variance], nth) => {
    assert.equal(filled[nth]?.atMs, second * 1000)
    assert.ok(Math.abs(filled[nth].value - value) < 1e-9, `${filled[nth].value} for ${value}`)
    assert.ok(Math.abs(filled[nth].variance - variance) < 1e-9)
  })
})

test('on a straight line the line is filled in, known least in the middle', () => {
  const before = points(Array.from({ length: 120 }, (_, second) => 10 + 0.01 * second))
  const times = Array.from({ length: 59 }, (_, nth) => 119_000 + (nth + 1) * 10_000)
  const after = { atMs: 719_000, value: 10 + 7.19 }
  const filled = fillByTrend(before, times, after, { reading: 1e-4, slope: 1e-7 })
  for (const { atMs, value } of filled)
    assert.ok(Math.abs(value - (10 + atMs / 100_000)) < 2e-3, `${value} at ${atMs}`)
  const variances = filled.map((point) => point.variance)
  const widest = variances.indexOf(Math.max(...variances))
  assert.ok(widest > 15 && widest < 45, String(widest))
  assert.ok(variances.every((variance) => variance > 0))
})

test('a single reading before the gap is enough', () => {
  const [filled] = fillByTrend([{ atMs: 0, value: 5 }], [300_000], { atMs: 600_000, value: 7 }, noise)
  assert.ok(filled && filled.value > 5 && filled.value < 7)
  assert.throws(() => fillByTrend([], [1], { atMs: 2, value: 0 }, noise), /at least one reading/)
})
