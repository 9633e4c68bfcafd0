import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Calibration, headName, headNames, type Shift, targets } from './calibration.ts'
import { composeOutcome } from './compose-outcome.ts'
import { featureNames } from './feature-schema.ts'
import type { ForecastInput, HeadOutputs } from './outcome.ts'
import { sampleInput } from './testing/sample-estimate.ts'

const everywhere = <T>(value: T) => {
  const phases = { lag: value, exponential: value, decelerating: value, stationary: value, all: value }
  return { PT0S: phases, PT30S: phases, PT30M: phases, PT1H: phases, PT2H: phases, depletion: phases }
}
const shareOf = (share: number): Calibration['middle'] => ({
  PT0S: share,
  PT30S: share,
  PT30M: share,
  PT1H: share,
  PT2H: share,
  depletion: share,
})
const calibrated = (shift: Shift, widening = 1): Calibration => ({
  offsets: everywhere(shift),
  middle: shareOf(1),
  widening: everywhere(widening),
})
const none = calibrated({ lower: 0, upper: 0 })
const heads = (p5: number, p50: number, p95: number): HeadOutputs =>
  Object.fromEntries(
    targets.flatMap((target) => [
      [headName(target, 'p5'), p5],
      [headName(target, 'p50'), p50],
      [headName(target, 'p95'), p95],
    ]),
  )
const issued = (input: ForecastInput, outputs: HeadOutputs, calibration = none) => {
  const outcome = composeOutcome(input, outputs, calibration)
  if (outcome.kind !== 'issued') assert.fail(outcome.detail)
  return outcome
}
const close = (found: number | undefined, expected: number): void =>
  assert.ok(found !== undefined && Math.abs(found / expected - 1) < 1e-12, `${found}, expected ${expected}`)

test('a residual in standard deviations is put back on the equations', () => {
  const outcome = issued(sampleInput(), heads(-1.5, 0.5, 2))
  const half = outcome.horizons.find(({ horizon }) => horizon === 'PT30M')
  close(half?.p50, 11 * Math.exp(0.12 + 0.005))
  close(half?.p5, 11 * Math.exp(0.12 - 0.015))
  close(half?.p95, 11 * Math.exp(0.12 + 0.02))
  assert.equal(outcome.horizons[0]?.horizon, 'PT0S')
  close(outcome.horizons[0]?.p50, 10.8 * Math.exp(0.01))
  close(outcome.depletionMinutes?.p50, 302)
})

test('calibration widens both bounds, each by its own shift', () => {
  const outcome = issued(sampleInput(), heads(-1, 0, 1), calibrated({ lower: 0.5, upper: 1 }))
  const half = outcome.horizons.find(({ horizon }) => horizon === 'PT30M')
  close(half?.p5, 11 * Math.exp(0.12 - 0.015))
  close(half?.p95, 11 * Math.exp(0.12 + 0.02))
})

test('of the middle head only the share is taken that proved itself, of the bounds all', () => {
  const outcome = issued(sampleInput(), heads(-1.5, 0.5, 2), { ...none, middle: shareOf(0.4) })
  const half = outcome.horizons.find(({ horizon }) => horizon === 'PT30M')
  close(half?.p50, 11 * Math.exp(0.12 + 0.002))
  close(half?.p5, 11 * Math.exp(0.12 - 0.015))
  close(outcome.depletionMinutes?.p50, 300.8)
})

test('whatever the heads say, p5 is at most p50 and p95 at least', () => {
  const value = fc.double({ min: -5, max: 5, noNaN: true })
  fc.assert(
    fc.property(value, value, value, value, value, (p5, p50, p95, lower, upper) => {
      const outcome = composeOutcome(sampleInput(), heads(p5, p50, p95), calibrated({ lower, upper }))
      if (outcome.kind === 'withheld') return
      for (const one of [
        ...outcome.horizons,
        ...(outcome.depletionMinutes ? [outcome.depletionMinutes] : []),
      ])
        assert.ok(one.p5 <= one.p50 && one.p50 <= one.p95)
    }),
  )
})

