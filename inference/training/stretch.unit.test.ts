import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Calibration, targets } from '../../domain/forecast/calibration.ts'
import type { ScoreRow } from '../evaluate/score-row.ts'
import { fewestBatches, stretchOf } from './stretch.ts'

const everywhere = (value: number): Calibration['widening'] =>
  Object.fromEntries(
    targets.map((target) => [
      target,
      { lag: value, exponential: value, decelerating: value, stationary: value, all: value },
    ]),
  ) as unknown as Calibration['widening']

/** The truth `distance` half-widths of ln 1.1 away from 20 AU. */
const row = (batch: number, distance: number, over: Partial<ScoreRow> = {}): ScoreRow => ({
  batch: `1/${batch}`,
  issuedAt: '2026-01-01T00:00:00.000Z',
  horizon: 'PT2H',
  phase: 'exponential',
  p5: 20 / 1.1,
  p50: 20,
  p95: 20 * 1.1,
  measured: null,
  trueValue: 20 * 1.1 ** distance,
  lastValue: 20,
  lastMu: 0.2,
  beforeDepletion: true,
  hoursSinceInoculation: 10,
  ...over,
})

test('the interval is stretched so that it holds nine of ten truths', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -1.9, max: 1.9, noNaN: true }), { minLength: 40, maxLength: 200 }),
      (distances) => {
        const stretch = stretchOf()
        for (const [index, distance] of distances.entries()) stretch.add(row(index, distance))
        const factor = stretch.widened(everywhere(1)).PT2H.exponential
        const held = distances.filter((distance) => Math.abs(distance) <= factor * (1 + 1e-9)).length
        assert.ok(held >= 0.9 * distances.length, `${held} of ${distances.length} at ${factor}`)
        // Not wider than needed, unless the narrowest is.
        const inside = distances.filter((distance) => Math.abs(distance) < factor * (1 - 1e-9)).length
        assert.ok(factor === 0.5 || inside < 0.9 * distances.length)
      },
    ),
  )
})

test('widths that rows were made with are taken up, between a half and two', () => {
  const stretch = stretchOf()
  for (let batch = 0; batch < 30; batch++) stretch.add(row(batch, 1.2))
  assert.ok(Math.abs(stretch.widened(everywhere(1.5)).PT2H.exponential - 1.8) < 1e-9)
  assert.equal(stretch.widened(everywhere(1.9)).PT2H.all, 2)
  assert.equal(stretch.widened(everywhere(0.1)).PT2H.all, 0.5)
})

test('a phase of few batches, another horizon and the minutes to depletion keep their width', () => {
  const stretch = stretchOf()
  for (let batch = 0; batch < fewestBatches - 1; batch++) stretch.add(row(batch, 1.4, { phase: 'lag' }))
  for (let batch = 0; batch < 30; batch++) stretch.add(row(batch, 1.4, { horizon: 'depletion' }))
  const widened = stretch.widened(everywhere(1))
  assert.equal(widened.PT2H.lag, 1)
  assert.equal(widened.PT30M.all, 1)
  assert.equal(widened.depletion.exponential, 1)
})

test('what was withheld and what has no truth does not count', () => {
  const stretch = stretchOf()
  for (let batch = 0; batch < 30; batch++) {
    stretch.add(row(batch, 1))
    stretch.add(row(batch, 1.9, { p5: null, p50: null, p95: null }))
    stretch.add(row(batch, 1, { trueValue: null }))
  }
  assert.ok(Math.abs(stretch.widened(everywhere(1)).PT2H.exponential - 1) < 1e-9)
})
