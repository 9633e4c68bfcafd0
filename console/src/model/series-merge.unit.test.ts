import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import {
  derivedKey,
  derivedTag,
  fromAnswer,
  fromDerived,
  type LivePoint,
  liveDerivedByTag,
  livePointsByTag,
  mergePoints,
  tailAfter,
  thinTail,
} from './series-merge.ts'

const live = (
  at: number,
  value: number,
  position: number,
  quality: LivePoint['quality'] = 'good',
): LivePoint => ({
  at,
  value,
  quality,
  position: BigInt(position),
})

test('a live frame that the fetched series already holds is not drawn twice', () => {
  const tail = [live(1000, 1, 10), live(2000, 2, 11), live(3000, 3, 12)]
  assert.deepEqual(tailAfter(tail, 11n), [tail[2]])
})

test('positions beyond 2^53 are told apart', () => {
  const [points] = livePointsByTag({
    position: '9007199254740993',
    readings: [{ tag: 'pH', at: '2026-11-21T12:00:00.000Z', value: 5, quality: 'good', unit: '[pH]' }],
  }).values()
  assert.equal(tailAfter(points ?? [], 9007199254740992n).length, 1)
  assert.equal(tailAfter(points ?? [], 9007199254740993n).length, 0)
})

test('a late reading is drawn at its own time, between what was fetched', () => {
  const base = [0, 1000, 3000].map((at) => ({ at, value: at, quality: 'good' as const }))
  const merged = mergePoints(base, [live(4000, 4, 2), live(2000, 2, 3)])
  assert.deepEqual(
    merged.map((point) => point.at),
    [0, 1000, 2000, 3000, 4000],
  )
})

test('merging loses nothing, doubles nothing and is in time order', () => {
  const times = fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 30 })
  fc.assert(
    fc.property(times, times, (one, other) => {
      const base = one.toSorted((a, b) => a - b).map((at) => ({ at, value: 0, quality: 'good' as const }))
      const merged = mergePoints(
        base,
        other.map((at, index) => live(at, 1, index)),
      ).map((point) => point.at)
      assert.deepEqual(
        merged,
        [...one, ...other].toSorted((a, b) => a - b),
      )
    }),
  )
})

test('a thinned tail keeps every extreme, every value that is not good, and the newest point', () => {
  const tail = Array.from({ length: 100 }, (_, index) => live(index * 1000, index % 7, index))
  const spike = live(50_500, 99, 100)
  const bad = live(51_000, -5, 101, 'bad')
  const newest = live(99_500, 3, 102)
  const thin = thinTail([...tail, spike, bad, newest], 10_000)
  assert.ok(thin.includes(spike) && thin.includes(bad) && thin.includes(newest))
  assert.ok(thin.length < 30)
})

test('a series that was not reduced says so by having no bucket', () => {
  const answer = {
    tag: 'pH',
    unit: '[pH]',
    reduced: false,
    reduce: 'minmax' as const,
    bucketSeconds: 2,
    sourceCount: 0,
    points: [],
    asOf: { position: '7', recordedAt: null },
  }
  assert.equal(fromAnswer(answer).bucketSeconds, null)
  assert.equal(fromAnswer({ ...answer, reduced: true }).bucketSeconds, 2)
})

const at = (second: number) => new Date(second * 1000).toISOString()

test('a derived value is shown in its display unit; a window without one keeps its reason', () => {
  const series = fromDerived({
    key: 'CER',
    label: 'Carbon dioxide evolution rate',
    unit: 'mol/L/h',
    displayUnit: 'mmol/L/h',
    displayFactor: 1000,
    decimals: 2,
    reduced: false,
    reduce: 'minmax',
    bucketSeconds: null,
    sourceCount: 2,
    points: [
      { at: at(30), value: 0.0125, quality: 'good', position: '3' },
      { at: at(60), value: null, quality: 'missing', reason: 'missing_input', position: '4' },
    ],
    asOf: { position: '4', recordedAt: at(61) },
  })
  assert.equal(series.tag, derivedTag('CER'))
  assert.equal(series.unit, 'mmol/L/h')
  assert.deepEqual(series.points[0], { at: 30_000, value: 12.5, quality: 'good' })
  assert.deepEqual([series.points[1]?.quality, series.points[1]?.reason], ['missing', 'missing_input'])
})

test('live windows go to the lines that were asked for, in the unit these are shown in', () => {
  const byTag = liveDerivedByTag(
    {
      position: '9',
      windows: [
        {
          at: at(90),
          phase: 'lag',
          derived: { CER: { value: 0.5 }, RQ: { value: null, reason: 'low_signal' }, volume: { value: 1 } },
          position: '8',
        },
      ],
    },
    new Map([
      [derivedTag('CER'), 1000],
      [derivedTag('RQ'), 1],
    ]),
  )
  assert.deepEqual([...byTag.keys()].map(derivedKey), ['CER', 'RQ'])
  assert.equal(byTag.get(derivedTag('CER'))?.[0]?.value, 500)
  assert.equal(byTag.get(derivedTag('CER'))?.[0]?.position, 8n)
  assert.equal(byTag.get(derivedTag('RQ'))?.[0]?.reason, 'low_signal')
})