test('lower bounds allow for glycerol that is missing, the middle does not', () => {
  const { basis } = sampleInput()
  const shortOutlook = {
    ...basis.outlook,
    lnRatio: { ...basis.outlook.lnRatio, PT2H: 0.4 },
    depletionMinutes: 270,
  }
  const outcome = issued(sampleInput({ basis: { ...basis, shortOutlook } }), heads(-1, 0, 1))
  const two = outcome.horizons.find(({ horizon }) => horizon === 'PT2H')
  close(two?.p50, 11 * Math.exp(0.48))
  close(two?.p5, 11 * Math.exp(0.4 - 0.015))
  close(outcome.depletionMinutes?.p5, 266)
  close(outcome.depletionMinutes?.p50, 300)
})

test('after depletion, or farther ahead than was trained, no time to depletion is told', () => {
  const { basis } = sampleInput()
  assert.equal(
    issued(sampleInput({ basis: { ...basis, depleted: true } }), heads(-1, 0, 1)).depletionMinutes,
    undefined,
  )
  const far = { ...basis, outlook: { ...basis.outlook, depletionMinutes: 380 } }
  assert.equal(issued(sampleInput({ basis: far }), heads(-1, 0, 1)).depletionMinutes, undefined)
})

test('an interval that says nothing is withheld', () => {
  const outcome = composeOutcome(sampleInput(), heads(-30, 0, 30), none)
  assert.equal(outcome.kind === 'withheld' && outcome.reason, 'interval-too-wide')
})

test('what was judged before stays withheld, with its reason, and no head is needed', () => {
  const withhold = { reason: 'inputs-disagree', detail: 'gas against ammonia' } as const
  assert.deepEqual(composeOutcome(sampleInput({ withhold }), {}, none), { kind: 'withheld', ...withhold })
})

test('a missing head is an error that names it', () => {
  const { [headNames[0] ?? '']: _gone, ...others } = heads(-1, 0, 1)
  assert.throws(() => composeOutcome(sampleInput(), others, none), /head od-now-p5/)
})

test('the attributions are the five largest parts of the forecast, in order', () => {
  const { attributions } = issued(sampleInput(), heads(-1, 0, 1))
  assert.equal(attributions.length, 5)
  const sizes = attributions.map(({ contribution }) => Math.abs(contribution))
  assert.deepEqual(
    sizes,
    sizes.toSorted((a, b) => b - a),
  )
  assert.equal(attributions[0]?.feature, 'inoculum and time')
})

test('the interval is stretched about its middle, which stays', () => {
  const outcome = issued(sampleInput(), heads(-1, 0, 2), calibrated({ lower: 0, upper: 0 }, 1.5))
  const half = outcome.horizons.find(({ horizon }) => horizon === 'PT30M')
  close(half?.p5, 11 * Math.exp(0.12 - 0.015))
  close(half?.p50, 11 * Math.exp(0.12))
  close(half?.p95, 11 * Math.exp(0.12 + 0.03))
  close(outcome.depletionMinutes?.p95, 312)
})

test('a probe gain that few batches have widens the forecast, not the soft sensor', () => {
  const features = new Float32Array(featureNames.length)
  features[featureNames.indexOf('lnOdGain')] = -0.045
  const widths = (input: ForecastInput) =>
    issued(input, heads(-1, 0, 1)).horizons.map(({ p5, p95 }) => Math.log(p95 / p5))
  const [plain, doubted] = [widths(sampleInput()), widths(sampleInput({ features }))]
  close(doubted[0], plain[0] ?? Number.NaN)
  assert.ok(
    doubted.slice(1).every((width, index) => Math.abs(width / (plain[index + 1] ?? Number.NaN) - 2) < 1e-6),
  )
})
