/** 30-s windows of a series as known at a position: the closed ones from their table, the open one from the readings. */
import type { Pool, PoolClient } from '../../infra/postgres/pool.ts'
import { findTag } from '../../schemas/tags.ts'
import {
  addToWindow,
  emptyWindow,
  standardDeviation,
  type WindowStatistics,
  windowMs,
  windowQuality,
  windowStart,
} from '../fold/window.ts'
import { isUsable } from '../tables/point-columns.ts'
import { extentOf } from './points.ts'
import {
  type Catalogue,
  type Columns,
  readCatalogue,
  readChunks,
  type SeriesRow,
  type TimeRange,
} from './readings.ts'

export type Window = {
  readonly tag: string
  readonly unit: string
  readonly from: string
  readonly to: string
  readonly mean: number | null
  readonly sd: number | null
  readonly min: number | null
  readonly max: number | null
  readonly count: number
  readonly total: number
  readonly quality: 'complete' | 'partial' | 'sparse'
  readonly closed: boolean
}

/** Windows that start in the range, after `afterMs` when given, at most `limit`, in time order. */
export async function readWindows(
  client: PoolClient,
  stream: string,
  series: SeriesRow,
  position: bigint,
  range: TimeRange,
  afterMs: number | undefined,
  limit: number,
): Promise<Window[]> {
  const fromMs = Math.max(range.fromMs, afterMs === undefined ? Number.NEGATIVE_INFINITY : afterMs + 1)
  const { rows } = await client.query<{
    from_at: Date
    usable: number
    total: number
    mean: number | null
    squares: number | null
    min: number | null
    max: number | null
  }>(
    `SELECT DISTINCT ON (from_at) from_at, usable, total, mean, squares, min, max FROM reading_window
     WHERE series_id = $1 AND known_from <= $2 AND from_at >= $3 AND from_at < $4
     ORDER BY from_at, known_from DESC LIMIT $5`,
    [series.id, position, boundText(fromMs), boundText(range.toMs), limit],
  )
  const windows = rows.map((row) =>
    windowOf(series, row.from_at.getTime(), true, {
      usable: row.usable,
      total: row.total,
      mean: row.mean ?? 0,
      squares: row.squares ?? 0,
      min: row.min ?? 0,
      max: row.max ?? 0,
    }),
  )
  if (windows.length < limit) {
    const open = await readOpenWindow(client, stream, series, position)
    if (open && open.start >= fromMs && open.start < range.toMs)
      windows.push(windowOf(series, open.start, false, open.statistics))
  }
  return windows
}

/** The window that holds the newest source time known at the position. */
async function readOpenWindow(
  client: PoolClient,
  stream: string,
  series: SeriesRow,
  position: bigint,
): Promise<{ start: number; statistics: WindowStatistics } | undefined> {
  const catalogue = await readCatalogue(client, stream, series.id, position)
  const extent = extentOf(catalogue)
  if (!extent) return undefined
  const start = windowStart(extent.maxAt)
  const points: { position: bigint; value: number; mark: number }[] = []
  for (const columns of await columnsSince(client, catalogue, start, position))
    for (let index = 0; index < columns.length; index++)
      if (windowStart(columns.at[index] ?? 0) === start)
        points.push({
          position: columns.positionOf(index),
          value: columns.value[index] ?? 0,
          mark: columns.mark[index] ?? 0,
        })
  const statistics = points
    .sort((one, other) => (one.position < other.position ? -1 : 1))
    .reduce((window, point) => addToWindow(window, point.value, isUsable(point.mark)), emptyWindow)
  return { start, statistics }
}

async function columnsSince(
  client: Pool | PoolClient,
  catalogue: Catalogue,
  startMs: number,
  position: bigint,
): Promise<Columns[]> {
  const chunks = catalogue.chunks.filter((chunk) => chunk.maxAt >= startMs)
  return [...catalogue.loaded, ...(await readChunks(client, chunks, position))]
}

function windowOf(series: SeriesRow, start: number, closed: boolean, window: WindowStatistics): Window {
  const measured = (value: number) => (window.usable === 0 ? null : value)
  return {
    tag: series.tag,
    unit: series.unit,
    from: new Date(start).toISOString(),
    to: new Date(start + windowMs).toISOString(),
    mean: measured(window.mean),
    sd: standardDeviation(window),
    min: measured(window.min),
    max: measured(window.max),
    count: window.usable,
    total: window.total,
    quality: windowQuality(window.usable, findTag(series.tag)?.cadenceSeconds ?? 1),
    closed,
  }
}

const boundText = (ms: number): string =>
  ms === Number.NEGATIVE_INFINITY
    ? '-infinity'
    : ms === Number.POSITIVE_INFINITY
      ? 'infinity'
      : new Date(ms).toISOString()
