/**
 * The points of a series in answer order (source time, then position), whole or reduced for a chart. The result
 * depends on the points alone, never on how they are stored.
 */
import type { Pool } from '../../infra/postgres/pool.ts'
import { isUsable, qualityOf } from '../tables/point-columns.ts'
import { type Catalogue, type ChunkEntry, type Columns, readChunks, type TimeRange } from './readings.ts'

export type SeriesPoint = {
  readonly at: string
  readonly value: number
  readonly quality: string
  readonly position: string
}

type Located = { readonly at: number; readonly columns: Columns; readonly index: number }

const chunksAtOnce = 24

/** Earliest and latest source time that the catalogue holds; undefined when it holds no point. */
export function extentOf(catalogue: Catalogue): { minAt: number; maxAt: number } | undefined {
  let minAt = Number.POSITIVE_INFINITY
  let maxAt = Number.NEGATIVE_INFINITY
  for (const chunk of catalogue.chunks) {
    minAt = Math.min(minAt, chunk.minAt)
    maxAt = Math.max(maxAt, chunk.maxAt)
  }
  for (const columns of catalogue.loaded)
    for (const at of columns.at) {
      minAt = Math.min(minAt, at)
      maxAt = Math.max(maxAt, at)
    }
  return minAt <= maxAt ? { minAt, maxAt } : undefined
}

/** Blocks of points by (source time, position), fetched as they are asked for. */
export async function* pointsInOrder(
  pool: Pool,
  catalogue: Catalogue,
  range: TimeRange,
  position: bigint,
): AsyncGenerator<readonly Located[]> {
  const chunks = chunksIn(catalogue, range).toSorted((one, other) => one.minAt - other.minAt)
  let pending: Located[] = []
  for (const columns of catalogue.loaded) collect(pending, columns, range)
  for (let next = 0; next < chunks.length; next += chunksAtOnce) {
    for (const columns of await readChunks(pool, chunks.slice(next, next + chunksAtOnce), position))
      collect(pending, columns, range)
    pending = inOrder(pending)
    const horizon = chunks[next + chunksAtOnce]?.minAt ?? Number.POSITIVE_INFINITY
    const ready = firstAtOrAfter(pending, horizon)
    yield pending.slice(0, ready)
    pending = pending.slice(ready)
  }
  if (pending.length > 0) yield inOrder(pending)
}

/** Columns of everything in the range, in any order. */
async function* columnsIn(
  pool: Pool,
  catalogue: Catalogue,
  range: TimeRange,
  position: bigint,
): AsyncGenerator<Columns> {
  yield* catalogue.loaded
  const chunks = chunksIn(catalogue, range)
  for (let next = 0; next < chunks.length; next += chunksAtOnce * 4)
    yield* await readChunks(pool, chunks.slice(next, next + chunksAtOnce * 4), position)
}

const chunksIn = (catalogue: Catalogue, range: TimeRange): ChunkEntry[] =>
  catalogue.chunks.filter((chunk) => chunk.maxAt >= range.fromMs && chunk.minAt < range.toMs)

function collect(points: Located[], columns: Columns, range: TimeRange): void {
  for (let index = 0; index < columns.length; index++) {
    const at = columns.at[index] ?? 0
    if (at >= range.fromMs && at < range.toMs) points.push({ at, columns, index })
  }
}

function inOrder(points: Located[]): Located[] {
  const isOrdered = points.every(
    (point, index) => index === 0 || compare(points[index - 1] as Located, point) <= 0,
  )
  return isOrdered ? points : points.sort(compare)
}

function compare(one: Located, other: Located): number {
  if (one.at !== other.at) return one.at - other.at
  return one.columns.positionOf(one.index) < other.columns.positionOf(other.index) ? -1 : 1
}

function firstAtOrAfter(points: readonly Located[], at: number): number {
  let low = 0
  let high = points.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((points[middle]?.at ?? 0) < at) low = middle + 1
    else high = middle
  }
  return low
}

export const toSeriesPoint = ({ at, columns, index }: Located): SeriesPoint => ({
  at: new Date(at).toISOString(),
  value: columns.value[index] ?? 0,
  quality: qualityOf(columns.mark[index] ?? 0),
  position: columns.positionOf(index).toString(),
})

export type Reduction = {
  readonly reduced: boolean
  readonly bucketMs: number | null
  readonly sourceCount: number
  readonly points: readonly SeriesPoint[]
}

/**
 * At most about `limit` points: when there are more, of each bucket the readings with the least and the greatest
 * value (real readings with their own times; the earliest where values are equal), whatever their quality.
 */
