/** Reads back what the fold and the writer must remember of streams: after a start, or for a stream long silent. */
import type { Pool } from '../../infra/postgres/pool.ts'
import type { LateWindows } from '../fold/fold-stream.ts'
import { lateWindowKey } from '../fold/fold-stream.ts'
import {
  newStream,
  type OpenGap,
  type SeriesState,
  type StreamState,
  seriesKey,
} from '../fold/stream-state.ts'
import { addToWindow, emptyWindow, type WindowStatistics, windowStart } from '../fold/window.ts'
import { type BatchRow, batchColumns, batchOf } from './batch-row.ts'
import { isUsable, openPoints, type Point, pointAt } from './point-columns.ts'
import type { Tail } from './stream-write.ts'

export type LoadedStream = {
  readonly state: StreamState
  readonly tail: Tail
  readonly seriesIds: ReadonlyMap<string, number>
}

/** States of the streams that the tables know; others are new. */
export async function loadStreams(
  pool: Pool,
  streams: readonly string[],
): Promise<Map<string, LoadedStream>> {
  const loaded = new Map<string, LoadedStream>()
  const { rows } = await pool.query<{
    stream: string
    revision: bigint
    topics: string[]
    stored: bigint[]
    quarantined: bigint[]
    tail_frames: number
    tail_points: number
  }>(
    'SELECT stream, revision, topics, stored, quarantined, tail_frames, tail_points FROM stream_state WHERE stream = ANY($1::text[])',
    [streams],
  )
  if (rows.length === 0) return loaded
  const known = rows.map((row) => row.stream)
  const batches = await loadBatches(pool, known)
  const gaps = await loadOpenGaps(pool, known)
  const series = await loadSeries(pool, known)
  for (const row of rows)
    loaded.set(row.stream, {
      state: {
        ...newStream(row.stream),
        revision: row.revision,
        batch: batches.get(row.stream),
        series: new Map([...(series.get(row.stream) ?? [])].map(([key, entry]) => [key, entry.state])),
        openGaps: gaps.get(row.stream) ?? new Map(),
        counts: new Map(
          row.topics.map((topic, index) => [
            topic,
            { stored: Number(row.stored[index]), quarantined: Number(row.quarantined[index]) },
          ]),
        ),
      },
      tail: { frames: row.tail_frames, points: row.tail_points },
      seriesIds: new Map([...(series.get(row.stream) ?? [])].map(([key, entry]) => [key, entry.id])),
    })
  return loaded
}

/** The newest versions of closed windows, by stream and `lateWindowKey`. */
export async function loadWindows(
  pool: Pool,
  wanted: readonly { stream: string; series: string; id: number; start: number }[],
): Promise<ReadonlyMap<string, LateWindows>> {
  const found = new Map<string, Map<string, WindowStatistics>>()
  if (wanted.length === 0) return found
  const { rows } = await pool.query<{
    place: number
    usable: number
    total: number
    mean: number | null
    squares: number | null
    min: number | null
    max: number | null
  }>(
    `SELECT wanted.place::int4, newest.usable, newest.total, newest.mean, newest.squares, newest.min, newest.max
     FROM unnest($1::int4[], $2::timestamptz[]) WITH ORDINALITY AS wanted (series_id, from_at, place)
     CROSS JOIN LATERAL (SELECT * FROM reading_window AS closed
       WHERE closed.series_id = wanted.series_id AND closed.from_at = wanted.from_at
       ORDER BY closed.known_from DESC LIMIT 1) AS newest`,
    [wanted.map(({ id }) => id), wanted.map(({ start }) => new Date(start).toISOString())],
  )
  for (const row of rows) {
    const asked = wanted[row.place - 1]
    if (!asked) continue
    const windows = found.get(asked.stream) ?? new Map<string, WindowStatistics>()
    windows.set(lateWindowKey(asked.series, asked.start), {
      usable: row.usable,
      total: row.total,
      mean: row.mean ?? 0,
      squares: row.squares ?? 0,
      min: row.min ?? 0,
      max: row.max ?? 0,
    })
    found.set(asked.stream, windows)
  }
  return found
}

