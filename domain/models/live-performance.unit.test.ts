import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { coversWithAssayError, widenedByAssayError } from './assay-error.ts'
import { binomialAtMost, judgeLivePerformance, type LiveScore } from './live-performance.ts'

test('the binomial tail is that of the tables', () => {
  // P(X ≤ 14) and P(X = 0) for n = 20, p = 0.9
  assert.ok(Math.abs(binomialAtMost(14, 20, 0.9) - 0.01125313) < 1e-8)
  assert.ok(Math.abs(binomialAtMost(0, 20, 0.9) - 1e-20) < 1e-26)
  assert.equal(binomialAtMost(20, 20, 0.9), 1)
  assert.equal(binomialAtMost(-1, 20, 0.9), 0)
})

test('the binomial tail grows with k and ends at 1', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 400 }),
      fc.double({ min: 0.01, max: 0.99, noNaN: true }),
      (n, p) => {
        let last = 0
        for (let k = 0; k <= n; k++) {
          const now = binomialAtMost(k, n, p)
          assert.ok(now >= last - 1e-12 && now <= 1)
          last = now
        }
        assert.ok(Math.abs(last - 1) < 1e-9)
      },
    ),
    { numRuns: 50 },
  )
})

const scores = (count: number, covered: number, relativeError = 0.02): LiveScore[] =>
  Array.from({ length: count }, (_, index) => ({
    horizon: 'PT30M',
    relativeError,
    isCovered: index < covered,
  }))

test('few scores are not judged', () => {
  assert.equal(judgeLivePerformance(scores(19, 0))[0]?.colour, 'not-evaluated')
})

test('coverage is green near 90 %, amber below 5 % probability, red below 1 %', () => {
  assert.equal(judgeLivePerformance(scores(200, 180))[0]?.colour, 'green')
  assert.equal(judgeLivePerformance(scores(200, 172))[0]?.colour, 'amber')
  assert.equal(judgeLivePerformance(scores(200, 165))[0]?.colour, 'red')
})

test('a mean relative error above 10 % is red whatever the coverage', () => {
  const [judgement] = judgeLivePerformance(scores(20, 20, 0.11))
  assert.equal(judgement?.colour, 'red')
  assert.equal(judgement?.findings[0]?.rule, 'live-error')
})

test('only the newest scores of a horizon count', () => {
  const [judgement] = judgeLivePerformance([...scores(500, 0, 0.5), ...scores(200, 190)])
  assert.equal(judgement?.count, 200)
  assert.equal(judgement?.colour, 'green')
})

test('horizons share the probability of a false alarm', () => {
  const one = scores(200, 170)
  const both = [...one, ...one.map((score) => ({ ...score, horizon: 'PT2H' as const }))]
  assert.equal(judgeLivePerformance(one)[0]?.colour, 'amber')
  assert.ok(judgeLivePerformance(both).every(({ probability }) => probability > 0.01))
})

test('the assay widens an interval on both sides, by about 5 % in the bench range', () => {
  const wide = widenedByAssayError({ p5: 20, p50: 20, p95: 20 })
  assert.ok(wide.p5 > 18.9 && wide.p5 < 19.1 && wide.p95 > 20.9 && wide.p95 < 21.2)
  assert.ok(coversWithAssayError({ p5: 19.9, p50: 20, p95: 20.1 }, 20.9))
  assert.ok(!coversWithAssayError({ p5: 19.9, p50: 20, p95: 20.1 }, 22))
})

test('the widened interval holds the narrow one', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.01, max: 100, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (p50, down, up) => {
        const given = { p5: p50 * Math.exp(-down), p50, p95: p50 * Math.exp(up) }
        const wide = widenedByAssayError(given)
        assert.ok(wide.p5 <= given.p5 && wide.p95 >= given.p95)
      },
    ),
  )
})
