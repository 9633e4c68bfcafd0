/**
 * A tag's readings, cleaned, and what is to be said about them: folded from the stored raw readings when asked, by the rules
 * of `domain/signal-cleaning`. There is no table of cleaned values that could say something else. The fold always begins
 * at the series' first reading, so that a point does not depend on the range it was asked in.
 */
import { setImmediate } from 'node:timers/promises'
import type { z } from 'zod'
import type { RawReading } from '../../domain/signal-cleaning/clean-series.ts'
import {
  type DataFinding,
  type FindingName,
  findingRules,
  findingsWatch,
} from '../../domain/signal-cleaning/data-findings.ts'
import { orderedCleaner } from '../../domain/signal-cleaning/ordered-series.ts'
import type { Pool, PoolClient } from '../../infra/postgres/pool.ts'
import type { Batch } from '../../schemas/http.ts'
import type { cleanedPoint, dataFinding } from '../../schemas/http-cleaning.ts'
import type { TagDefinition } from '../../schemas/tags.ts'
import { qualityOf } from '../tables/point-columns.ts'
import { readNewest } from './current.ts'
import { pointsInOrder } from './points.ts'
import { type Catalogue, readCatalogue, readSeries, type SeriesRow, type TimeRange } from './readings.ts'

export type CleanedItem = z.infer<typeof cleanedPoint>
export type FindingItem = z.infer<typeof dataFinding>

/** All series of one tag, of each unit it was sent in. */
type TagReadings = readonly { readonly series: SeriesRow; readonly catalogue: Catalogue }[]

export async function readTagReadings(
  client: PoolClient,
  stream: string,
  tag: string,
  position: bigint,
): Promise<TagReadings> {
  const found = (await readSeries(client, stream, position)).filter((series) => series.tag === tag)
  const readings: { series: SeriesRow; catalogue: Catalogue }[] = []
  for (const series of found)
    readings.push({ series, catalogue: await readCatalogue(client, stream, series.id, position) })
  return readings
}

/**
 * Up to when a gap at the end of the batch's readings is followed: the batch's end; while it runs, the newest source time of
 * any tag, and for live data also `knownUpToMs` (what the question names, or the recording of the last event), so that
 * a vessel that fell silent as a whole is seen. Undefined without readings.
 */
export async function readUntil(
  client: PoolClient,
  batch: Batch,
  position: bigint,
  knownUpToMs: number | undefined,
): Promise<number | undefined> {
  if (batch.closedAt !== null) return Date.parse(batch.closedAt)
  const newest = (await readNewest(client, `reading-${batch.id}`, position)).map(({ at }) => at)
  if (newest.length === 0) return undefined
  const live = batch.origin === 'live' && knownUpToMs !== undefined ? [knownUpToMs] : []
  return Math.max(...newest, ...live)
}

/** Readings of a tag by (source time, position), in blocks, whatever units they were sent in. */
export async function* readingsInOrder(
  pool: Pool,
  readings: TagReadings,
  position: bigint,
  range: TimeRange,
): AsyncGenerator<readonly RawReading[]> {
  const sources = readings.map(({ series, catalogue }) => blocksOf(pool, series, catalogue, position, range))
  const [only, ...others] = sources
  if (only === undefined) return
  if (others.length === 0) {
    yield* only
    return
  }
  const heads = await Promise.all(
    sources.map(async (source) => ({ source, block: await nextBlock(source), index: 0 })),
  )
  while (true) {
    const live = heads.filter(({ block }) => block.length > 0)
    const next = live.reduce<(typeof live)[number] | undefined>(
      (least, head) => (least === undefined || isBefore(headOf(head), headOf(least)) ? head : least),
      undefined,
    )
    if (next === undefined) return
    yield [headOf(next)]
    next.index++
    if (next.index === next.block.length) {
      next.block = await nextBlock(next.source)
      next.index = 0
    }
  }
}

const readingsAtOnce = 4_096

async function* blocksOf(
  pool: Pool,
  series: SeriesRow,
  catalogue: Catalogue,
  position: bigint,
  range: TimeRange,
): AsyncGenerator<readonly RawReading[]> {
  for await (const block of pointsInOrder(pool, catalogue, range, position))
    for (let start = 0; start < block.length; start += readingsAtOnce) {
      yield block.slice(start, start + readingsAtOnce).map(({ at, columns, index }) => ({
        atMs: at,
        value: columns.value[index] ?? Number.NaN,
        unit: series.unit,
        quality: qualityOf(columns.mark[index] ?? 0),
        position: columns.positionOf(index),
      }))
      // A long series must not keep other questions waiting.
      await setImmediate()
    }
}