async function loadBatches(pool: Pool, streams: readonly string[]) {
  const { rows } = await pool.query<BatchRow>(
    `SELECT ${batchColumns} FROM batch WHERE upper_inf(known) AND batch_id = ANY($1::uuid[])`,
    [streams.filter((stream) => stream.startsWith('batch-')).map((stream) => stream.slice('batch-'.length))],
  )
  return new Map(rows.map((row) => [`batch-${row.batch_id}`, batchOf(row)]))
}

async function loadOpenGaps(pool: Pool, streams: readonly string[]) {
  const { rows } = await pool.query<{ stream: string; tag: string; opened_position: bigint; from_at: Date }>(
    `SELECT stream, tag, opened_position, from_at FROM gap
     WHERE stream = ANY($1::text[]) AND upper_inf(known) AND to_at IS NULL ORDER BY opened_position`,
    [streams],
  )
  const gaps = new Map<string, Map<string, OpenGap>>()
  for (const row of rows) {
    const open = gaps.get(row.stream) ?? new Map<string, OpenGap>()
    open.set(row.tag, { openedPosition: row.opened_position, from: row.from_at.toISOString() })
    gaps.set(row.stream, open)
  }
  return gaps
}

type LoadedSeries = { readonly id: number; readonly state: SeriesState }

/** The open window of a series is the one that holds its newest source time: it is read from the readings. */
async function loadSeries(
  pool: Pool,
  streams: readonly string[],
): Promise<Map<string, Map<string, LoadedSeries>>> {
  const { rows: known } = await pool.query<{
    series_id: number
    stream: string
    tag: string
    unit: string
    newest_at: Date | null
  }>(
    `SELECT series_id, stream, tag, unit,
       (SELECT max(max_at) FROM reading_chunk AS chunk WHERE chunk.series_id = series.series_id) AS newest_at
     FROM series WHERE stream = ANY($1::text[])`,
    [streams],
  )
  const points = new Map<number, Point[]>(known.map((series) => [series.series_id, []]))
  const { rows: frames } = await pool.query<{ points: Buffer }>(
    'SELECT points FROM reading_tail WHERE stream = ANY($1::text[])',
    [streams],
  )
  for (const frame of frames) {
    const packed = openPoints(frame.points)
    for (let index = 0; index < packed.length; index++)
      points.get(packed.series?.[index] ?? 0)?.push(pointAt(packed, index))
  }
  const newestAt = (id: number, inChunks: Date | null) =>
    (points.get(id) ?? []).reduce(
      (newest, point) => Math.max(newest, point.at),
      inChunks?.getTime() ?? Number.NEGATIVE_INFINITY,
    )
  const newest = new Map(
    known.map((series) => [series.series_id, newestAt(series.series_id, series.newest_at)]),
  )
  const { rows: chunks } = await pool.query<{ series_id: number; points: Buffer }>(
    `SELECT chunk.series_id, chunk.points FROM unnest($1::int4[], $2::timestamptz[]) AS open (series_id, start)
     JOIN reading_chunk AS chunk ON chunk.series_id = open.series_id AND chunk.max_at >= open.start`,
    [
      known.map((series) => series.series_id),
      known.map((series) => new Date(windowStart(newest.get(series.series_id) ?? 0)).toISOString()),
    ],
  )
  for (const chunk of chunks) {
    const packed = openPoints(chunk.points)
    for (let index = 0; index < packed.length; index++)
      points.get(chunk.series_id)?.push(pointAt(packed, index))
  }
  const series = new Map<string, Map<string, LoadedSeries>>()
  for (const { series_id: id, stream, tag, unit } of known) {
    const at = newest.get(id) ?? 0
    const openStart = windowStart(at)
    const open = (points.get(id) ?? [])
      .filter((point) => windowStart(point.at) === openStart)
      .sort((one, other) => (one.position < other.position ? -1 : 1))
      .reduce((window, point) => addToWindow(window, point.value, isUsable(point.mark)), emptyWindow)
    const ofStream = series.get(stream) ?? new Map<string, LoadedSeries>()
    ofStream.set(seriesKey(tag, unit), { id, state: { tag, unit, newestAt: at, openStart, open } })
    series.set(stream, ofStream)
  }
  return series
}
