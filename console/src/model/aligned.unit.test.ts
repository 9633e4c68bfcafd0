import assert from 'node:assert/strict'
import test from 'node:test'
import { align, gapsOf, gapThresholdMs } from './aligned.ts'
import type { Point } from './series-merge.ts'

const points = (...times: number[]): Point[] => times.map((at) => ({ at, value: at, quality: 'good' }))

test('tags with points at different times share one axis without breaking their lines', () => {
  const { times, columns } = align([
    { points: points(0, 2000), gapMs: 5000, gaps: [] },
    { points: points(1000), gapMs: 5000, gaps: [] },
  ])
  assert.deepEqual(times, [0, 1000, 2000])
  assert.deepEqual(columns, [
    [0, undefined, 2000],
    [undefined, 1000, undefined],
  ])
})

test('a silence longer than the threshold is drawn as a gap', () => {
  const { times, columns } = align([{ points: points(0, 1000, 9000), gapMs: 5000, gaps: [] }])
  assert.deepEqual(times, [0, 1000, 1001, 9000])
  assert.deepEqual(columns[0], [0, 1000, null, 9000])
})

test('a gap is a gap all through, also at the times of other tags', () => {
  const { times, columns } = align([
    { points: points(0, 10_000), gapMs: 5000, gaps: [] },
    { points: points(2000, 4000, 8000, 12_000), gapMs: 5000, gaps: [] },
  ])
  assert.deepEqual(times, [0, 1, 2000, 4000, 8000, 10_000, 12_000])
  assert.deepEqual(columns[0], [0, null, null, null, null, 10_000, undefined])
})

test('a recorded gap is drawn even where reduction would bridge it', () => {
  const line = { points: points(0, 40_000), gapMs: 90_000, gaps: [{ from: 1000, to: 31_000 }] }
  assert.deepEqual(align([line]).columns[0], [0, null, 40_000])
})

test('a bad value leaves the line and is marked; an uncertain one stays and is marked', () => {
  const { columns, marks } = align([
    {
      points: [
        { at: 0, value: 5, quality: 'good' },
        { at: 1000, value: -999, quality: 'bad' },
        { at: 2000, value: 6, quality: 'uncertain' },
      ],
      gapMs: 5000,
      gaps: [],
    },
  ])
  assert.deepEqual(columns[0], [5, null, 6])
  assert.deepEqual(
    marks[0]?.map((mark) => mark.quality),
    ['bad', 'uncertain'],
  )
})

test('two readings of one instant break nothing', () => {
  assert.deepEqual(align([{ points: points(0, 0, 1000), gapMs: 5000, gaps: [] }]).times, [0, 1000])
})

test('the threshold follows cadence and bucket', () => {
  assert.equal(gapThresholdMs('pH', null), 5000)
  assert.equal(gapThresholdMs('Weight', null), 50_000)
  assert.equal(gapThresholdMs('pH', 100), 220_000)
})

test('a gap that is still open reaches to now', () => {
  const gap = { tag: 'pH', from: '2026-11-21T12:00:00.000Z', to: null, missing: null, position: '1' }
  assert.deepEqual(gapsOf('pH', [gap, { ...gap, tag: 'DO' }], 99), [{ from: Date.parse(gap.from), to: 99 }])
})

test('a window without a value breaks the line and is no mark', () => {
  const { columns, marks } = align([
    {
      points: [
        { at: 0, value: 1, quality: 'good' },
        { at: 30_000, value: Number.NaN, quality: 'missing', reason: 'low_signal' },
        { at: 60_000, value: 2, quality: 'good' },
      ],
      gapMs: 150_000,
      gaps: [],
    },
  ])
  assert.deepEqual(columns[0], [1, null, 2])
  assert.deepEqual(marks, [[]])
})
