import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hampel } from './cleaning-rules.ts'
import { outlierTest } from './outlier-test.ts'

const exact = { absolute: 0, relative: 0 }

/** 9, 10, 11 in turn: median 10, MAD 1. */
const waver = (second: number): number => 9 + (second % 3)

function warmed(width = exact): { test: (value: number) => number } {
  const judge = outlierTest(width)
  let second = 0
  for (; second < 300; second++) judge(second * 1000, waver(second))
  return {
    test: (value) => judge(second++ * 1000, value),
  }
}

test('a value beyond 3 × 1.4826 × MAD of the trailing median is replaced by that limit', () => {
  const { test: judge } = warmed()
  assert.equal(judge(10 + hampel.scale - 1e-9), 10 + hampel.scale - 1e-9)
  assert.ok(Math.abs(judge(1000) - (10 + 3 * 1.4826)) < 1e-9)
  const low = judge(-1000)
  assert.ok(low > 5 && low < 6, String(low))
})

test('a cluster of outliers does not mask itself', () => {
  const { test: judge } = warmed()
  for (let nth = 0; nth < hampel.stepAfter - 1; nth++) assert.ok(judge(500) < 20, `outlier ${nth}`)
  assert.equal(judge(10), 10)
})

test('fifteen in a row on one side are a step of the process and are followed from then on', () => {
  const { test: judge } = warmed({ absolute: 2, relative: 0 })
  for (let nth = 0; nth < hampel.stepAfter - 1; nth++) judge(50 + (nth % 2))
  for (let nth = 0; nth < 30; nth++) assert.equal(judge(50 + (nth % 2)), 50 + (nth % 2))
})

test('one outlier on the other side breaks the row', () => {
  const { test: judge } = warmed({ absolute: 2, relative: 0 })
  for (const side of [500, -500, 500])
    for (let nth = 0; nth < (side > 0 ? hampel.stepAfter - 1 : 1); nth++) assert.notEqual(judge(side), side)
})

test('outliers on alternating sides are never taken for a step', () => {
  const { test: judge } = warmed()
  for (let nth = 0; nth < 40; nth++) {
    const value = judge(nth % 2 === 0 ? 500 : -500)
    assert.ok(Math.abs(value - 10) < 8, String(value))
  }
})

test('on a quiet signal nothing within the quiet width is an outlier', () => {
  const judge = outlierTest({ absolute: 0.1, relative: 0 })
  for (let second = 0; second < 60; second++) assert.equal(judge(second * 1000, 30), 30)
  assert.equal(judge(60_000, 30.09), 30.09)
  assert.equal(judge(61_000, 30.5), 30.1)
})

test('too few readings are no ground for a verdict, nor are those from before a minute of silence', () => {
  const judge = outlierTest(exact)
  for (let nth = 0; nth < hampel.fewest; nth++) assert.equal(judge(nth * 1000, nth * nth), nth * nth)
  const later = outlierTest(exact)
  for (let second = 0; second < 300; second++) later(second * 1000, waver(second))
  assert.ok(later(299_000 + hampel.restartAfterMs - 1, 777) < 20)
  assert.equal(later(299_000 + 2 * hampel.restartAfterMs, 777), 777)
})

test('exponential growth with the noise of a probe passes nearly untouched', () => {
  const judge = outlierTest({ absolute: 0.03, relative: 0.02 })
  let clipped = 0
  for (let second = 0; second < 7200; second++) {
    const value = 10 * Math.exp((0.26 * second) / 3600) * (1 + 0.01 * Math.sin(second * 12.9898) * 1.4)
    if (judge(second * 1000, value) !== value) clipped++
  }
  assert.equal(clipped, 0)
})
