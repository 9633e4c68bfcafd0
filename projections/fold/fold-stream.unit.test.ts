import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { RecordedEvent } from '../../schemas/event.ts'
import {
  batchCreated,
  batchIds,
  gapClosed,
  gapDetected,
  histories,
  reading,
  recorded,
  testStartMs,
} from '../testing/histories.ts'
import { FoldError, foldStream, type LateWindows, lateWindowKey } from './fold-stream.ts'
import {
  newStream,
  type StreamRows,
  type StreamState,
  seriesKey,
  type WindowVersion,
} from './stream-state.ts'
import { standardDeviation, windowQuality, windowStart } from './window.ts'

const batchId = batchIds[0]
const stream = `reading-${batchId}`

/** Folds page after page; closed windows of earlier pages are at hand as the tables would give them. */
function foldInPages(events: readonly RecordedEvent[], cuts: readonly number[]) {
  let state: StreamState = newStream(events[0]?.stream ?? stream)
  const closed = new Map<string, WindowVersion['statistics']>()
  const rows: StreamRows[] = []
  let start = 0
  for (const end of [...cuts, events.length]) {
    const late: LateWindows = new Map(closed)
    const folded = foldStream(state, events.slice(start, end), late)
    state = folded.state
    rows.push(folded.rows)
    for (const window of folded.rows.windows)
      closed.set(lateWindowKey(window.series, window.start), window.statistics)
    start = end
  }
  return {
    state,
    batches: rows.flatMap((page) => page.batches),
    gaps: rows.flatMap((page) => page.gaps),
    timeline: rows.flatMap((page) => page.timeline),
    quarantine: rows.flatMap((page) => page.quarantine),
    statements: rows.flatMap((page) => page.statements),
    windows: rows.flatMap((page) => page.windows),
    forecasts: rows.flatMap((page) => page.forecasts),
    scores: rows.flatMap((page) => page.scores),
    derivedWindows: rows.flatMap((page) => page.derivedWindows),
    samples: rows.flatMap((page) => page.samples),
    points: rows
      .flatMap((page) =>
        [...page.points].flatMap(([key, points]) =>
          points.position.map((position, index) => ({
            key,
            position,
            at: points.at[index],
            value: points.value[index],
            mark: points.mark[index],
          })),
        ),
      )
      .sort((one, other) => (one.position < other.position ? -1 : 1)),
  }
}

test('how a stream is cut into pages changes neither rows nor state', () => {
  fc.assert(
    fc.property(histories(120), fc.array(fc.nat(120), { maxLength: 8 }), (history, at) => {
      const events = recorded(history)
      for (const name of new Set(events.map((event) => event.stream))) {
        const ofStream = events.filter((event) => event.stream === name)
        const cuts = [...new Set(at.map((cut) => Math.min(cut, ofStream.length)))].sort(
          (one, other) => one - other,
        )
        assert.deepEqual(foldInPages(ofStream, cuts), foldInPages(ofStream, []))
      }
    }),
    { numRuns: 200 },
  )
})

test('a closed window says what its readings say, after every late reading', () => {
  fc.assert(
    fc.property(histories(150), (history) => {
      const events = recorded(history).filter((event) => event.stream === stream)
      if (events.length === 0) return
      for (const version of foldInPages(events, []).windows) {
        const values = events
          .filter(
            (event) =>
              event.type === 'SensorReadingRecorded' &&
              event.position <= version.knownFrom &&
              seriesKey(String(event.data.tag), String(event.data.unit)) === version.series &&
              windowStart(Date.parse(event.occurredAt)) === version.start,
          )
          .filter((event) => event.data.quality !== 'bad')
          .map((event) => Number(event.data.value))
        assert.equal(version.statistics.usable, values.length)
        if (values.length === 0) continue
        const mean = values.reduce((sum, value) => sum + value, 0) / values.length
        assert.ok(Math.abs(version.statistics.mean - mean) < 1e-9)
        assert.equal(version.statistics.min, Math.min(...values))
        assert.equal(version.statistics.max, Math.max(...values))
        const sd = standardDeviation(version.statistics)
        if (values.length > 1)
          assert.ok(
            Math.abs(
              (sd ?? Number.NaN) -
                Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)),
            ) < 1e-6,
          )
      }
    }),
    { numRuns: 200 },
  )
})

test('a window closes with the first reading at or past its end, and not before', () => {
  const at = (second: number, value: number) => reading(batchId, 'pH', testStartMs + second * 1_000, value)
  const rows = foldInPages(recorded([at(0, 5), at(29.999, 6), at(30, 7), at(10, 8)]), [])
  assert.deepEqual(
    rows.windows.map((window) => [
      window.start - testStartMs,
      window.knownFrom,
      window.statistics.usable,
      window.statistics.max,
    ]),
    [
      [0, 3n, 2, 6],
      [0, 4n, 3, 8],
    ],
  )
})

test('quality of a window: 27 of 30 are complete, 14 of 30 are sparse, 15 are partial', () => {
  assert.equal(windowQuality(27, 1), 'complete')
  assert.equal(windowQuality(26, 1), 'partial')
  assert.equal(windowQuality(15, 1), 'partial')
  assert.equal(windowQuality(14, 1), 'sparse')
  assert.equal(windowQuality(3, 10), 'complete')
})

test('a gap that closes keeps the position of its detection', () => {
  const rows = foldInPages(
    recorded([
      gapDetected(batchId, 'pH', testStartMs),
      gapClosed(batchId, 'pH', testStartMs, testStartMs + 60_000),
    ]),
    [1],
  )
  assert.deepEqual(
    rows.gaps.map((gap) => [gap.openedPosition, gap.knownFrom, gap.to]),
    [
      [1n, 1n, null],
      [1n, 2n, new Date(testStartMs + 60_000).toISOString()],
    ],
  )
})

test('an event of an unknown type, of a newer version or with other content than its type allows is named, not skipped', () => {
  const [good] = recorded([reading(batchId, 'pH', testStartMs, 5)])
  assert.ok(good)
  for (const bad of [
    { ...good, type: 'SomethingNew' },
    { ...good, schemaVersion: 2 },
    { ...good, data: { ...good.data, value: 'five' } },
    { ...good, data: { ...good.data, quality: 'excellent' } },
    { ...good, revision: 5n },
  ])
    assert.throws(
      () => foldStream(newStream(stream), [bad], new Map()),
      (error) => error instanceof FoldError && error.event.id === good.id && error.index === 0,
    )
})

test('a batch stream that does not begin with its creation is refused', () => {
  const [created, second] = recorded([batchCreated(batchId), batchCreated(batchId)])
  assert.ok(created && second)
  assert.throws(
    () =>
      foldStream(
        newStream(created.stream),
        [
          {
            ...second,
            type: 'BatchInoculated',
            revision: 0n,
            data: { batchId, goDecision: true, lateEntry: false },
          },
        ],
        new Map(),
      ),
    FoldError,
  )
})
