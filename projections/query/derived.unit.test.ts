import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type DerivedPoint, reduceDerived } from './derived.ts'

const startMs = Date.parse('2026-11-20T08:00:00.000Z')
const pointsOf = (values: readonly (number | null)[]): DerivedPoint[] =>
  values.map((value, index) => ({
    at: new Date(startMs + index * 30_000).toISOString(),
    value,
    quality: value === null ? 'missing' : 'good',
    ...(value === null ? { reason: 'missing_input' } : {}),
    position: String(index + 1),
  }))
const valuesOf = (points: readonly DerivedPoint[]) => points.flatMap(({ value }) => value ?? [])
const histories = fc.array(fc.option(fc.double({ noNaN: true, min: -1, max: 1 }), { nil: null, freq: 4 }), {
  minLength: 1,
  maxLength: 200,
})

test('reduced to extremes, a series keeps its least and greatest value, its newest window, its order and its bound', () => {
  fc.assert(
    fc.property(histories, fc.integer({ min: 6, max: 60 }), (values, limit) => {
      const points = pointsOf(values)
      const reduction = reduceDerived(points, 'minmax', limit)
      assert.ok(reduction.points.length <= limit + 1)
      assert.equal(reduction.points.at(-1), points.at(-1))
      const times = reduction.points.map(({ at }) => at)
      assert.deepEqual(times, times.toSorted())
      assert.equal(new Set(times).size, times.length)
      if (valuesOf(points).length > 0) {
        assert.equal(Math.min(...valuesOf(reduction.points)), Math.min(...valuesOf(points)))
        assert.equal(Math.max(...valuesOf(reduction.points)), Math.max(...valuesOf(points)))
      }
    }),
  )
})

test('a mean lies between the least and the greatest value, and a slice without any keeps a reason', () => {
  fc.assert(
    fc.property(histories, fc.integer({ min: 4, max: 60 }), (values, limit) => {
      const points = pointsOf(values)
      const { points: means } = reduceDerived(points, 'mean', limit)
      const [low, high] = [Math.min(...valuesOf(points)), Math.max(...valuesOf(points))]
      for (const { value, reason } of means)
        if (value === null) assert.equal(reason, 'missing_input')
        else assert.ok(value >= low - 1e-12 && value <= high + 1e-12)
    }),
  )
})

test('a series that fits is left as it is', () => {
  const points = pointsOf([1, null, 2])
  assert.deepEqual(reduceDerived(points, 'minmax', 4), { reduced: false, bucketMs: null, points })
})
