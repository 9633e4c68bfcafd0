import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Measurement, median, percentile, ratioOf, tableOf } from './report.ts'

const line = (figure: number, target?: Measurement['target']): Measurement => ({
  name: 'line',
  figure,
  unit: 'ms',
  ...(target ? { target } : {}),
})

test('a percentile is the sample of the nearest rank, whatever the order of the samples', () => {
  const samples = Array.from({ length: 100 }, (_, index) => 100 - index)
  assert.equal(percentile(samples, 0.95), 95)
  assert.equal(percentile(samples, 0.99), 99)
  assert.equal(percentile(samples, 1), 100)
  assert.equal(median([3, 1, 2]), 2)
  assert.equal(percentile([7], 0.5), 7)
  assert.throws(() => percentile([], 0.5), /no samples/)
})

test('a ratio of 1 or more means that the target is reached, for floors and for ceilings', () => {
  assert.equal(ratioOf(line(30, { atLeast: 20 })), 1.5)
  assert.equal(ratioOf(line(50, { atMost: 100 })), 2)
  assert.equal(ratioOf(line(200, { atMost: 100 })), 0.5)
  assert.equal(ratioOf(line(5)), undefined)
})

test('a ceiling of nothing is reached by nothing and missed by anything', () => {
  assert.equal(ratioOf(line(0, { atMost: 0 })), 1)
  assert.equal(ratioOf(line(1, { atMost: 0 })), 0)
})

test('the table marks what missed its target and keeps its columns aligned', () => {
  const table = tableOf([line(12_345.6, { atLeast: 20_000 }), line(0.5), line(99, { atMost: 100 })])
  const rows = table.split('\n')
  assert.equal(rows.length, 5)
  assert.match(rows[2] ?? '', /12,346 ms .*≥ 20,000 .*0\.62 ✗/)
  assert.match(rows[3] ?? '', /0\.50 ms .*– .*–/)
  assert.match(rows[4] ?? '', /≤ 100 .*1\.01 /)
  assert.doesNotMatch(rows[4] ?? '', /✗/)
  assert.equal(new Set(rows.map((row) => row.length)).size, 1)
})