async function nextBlock(source: AsyncGenerator<readonly RawReading[]>): Promise<readonly RawReading[]> {
  while (true) {
    const { done, value } = await source.next()
    if (done) return []
    if (value.length > 0) return value
  }
}

const headOf = ({ block, index }: { block: readonly RawReading[]; index: number }): RawReading => {
  const reading = block[index]
  if (reading === undefined)
    throw new RangeError(`a block of ${block.length} readings has no number ${index}`)
  return reading
}

const isBefore = (one: RawReading, other: RawReading): boolean =>
  one.atMs < other.atMs || (one.atMs === other.atMs && one.position < other.position)

/** Cleaned points that lie in the range or (missing spans) reach into it, in order of time. `looked` counts the raw readings. */
export async function* cleanedInRange(
  blocks: AsyncIterable<readonly RawReading[]>,
  definition: TagDefinition,
  range: TimeRange,
  untilMs: number | undefined,
  looked: () => void,
): AsyncGenerator<CleanedItem> {
  const cleaner = orderedCleaner(definition)
  for await (const block of blocks)
    for (const reading of block) {
      looked()
      const points = cleaner.push(reading)
      for (const point of points) if (isIn(point, range)) yield toItem(point)
      // In order of time: what is final from here on lies behind the range.
      if ((points.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY) >= range.toMs) return
    }
  const endMs = untilMs ?? Number.NEGATIVE_INFINITY
  for (const point of cleaner.end(endMs))
    if ((point.quality !== 'stale' || point.atMs < endMs) && isIn(point, range)) yield toItem(point)
}

type Point = ReturnType<ReturnType<typeof orderedCleaner>['push']>[number]

const isIn = ({ atMs, untilMs }: Point, { fromMs, toMs }: TimeRange): boolean =>
  atMs < toMs && (untilMs === undefined ? atMs >= fromMs : untilMs > fromMs)

const toItem = (point: Point): CleanedItem => ({
  at: iso(point.atMs),
  ...(point.untilMs === undefined ? {} : { to: iso(point.untilMs) }),
  value: point.value,
  quality: point.quality,
  rule: point.rule,
  positions: point.positions.map(String),
  ...(point.variance === undefined ? {} : { variance: point.variance }),
  ...(point.basis === undefined
    ? {}
    : { basis: { from: `${point.basis.from}`, to: `${point.basis.to}`, count: point.basis.count } }),
})

/** Findings of one tag between two source times. */
export async function findingsOf(
  blocks: AsyncIterable<readonly RawReading[]>,
  definition: TagDefinition,
  fromMs: number,
  untilMs: number,
): Promise<FindingItem[]> {
  const watch = findingsWatch(definition, fromMs)
  for await (const block of blocks) for (const reading of block) watch.push(reading)
  return watch.end(untilMs).map((finding) => toFinding(finding, definition))
}

function toFinding(finding: DataFinding, { label }: TagDefinition): FindingItem {
  const { name, level, tag, fromMs, toMs, open, expected, missing, positions } = finding
  return {
    finding: name,
    level,
    tag,
    from: iso(fromMs),
    to: iso(toMs),
    open,
    expected,
    missing,
    rule: findingRules[name],
    positions: positions.map(String),
    sentence: sentences[name](label, finding),
  }
}

const sentences: Readonly<Record<FindingName, (label: string, finding: DataFinding) => string>> = {
  missing_data_too_long: (label, { fromMs, toMs, open }) =>
    `no usable reading of ${label} from ${iso(fromMs)} ${open ? 'up to at least' : 'to'} ${iso(toMs)} (${minutes(toMs - fromMs)} min): longer than 30 min, so nothing stands in for it`,
  window_mostly_missing: (label, { fromMs, toMs, expected, missing }) =>
    `${missing} of ${expected} readings of ${label} are missing in the 30-s windows from ${iso(fromMs)} to ${iso(toMs)}: more than half of each`,
}

const minutes = (ms: number): string => (ms / 60_000).toFixed(1)
const iso = (ms: number): string => new Date(ms).toISOString()