export async function reduceToExtremes(
  pool: Pool,
  catalogue: Catalogue,
  range: TimeRange,
  position: bigint,
  limit: number,
): Promise<Reduction> {
  const { bucketMs, first, count } = bucketsOf(range, Math.max(1, Math.floor(limit / 2) - 1))
  const least = new Array<Located | undefined>(count)
  const greatest = new Array<Located | undefined>(count)
  const raw: Located[] = []
  let sourceCount = 0
  for await (const columns of columnsIn(pool, catalogue, range, position)) {
    for (let index = 0; index < columns.length; index++) {
      const at = columns.at[index] ?? 0
      if (at < range.fromMs || at >= range.toMs) continue
      sourceCount++
      if (sourceCount <= limit) raw.push({ at, columns, index })
      const value = columns.value[index] ?? 0
      const bucket = Math.floor(at / bucketMs) - first
      const low = least[bucket]
      const high = greatest[bucket]
      const lowValue = low ? (low.columns.value[low.index] ?? 0) : 0
      const highValue = high ? (high.columns.value[high.index] ?? 0) : 0
      if (!low || value < lowValue || (value === lowValue && at <= low.at)) {
        const point = { at, columns, index }
        if (!low || value < lowValue || compare(point, low) < 0) least[bucket] = point
      }
      if (!high || value > highValue || (value === highValue && at <= high.at)) {
        const point = { at, columns, index }
        if (!high || value > highValue || compare(point, high) < 0) greatest[bucket] = point
      }
    }
  }
  if (sourceCount <= limit) return unreduced(raw)
  const points: Located[] = []
  for (let bucket = 0; bucket < count; bucket++) {
    const low = least[bucket]
    const high = greatest[bucket]
    if (low) points.push(low)
    if (high && low && (high.columns !== low.columns || high.index !== low.index)) points.push(high)
  }
  return { reduced: true, bucketMs, sourceCount, points: inOrder(points).map(toSeriesPoint) }
}

/**
 * At most about `limit` points: when there are more, the mean of each bucket's readings of quality good or
 * uncertain, at the bucket's start, with the position of the last of them. A bucket without any has no point.
 */
export async function reduceToMeans(
  pool: Pool,
  catalogue: Catalogue,
  range: TimeRange,
  position: bigint,
  limit: number,
): Promise<Reduction> {
  const { bucketMs, first, count } = bucketsOf(range, Math.max(1, limit - 1))
  const buckets = new Array<MeanBucket | undefined>(count)
  const raw: Located[] = []
  let sourceCount = 0
  // In answer order, because floating-point sums depend on the order of their terms.
  for await (const block of pointsInOrder(pool, catalogue, range, position))
    for (const point of block) {
      sourceCount++
      if (sourceCount <= limit) raw.push(point)
      const mark = point.columns.mark[point.index] ?? 0
      if (!isUsable(mark)) continue
      const place = Math.floor(point.at / bucketMs) - first
      const known = buckets[place] ?? { count: 0, mean: 0, worst: 0, position: 0n }
      known.count++
      known.mean += ((point.columns.value[point.index] ?? 0) - known.mean) / known.count
      known.worst = Math.max(known.worst, mark & 3)
      const at = point.columns.positionOf(point.index)
      if (at > known.position) known.position = at
      buckets[place] = known
    }
  if (sourceCount <= limit) return unreduced(raw)
  return {
    reduced: true,
    bucketMs,
    sourceCount,
    points: buckets.flatMap((bucket, place) =>
      bucket
        ? [
            {
              at: new Date((first + place) * bucketMs).toISOString(),
              value: bucket.mean,
              quality: qualityOf(bucket.worst),
              position: bucket.position.toString(),
            },
          ]
        : [],
    ),
  }
}

type MeanBucket = { count: number; mean: number; worst: number; position: bigint }

const unreduced = (raw: Located[]): Reduction => ({
  reduced: false,
  bucketMs: null,
  sourceCount: raw.length,
  points: inOrder(raw).map(toSeriesPoint),
})

/** Buckets start at multiples of their width since the epoch, so that a chart does not flicker as it moves on. */
function bucketsOf(range: TimeRange, wanted: number): { bucketMs: number; first: number; count: number } {
  const bucketMs = Math.max(1, Math.ceil((range.toMs - range.fromMs) / wanted))
  const first = Math.floor(range.fromMs / bucketMs)
  return { bucketMs, first, count: Math.floor((range.toMs - 1) / bucketMs) - first + 1 }
}
