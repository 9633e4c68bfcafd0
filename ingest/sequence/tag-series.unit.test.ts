import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { findTag, type TagDefinition } from '../../schemas/tags.ts'
import { type Gap, type TagSeries, tagSeries } from './tag-series.ts'

const definition = (tag: string): TagDefinition => {
  const found = findTag(tag)
  assert.ok(found)
  return found
}
const start = Date.UTC(2026, 10, 21)

/** Readings at these seconds, each arriving as it is made. */
function feed(series: TagSeries, seconds: readonly number[], lagMs = 0) {
  const gaps: Gap[] = []
  let outOfOrder = 0
  for (const second of seconds) {
    const atMs = start + second * 1000
    const seen = series.observe({ atMs, receivedAtMs: atMs + lagMs, isPossible: true, clockStepped: false })
    gaps.push(...seen.gaps)
    if (seen.isOutOfOrder) outOfOrder++
  }
  return { gaps, outOfOrder }
}
const steady = (count: number, interval = 1, from = 0) =>
  Array.from({ length: count }, (_, index) => from + index * interval)
const found = (gaps: readonly Gap[]) =>
  gaps.map(({ fromMs, toMs, missing }) => [(fromMs - start) / 1000, ((toMs ?? 0) - start) / 1000, missing])

test('five missing seconds of a 1-Hz tag are a gap, four are not', () => {
  assert.deepEqual(found(feed(tagSeries(definition('pH')), [...steady(20), 24]).gaps), [])
  assert.deepEqual(found(feed(tagSeries(definition('pH')), [...steady(20), 25]).gaps), [[19, 25, 5]])
})

test('a tag of a slower cadence is judged by its own', () => {
  const weight = () => tagSeries(definition('Weight'))
  assert.deepEqual(found(feed(weight(), [...steady(10, 10), 140]).gaps), [])
  assert.deepEqual(found(feed(weight(), [...steady(10, 10), 150]).gaps), [[90, 150, 5]])
})

test('a file with a row every 15 minutes has no gaps but where rows are missing', () => {
  const series = tagSeries(definition('Off_Gas_CO2'))
  assert.deepEqual(found(feed(series, steady(40, 900)).gaps), [])
  assert.deepEqual(found(feed(series, [39 * 900 + 6 * 900]).gaps), [[35_100, 40_500, 5]])
})

test('a gap among the first readings is found as soon as the interval is known', () => {
  const series = tagSeries(definition('pH'))
  assert.deepEqual(found(feed(series, [0, 1, 100, 101]).gaps), [])
  assert.deepEqual(found(feed(series, [102, 103]).gaps), [[1, 100, 98]])
})

test('readings in whatever order give as many gaps as the ordered ones with neighbours too far apart, at most', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 20, max: 200 }), { maxLength: 60 }), (seconds) => {
      const series = tagSeries(definition('pH'))
      feed(series, steady(20))
      const { gaps, outOfOrder } = feed(series, seconds)
      let newest = 19
      let expectedGaps = 0
      let expectedOutOfOrder = 0
      for (const second of seconds) {
        if (second < newest) expectedOutOfOrder++
        else {
          if (second - newest > 5) expectedGaps++
          newest = second
        }
      }
      assert.equal(outOfOrder, expectedOutOfOrder)
      assert.ok(gaps.length <= expectedGaps)
      for (const gap of gaps) assert.ok((gap.toMs ?? 0) - gap.fromMs > 5_000)
    }),
  )
})

test('a live source that falls silent opens one gap by our clock, closed by its next reading', () => {
  const series = tagSeries(definition('pH'))
  feed(series, steady(20), 300)
  const nineteen = start + 19_000 + 300
  assert.equal(series.silence(nineteen + 5_000), undefined)
  const opened = series.silence(nineteen + 5_001)
  assert.equal(opened?.fromMs, start + 19_000)
  assert.equal(opened?.toMs, undefined)
  assert.equal(series.silence(nineteen + 60_000), undefined, 'it is opened once')
  const { gaps } = feed(series, [100, 101, 102])
  assert.deepEqual(found(gaps), [[19, 100, 80]])
  assert.equal(gaps[0]?.wasDetected, true)
})

test('a source that sends old data is not missed by our clock', () => {
  const series = tagSeries(definition('pH'))
  feed(series, steady(20), 31_000)
  assert.equal(series.silence(start + 3_600_000), undefined)
})

test('an episode of impossible values raises once, and again after a minute of possible ones', () => {
  const series = tagSeries(definition('pH'))
  const alarms: number[] = []
  const impossible = new Set([10, 11, 40, 99, 100, 160, 161])
  for (let second = 0; second < 200; second++) {
    const atMs = start + second * 1000
    const seen = series.observe({
      atMs,
      receivedAtMs: atMs,
      isPossible: !impossible.has(second),
      clockStepped: false,
    })
    if (seen.raisesAlarm) alarms.push(second)
  }
  // 40 to 99: from 41 on 58 s of possible values; 100 to 160 likewise, one short of 60 s since the last impossible.
  assert.deepEqual(alarms, [10])
  const later = (second: number, isPossible: boolean) =>
    series.observe({
      atMs: start + second * 1000,
      receivedAtMs: start + second * 1000,
      isPossible,
      clockStepped: false,
    }).raisesAlarm
  assert.equal(later(220, true), false)
  assert.equal(later(221, true), false)
  assert.equal(later(222, false), true)
})

test('built again from its readings a series goes on as if nothing had happened', () => {
  const seconds = [...steady(30), 31, 33, 60, 61, 59, 62]
  const first = tagSeries(definition('pH'))
  feed(first, seconds)
  const again = tagSeries(definition('pH'))
  for (const second of seconds) {
    const atMs = start + second * 1000
    again.restore({ atMs, receivedAtMs: atMs, isPossible: true, clockStepped: false })
  }
  assert.deepEqual(feed(again, [63, 62, 90]), feed(first, [63, 62, 90]))
})
