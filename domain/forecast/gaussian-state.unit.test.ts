import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { gaussianState } from './gaussian-state.ts'

const near = (found: number, expected: number, tolerance = 1e-9): void =>
  assert.ok(
    Math.abs(found - expected) <= tolerance * Math.max(1, Math.abs(expected)),
    `${found}, expected ${expected}`,
  )

test('one measurement of one unknown gives the precision-weighted mean', () => {
  const state = gaussianState([1], [[4]])
  const normalised = state.measure(3, [[0, 1]], 1)
  near(normalised, 3 / Math.sqrt(5))
  near(state.mean[0] ?? Number.NaN, 1 + (4 / 5) * 3)
  near(state.sd(0) ** 2, 4 / 5)
})

test('measurements in any order give the same belief', () => {
  const measurement = fc.record({
    weights: fc.tuple(
      fc.double({ min: -2, max: 2, noNaN: true }),
      fc.double({ min: -2, max: 2, noNaN: true }),
    ),
    value: fc.double({ min: -0.5, max: 0.5, noNaN: true }),
    variance: fc.double({ min: 0.5, max: 2, noNaN: true }),
  })
  const begin = () =>
    gaussianState(
      [0, 0],
      [
        [1, 0.3],
        [0.3, 2],
      ],
    )
  const see = (
    state: ReturnType<typeof begin>,
    { weights, value, variance }: { weights: [number, number]; value: number; variance: number },
  ) => {
    const expected = weights[0] * (state.mean[0] ?? 0) + weights[1] * (state.mean[1] ?? 0)
    state.measure(
      value - expected,
      [
        [0, weights[0]],
        [1, weights[1]],
      ],
      variance,
    )
  }
  fc.assert(
    fc.property(measurement, measurement, (a, b) => {
      const [one, other] = [begin(), begin()]
      see(one, a)
      see(one, b)
      see(other, b)
      see(other, a)
      for (const index of [0, 1]) near(one.mean[index] ?? Number.NaN, other.mean[index] ?? Number.NaN, 1e-7)
      for (const index of [0, 1, 2, 3])
        near(one.covariance[index] ?? Number.NaN, other.covariance[index] ?? Number.NaN, 1e-7)
    }),
  )
})

test('a move carries the covariance as F P Fᵀ', () => {
  const state = gaussianState(
    [0, 0],
    [
      [1, 0.5],
      [0.5, 2],
    ],
  )
  state.move([
    {
      index: 0,
      row: [
        [0, 2],
        [1, 3],
      ],
    },
  ])
  // F = [[2, 3], [0, 1]]
  assert.deepEqual([...state.covariance], [4 + 2 * 6 * 0.5 + 18, 1 + 6, 1 + 6, 2])
})

test('two rows that move together keep their covariance', () => {
  const state = gaussianState(
    [0, 0],
    [
      [1, 0.5],
      [0.5, 2],
    ],
  )
  state.move([
    {
      index: 0,
      row: [
        [0, 1],
        [1, 1],
      ],
    },
    {
      index: 1,
      row: [
        [0, 1],
        [1, -1],
      ],
    },
  ])
  assert.deepEqual([...state.covariance], [4, -1, -1, 2])
})

test('an outlier moves the state no further than four standard deviations would', () => {
  const [far, limit] = [gaussianState([0], [[1]]), gaussianState([0], [[1]])]
  far.measure(1000, [[0, 1]], 1)
  const atLimit = 4 * Math.sqrt(2)
  limit.measure(atLimit, [[0, 1]], 1)
  assert.ok((far.mean[0] ?? 0) <= (limit.mean[0] ?? 0) + 1e-9)
})
