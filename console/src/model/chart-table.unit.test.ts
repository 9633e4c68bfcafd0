import assert from 'node:assert/strict'
import test from 'node:test'
import { absencesOf, shownAt, shownWords, summarySentence, tableRows } from './chart-table.ts'
import type { Point } from './series-merge.ts'

const points: Point[] = [
  { at: 0, value: 5, quality: 'good' },
  { at: 60_000, value: 7.25, quality: 'good' },
  { at: 90_000, value: -999, quality: 'bad' },
  { at: 120_000, value: 6, quality: 'good' },
]
const whole = { points, bucketMs: null }
const one = (value: number) => ({ kind: 'value' as const, low: value, high: value })
const none = (reason?: string) => ({ kind: 'none' as const, reason })

test('a chart is summed up in one sentence that leaves bad values out and says so', () => {
  assert.equal(
    summarySentence('pH', 'pH', 2, whole),
    'pH: 5.00 at the start, 6.00 pH at the end; between 5.00 and 7.25 over 0:02:00. 1 bad value is marked.',
  )
  assert.equal(
    summarySentence('pH', 'pH', 2, { points: [], bucketMs: null }),
    'pH: no usable value in this range.',
  )
})

test('of a reduced series no extreme is passed off as its first or last value', () => {
  assert.equal(
    summarySentence('pH', 'pH', 2, { points, bucketMs: 60_000 }),
    'pH: between 5.00 and 7.25 pH over 0:02:00. 1 bad value is marked.',
  )
})

test('a row holds the newest usable value before it, not one from beyond a gap', () => {
  assert.deepEqual(shownAt(whole, 95_000, 60_000), one(7.25))
  assert.deepEqual(shownAt(whole, 55_000, 60_000), one(5))
  assert.deepEqual(shownAt(whole, 500_000, 60_000), none())
  assert.deepEqual(shownAt(whole, -1, 60_000), none())
  assert.deepEqual(shownAt(whole, Infinity, Infinity), one(6))
})

test('where a series is reduced, a row holds the range of the slice, not one of its extremes', () => {
  const reduced: Point[] = [
    { at: 1_000, value: 4.9, quality: 'good' },
    { at: 21_000, value: 5.1, quality: 'good' },
    { at: 31_000, value: 5.3, quality: 'good' },
    { at: 52_000, value: 5, quality: 'good' },
  ]
  const line = { points: reduced, bucketMs: 30_000 }
  assert.deepEqual(shownAt(line, 25_000, 60_000), { kind: 'value', low: 4.9, high: 5.1 })
  assert.deepEqual(shownAt(line, 31_000, 60_000), { kind: 'value', low: 5, high: 5.3 })
  assert.equal(shownWords(shownAt(line, 31_000, 60_000), 1), '5.0 … 5.3')
  assert.equal(shownWords(shownAt(line, 31_000, 60_000), 0), '5')
})

test('a window without a value says why, and no older value stands in for it', () => {
  const derived: Point[] = [
    { at: 0, value: 0.9, quality: 'good' },
    { at: 30_000, value: Number.NaN, quality: 'missing', reason: 'low_signal' },
    { at: 60_000, value: Number.NaN, quality: 'missing', reason: 'low_signal' },
    { at: 90_000, value: Number.NaN, quality: 'missing', reason: 'missing_input' },
    { at: 120_000, value: 1, quality: 'good' },
    { at: 150_000, value: Number.NaN, quality: 'missing', reason: 'missing_input' },
  ]
  assert.deepEqual(shownAt({ points: derived, bucketMs: null }, 40_000, 60_000), none('low_signal'))
  assert.deepEqual(absencesOf(derived), [
    { from: 30_000, to: 60_000, reason: 'low_signal' },
    { from: 90_000, to: 90_000, reason: 'missing_input' },
    { from: 150_000, to: 150_000, reason: 'missing_input' },
  ])
})

test('the table covers the range in even steps up to its last instant', () => {
  assert.deepEqual(tableRows([whole], 0, 120_000, 2), [
    { at: 60_000, values: [one(7.25)] },
    { at: 120_000, values: [one(6)] },
  ])
})
