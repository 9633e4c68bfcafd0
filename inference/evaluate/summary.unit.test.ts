import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ScoreRow } from './score-row.ts'
import { type Evaluation, summary } from './summary.ts'

const row = (changes: Partial<ScoreRow>): ScoreRow => ({
  batch: '1/16',
  issuedAt: '2026-01-01T10:00:00.000Z',
  horizon: 'PT30M',
  phase: 'exponential',
  p5: 9,
  p50: 11,
  p95: 12,
  measured: null,
  trueValue: 10,
  lastValue: 8,
  lastMu: 0.2,
  beforeDepletion: true,
  hoursSinceInoculation: 10,
  ...changes,
})
const of = (...rows: ScoreRow[]): Evaluation => {
  const figures = summary()
  for (const one of rows) figures.add(one)
  return figures.result()
}
const close = (found: number | null | undefined, expected: number): void =>
  assert.ok(found != null && Math.abs(found - expected) < 1e-12, `${found}, expected ${expected}`)

test('the mean relative error is that of the published vector: 10/20/40 against 11/19/42 is 6.67 %', () => {
  const { horizons } = of(
    row({ trueValue: 10, p50: 11 }),
    row({ trueValue: 20, p50: 19 }),
    row({ trueValue: 40, p50: 42 }),
  )
  close(horizons.PT30M.mre, (0.1 + 0.05 + 0.05) / 3)
})

test('skill is one minus the ratio of errors, before depletion only', () => {
  const { horizons } = of(row({}), row({ beforeDepletion: false, p50: 30 }))
  close(horizons.PT30M.skillPersistence, 1 - 0.1 / 0.2)
  close(horizons.PT30M.skillLastMu, 1 - 0.1 / Math.abs((8 * Math.exp(0.1)) / 10 - 1))
})

test('the error against offline OD600 counts forecasts for the time of a sample only', () => {
  close(of(row({ measured: 12.5 }), row({})).horizons.PT30M.mreOffline, 1.5 / 12.5)
})

test('coverage counts the bounds as inside', () => {
  close(
    of(row({ p5: 10 }), row({ p95: 9.9 }), row({ p5: 10.1, p50: 11 }), row({})).horizons.PT30M.coverage90,
    0.5,
  )
})

test('withheld windows count from 1 h after inoculation to depletion, and no figure but that share sees them', () => {
  const withheld = { p5: null, p50: null, p95: null, reason: 'inputs-disagree' } as const
  const result = of(
    row({}),
    row(withheld),
    row({ ...withheld, hoursSinceInoculation: 0.5 }),
    row({ ...withheld, beforeDepletion: false }),
  )
  close(result.withheld.share, 0.5)
  assert.deepEqual(result.withheld.byReason, { 'inputs-disagree': 3 })
  close(result.horizons.PT30M.mre, 0.1)
})

test('minutes to depletion count from 4 h before it, the worst batch by its own mean', () => {
  const minutes = (batch: string, p50: number, trueValue: number) =>
    row({ horizon: 'depletion', batch, p5: 0, p50, p95: 400, trueValue })
  const { depletion } = of(
    minutes('1/16', 210, 200),
    minutes('1/16', 104, 100),
    minutes('1/17', 120, 100),
    minutes('1/17', 300, 250),
    minutes('1/17', 5, -10),
  )
  close(depletion.meanAbsMinutes, (10 + 4 + 20) / 3)
  close(depletion.worstBatchMinutes, 20)
})

test('the soft sensor is judged beside what gas and ammonia, and gas alone, would say', () => {
  const { softSensor } = of(row({ horizon: 'PT0S', p50: 10.2, p50GasAndBase: 10.5, p50GasOnly: 9 }))
  close(softSensor.mre, 0.02)
  close(softSensor.mreGasAndBase, 0.05)
  close(softSensor.mreGasOnly, 0.1)
})
