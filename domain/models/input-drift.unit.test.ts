import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  binOf,
  binsOf,
  coarseBinsOf,
  driftPool,
  kullbackLeibler,
  type PhaseHistogram,
  populationStabilityIndex,
  type TrainingReference,
} from './input-drift.ts'
import { phaseHistograms } from './phase-histograms.ts'

const reference: TrainingReference = {
  bins: 5,
  phases: {
    lag: { features: { mu: { edges: [1, 2, 3, 4] }, constant: { edges: [0, 0, 0, 0] } } },
    exponential: { features: { mu: { edges: [10, 20, 30, 40] } } },
  },
}

test('quantile bins hold equal shares, and equal edges are one bin', () => {
  assert.deepEqual(binsOf([1, 2, 3], 4), { edges: [1, 2, 3], expected: [0.25, 0.25, 0.25, 0.25] })
  assert.deepEqual(binsOf([0, 0, 0], 4), { edges: [0], expected: [0.75, 0.25] })
  assert.deepEqual(binsOf([1, 1, 3], 4), { edges: [1, 3], expected: [0.5, 0.25, 0.25] })
})

test('a value stands in the first bin whose upper edge is not below it', () => {
  const bins = binsOf([1, 2, 3], 4)
  assert.deepEqual(
    [0, 1, 1.5, 3, 3.1, Number.POSITIVE_INFINITY].map((value) => binOf(bins, value)),
    [0, 0, 1, 2, 3, 3],
  )
})

test('divergence and stability index of two known distributions', () => {
  // Σ (p − q) ln(p/q) for 0.5/0.5 against 0.25/0.75: 0.25 ln 2 − 0.25 ln(2/3) = 0.25 ln 3
  assert.ok(Math.abs(populationStabilityIndex([0.5, 0.5], [0.25, 0.75]) - 0.25 * Math.log(3)) < 1e-12)
  assert.ok(Math.abs(kullbackLeibler([0.5, 0.5], [0.25, 0.75]) - 0.5 * Math.log(4 / 3)) < 1e-12)
  assert.equal(kullbackLeibler([0.25, 0.75], [0.25, 0.75]), 0)
})

test('the stability index is symmetric and never negative', () => {
  const shares = fc
    .array(fc.integer({ min: 0, max: 100 }), { minLength: 4, maxLength: 4 })
    .filter((counts) => counts.some((count) => count > 0))
    .map((counts) => counts.map((count) => count / counts.reduce((a, b) => a + b)))
  fc.assert(
    fc.property(shares, shares, (p, q) => {
      const psi = populationStabilityIndex(p, q)
      assert.ok(psi >= 0)
      assert.ok(Math.abs(psi - populationStabilityIndex(q, p)) < 1e-9)
    }),
  )
})

const histogram = (counts: readonly number[]): PhaseHistogram => ({
  phase: 'lag',
  windows: counts.reduce((a, b) => a + b),
  counts: new Map([['mu', counts]]),
})

test('bins of the training data are joined to fifths', () => {
  const twentieths = Array.from({ length: 19 }, (_, index) => index + 1)
  assert.deepEqual(coarseBinsOf(twentieths, 20).edges, [4, 8, 12, 16])
})

test('drift is judged over at least twenty complete phases', () => {
  const pool = driftPool(reference)
  for (let batch = 0; batch < 19; batch++) pool.add(histogram([20, 20, 20, 20, 20]))
  assert.deepEqual(pool.judge(), [])
  pool.add(histogram([20, 20, 20, 20, 20]))
  assert.equal(pool.judge().find(({ feature }) => feature === 'mu')?.colour, 'green')
})

test('a feature that is constant within a batch does not drift by being spread over few batches', () => {
  // Seeded: 200 pools of 20 batches, each batch in one bin of five drawn at random.
  let state = 1
  const draw = (): number => {
    state = (state * 48_271) % 2_147_483_647
    return state % 5
  }
  let alarms = 0
  for (let trial = 0; trial < 200; trial++) {
    const pool = driftPool(reference)
    for (let batch = 0; batch < 20; batch++) {
      const bin = draw()
      pool.add(histogram([0, 0, 0, 0, 0].map((_, index) => (index === bin ? 100 : 0))))
    }
    if (pool.judge().some(({ feature, colour }) => feature === 'mu' && colour === 'red')) alarms++
  }
  assert.ok(alarms <= 20, `${alarms} of 200`)
})

test('inputs that left the trained distribution are amber, then red', () => {
  const amber = driftPool(reference)
  const red = driftPool(reference)
  for (let batch = 0; batch < 40; batch++) {
    amber.add(histogram([45, 25, 14, 8, 8]))
    red.add(histogram([80, 5, 5, 5, 5]))
  }
  assert.equal(amber.judge().find(({ feature }) => feature === 'mu')?.colour, 'amber')
  assert.equal(red.judge().find(({ feature }) => feature === 'mu')?.colour, 'red')
})

test('a phase counts when it was seen from its beginning to its end', () => {
  const values: Record<string, number> = { mu: 1.5 }
  const featureValue = (feature: string): number => values[feature] ?? Number.NaN
  const seen = phaseHistograms(reference, ['mu', 'constant'])
  assert.equal(seen.add({ phase: 'lag', isFirst: true }, featureValue), undefined)
  assert.equal(seen.add({ phase: 'lag', isFirst: false }, featureValue), undefined)
  const lag = seen.add({ phase: 'exponential', isFirst: false }, featureValue)
  assert.equal(lag?.phase, 'lag')
  assert.equal(lag?.windows, 2)
  assert.deepEqual(lag?.counts.get('mu'), [0, 2, 0, 0, 0])
  assert.deepEqual(lag?.counts.get('constant'), [0, 0])
  assert.equal(seen.end()?.phase, 'exponential')

  const late = phaseHistograms(reference, ['mu'])
  late.add({ phase: 'lag', isFirst: false }, featureValue)
  assert.equal(late.add({ phase: 'exponential', isFirst: false }, featureValue), undefined)
  assert.equal(late.end()?.phase, 'exponential')
})
