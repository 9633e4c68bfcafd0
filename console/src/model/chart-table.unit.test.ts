import assert from 'node:assert/strict'
import test from 'node:test'
import { summarySentence, tableRows, valueAt } from './chart-table.ts'
import type { Point } from './series-merge.ts'

const points: Point[] = [
  { at: 0, value: 5, quality: 'good' },
  { at: 60_000, value: 7.25, quality: 'good' },
  { at: 90_000, value: -999, quality: 'bad' },
  { at: 120_000, value: 6, quality: 'good' },
]

test('a chart is summed up in one sentence that leaves bad values out and says so', () => {
  assert.equal(
    summarySentence('pH', 'pH', 2, points),
    'pH: 5.00 at the start, 6.00 pH at the end; between 5.00 and 7.25 over 0:02:00. 1 bad value is marked.',
  )
  assert.equal(summarySentence('pH', 'pH', 2, []), 'pH: no usable value in this range.')
})

test('a row holds the newest usable value before it, not one from beyond a gap', () => {
  assert.equal(valueAt(points, 95_000, 60_000), 7.25)
  assert.equal(valueAt(points, 55_000, 60_000), 5)
  assert.equal(valueAt(points, 500_000, 60_000), undefined)
  assert.equal(valueAt(points, -1, 60_000), undefined)
  assert.equal(valueAt(points, Infinity, Infinity), 6)
})

test('the table covers the range in even steps up to its last instant', () => {
  assert.deepEqual(tableRows([points], 0, 120_000, 2), [
    { at: 60_000, values: [7.25] },
    { at: 120_000, values: [6] },
  ])
})
