import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { trailingMedian } from './trailing-median.ts'

const medianOf = (values: readonly number[]): number => {
  const sorted = [...values].sort((left, right) => left - right)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}

test('median and MAD are those of the newest readings, sorted anew', () => {
  const value = fc.oneof(fc.double({ min: -100, max: 100, noNaN: true }), fc.integer({ min: -3, max: 3 }))
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 5000 }), value), { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 1, max: 20 }),
      (steps, capacity) => {
        const spanMs = 10_000
        const trailing = trailingMedian(capacity, spanMs)
        const all: { atMs: number; value: number }[] = []
        let atMs = 0
        for (const [stepMs, reading] of steps) {
          atMs += stepMs
          all.push({ atMs, value: reading })
          trailing.add(atMs, reading)
          const held = all
            .slice(-capacity)
            .filter((one) => atMs - one.atMs <= spanMs)
            .map((one) => one.value)
          assert.equal(trailing.count(), held.length)
          const median = medianOf(held)
          assert.ok(Math.abs(trailing.median() - median) < 1e-9)
          const deviation = medianOf(held.map((one) => Math.abs(one - trailing.median())))
          assert.ok(
            Math.abs(trailing.deviation(trailing.median()) - deviation) < 1e-9,
            `${trailing.deviation(median)} for ${deviation} of ${held}`,
          )
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('an empty window has no median', () => {
  const trailing = trailingMedian(3, 1000)
  assert.ok(Number.isNaN(trailing.median()) && Number.isNaN(trailing.deviation(0)))
})
