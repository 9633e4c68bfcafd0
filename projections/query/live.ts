/**
 * What is new about a batch between two positions: one frame of the live feed. Frames partition the positions, so
 * a client that resumes after the last frame it has seen loses nothing.
 */
import type { PoolClient } from '../../infra/postgres/pool.ts'
import type { Batch } from '../../schemas/http.ts'
import { knownAt, openPoints, pointAt, qualityOf } from '../tables/point-columns.ts'
import { type ProcessWindowItem, readWindowsRecorded } from './derived.ts'
import { type Forecast, readForecastsRecorded } from './forecasts.ts'
import { type Balance, readIngress } from './ingress.ts'
import { readSeries, type SeriesRow } from './readings.ts'
import { readBatch, readTimeline, type TimelineItem } from './records.ts'

export type LiveReading = {
  readonly tag: string
  readonly at: string
  readonly value: number
  readonly quality: 'good' | 'uncertain' | 'bad'
  readonly unit: string
}

export type LiveFrame = {
  /** Everything up to here is in this frame or in one before. */
  readonly through: bigint
  readonly batch: Batch | undefined
  readonly timeline: readonly TimelineItem[]
  readonly ingress: Balance | undefined
  /** Each in the order of recording. */
  readonly readings: readonly LiveReading[]
  readonly forecasts: readonly Forecast[]
  readonly windows: readonly ProcessWindowItem[]
}

const readingsPerFrame = 5_000
const itemsPerFrame = 500
const largestPosition = 2n ** 63n - 1n

/** The frame after `after`, up to `upTo` or to where the frame is full. */
export async function readLiveFrame(
  client: PoolClient,
  batchId: string,
  after: bigint,
  upTo: bigint,
): Promise<LiveFrame> {
  const items = await readTimeline(client, {
    batchId,
    after,
    through: upTo,
    newestFirst: false,
    limit: itemsPerFrame + 1,
  })
  const forecasts = await readForecastsRecorded(client, batchId, after, upTo, itemsPerFrame + 1)
  const windows = await readWindowsRecorded(client, batchId, after, upTo, itemsPerFrame + 1)
  const reach = [items, forecasts, windows].reduce(
    (least, list) => (least < fullAt(list) ? least : fullAt(list)),
    upTo,
  )
  const { through, readings } = await readReadings(client, `reading-${batchId}`, after, reach)
  return {
    through,
    readings,
    timeline: upToPosition(items, through),
    forecasts: upToPosition(forecasts, through),
    windows: upToPosition(windows, through),
    batch: await changedBatch(client, batchId, after, through),
    ingress: await changedIngress(client, `reading-${batchId}`, after, through),
  }
}

type Positioned = { readonly position: string }

/** Where a list is cut so that it fits into the frame. */
function fullAt(list: readonly Positioned[]): bigint {
  const last = list.length > itemsPerFrame ? list[itemsPerFrame - 1] : undefined
  return last ? BigInt(last.position) : largestPosition
}

const upToPosition = <Item extends Positioned>(list: readonly Item[], through: bigint): Item[] =>
  list.filter((item) => BigInt(item.position) <= through)

async function changedBatch(
  client: PoolClient,
  batchId: string,
  after: bigint,
  through: bigint,
): Promise<Batch | undefined> {
  const { rowCount } = await client.query(
    'SELECT 1 FROM batch WHERE batch_id = $1 AND known @> $2::int8 AND lower(known) > $3',
    [batchId, through, after],
  )
  return rowCount ? await readBatch(client, batchId, through) : undefined
}

async function changedIngress(
  client: PoolClient,
  stream: string,
  after: bigint,
  through: bigint,
): Promise<Balance | undefined> {
  const { rowCount } = await client.query(
    'SELECT 1 FROM ingress_statement WHERE stream = $1 AND position > $2 AND position <= $3 LIMIT 1',
    [stream, after, through],
  )
  return rowCount ? await readIngress(client, stream, through) : undefined
}

async function readReadings(
  client: PoolClient,
  stream: string,
  after: bigint,
  upTo: bigint,
): Promise<{ through: bigint; readings: LiveReading[] }> {
  const series = await readSeries(client, stream, upTo)
  const limit = series.length + 8
  // Chunks of a series do not overlap in position: at most one of each began before `after` and goes on past it.
  const { rows: chunks } = await client.query<{ series_id: number; first_position: bigint; points: Buffer }>(
    `SELECT chunk.series_id, chunk.first_position, chunk.points FROM unnest($1::int4[]) AS wanted (series_id)
     CROSS JOIN LATERAL (SELECT * FROM reading_chunk AS newer WHERE newer.series_id = wanted.series_id
       AND newer.first_position >= coalesce((SELECT max(first_position) FROM reading_chunk AS before
         WHERE before.series_id = wanted.series_id AND before.first_position <= $2), 0)
       AND newer.first_position <= $3 AND newer.last_position > $2
       ORDER BY newer.first_position LIMIT $4) AS chunk
     ORDER BY chunk.first_position LIMIT $4`,
    [series.map((row) => row.id), after, upTo, limit],
  )
  const { rows: frames } = await client.query<{ points: Buffer }>(
    'SELECT points FROM reading_tail WHERE stream = $1 AND first_position <= $2 AND last_position > $3',
    [stream, upTo, after],
  )
  // A full list of chunks: those that are not in it begin after its last one.
  const reach = chunks.length === limit ? (chunks.at(-1)?.first_position ?? upTo) : upTo
  const byId = new Map(series.map((row) => [row.id, row]))
  const found = [
    ...chunks.flatMap((chunk) => between(chunk.points, after, reach, () => byId.get(chunk.series_id))),
    ...frames.flatMap((frame) => between(frame.points, after, reach, (id) => byId.get(id))),
  ].sort((one, other) => (one.position < other.position ? -1 : 1))
  const cut = found[readingsPerFrame - 1]
  return {
    through: found.length > readingsPerFrame && cut ? cut.position : reach,
    readings: found.slice(0, readingsPerFrame).map(({ reading }) => reading),
  }
}

function between(
  bytes: Buffer,
  after: bigint,
  through: bigint,
  seriesOf: (id: number) => SeriesRow | undefined,
): { position: bigint; reading: LiveReading }[] {
  const packed = openPoints(bytes)
  const found: { position: bigint; reading: LiveReading }[] = []
  for (let index = knownAt(packed, after); index < knownAt(packed, through); index++) {
    const series = seriesOf(packed.series?.[index] ?? 0)
    if (!series) continue
    const point = pointAt(packed, index)
    found.push({
      position: point.position,
      reading: {
        tag: series.tag,
        at: new Date(point.at).toISOString(),
        value: point.value,
        quality: qualityOf(point.mark),
        unit: series.unit,
      },
    })
  }
  return found
}
