/**
 * The newest reading of each tag as known at a position: the one with the latest source time (of equal ones the
 * last recorded). Derived from the readings themselves, so the present and the past are read the same way.
 */
import type { PoolClient } from '../../infra/postgres/pool.ts'
import type { ReadingFlag } from '../../schemas/events/sensor-events.ts'
import { findTag, resolveUnit, tagDefinitions } from '../../schemas/tags.ts'
import { flagsOf, openPoints, qualityOf } from '../tables/point-columns.ts'
import { type Columns, columnsOf, readSeries, readTails, type SeriesRow } from './readings.ts'

export type NewestPoint = {
  readonly series: SeriesRow
  readonly at: number
  readonly value: number
  readonly mark: number
  readonly position: bigint
}

/** The newest point of every series of the stream, in order of the series. */
export async function readNewest(
  client: PoolClient,
  stream: string,
  position: bigint,
): Promise<NewestPoint[]> {
  const series = await readSeries(client, stream, position)
  const found = new Map<number, NewestPoint>()
  const byId = new Map(series.map((row) => [row.id, row]))
  const consider = (id: number, columns: Columns) => {
    const row = byId.get(id)
    if (!row) return
    for (let index = 0; index < columns.length; index++) {
      const at = columns.at[index] ?? 0
      const known = found.get(id)
      if (known && (at < known.at || (at === known.at && columns.positionOf(index) < known.position)))
        continue
      found.set(id, {
        series: row,
        at,
        value: columns.value[index] ?? 0,
        mark: columns.mark[index] ?? 0,
        position: columns.positionOf(index),
      })
    }
  }
  for (const [id, columns] of await readTails(client, stream, position)) consider(id, columns)
  // Of the chunks known whole, the one with the latest time; and those that were only begun at the position.
  const { rows } = await client.query<{ series_id: number; points: Buffer }>(
    `SELECT chunk.series_id, chunk.points FROM unnest($1::int4[]) AS wanted (series_id)
      CROSS JOIN LATERAL (
        (SELECT first_position FROM reading_chunk AS whole
          WHERE whole.series_id = wanted.series_id AND whole.first_position <= $2 AND whole.last_position <= $2
          ORDER BY max_at DESC, first_position DESC LIMIT 1)
        UNION
        (SELECT first_position FROM reading_chunk AS begun
          WHERE begun.series_id = wanted.series_id AND begun.first_position <= $2 AND begun.last_position > $2)
      ) AS found
      JOIN reading_chunk AS chunk ON chunk.series_id = wanted.series_id AND chunk.first_position = found.first_position`,
    [series.map((row) => row.id), position],
  )
  for (const row of rows) consider(row.series_id, columnsOf(openPoints(row.points), position))
  return series.flatMap((row) => found.get(row.id) ?? [])
}

export type CurrentValue = {
  readonly tag: string
  readonly label: string
  readonly unit: string
  readonly unitLabel: string
  readonly decimals: number
  readonly value: number
  readonly quality: 'good' | 'uncertain' | 'bad'
  readonly flags: ReadingFlag[]
  readonly at: string
  readonly position: string
  readonly operatingRange: [number, number]
}

/** One value a tag, in the order of the tag registry. */
export async function readCurrent(
  client: PoolClient,
  stream: string,
  position: bigint,
): Promise<CurrentValue[]> {
  const newest = new Map<string, NewestPoint>()
  for (const point of await readNewest(client, stream, position)) {
    const known = newest.get(point.series.tag)
    if (!known || point.at > known.at || (point.at === known.at && point.position > known.position))
      newest.set(point.series.tag, point)
  }
  return [...newest.values()].sort(byRegistry).map(currentValue)
}

function currentValue(point: NewestPoint): CurrentValue {
  const { tag, unit } = point.series
  const definition = findTag(tag)
  const resolved = definition && resolveUnit(definition, unit)
  const [low, high] = definition?.operatingRange ?? [point.value, point.value]
  const factor = resolved?.factor ?? 1
  return {
    tag,
    label: definition?.label ?? tag,
    unit,
    unitLabel: definition && definition.unit === unit ? definition.unitLabel : unit,
    decimals: definition?.decimals ?? 3,
    value: point.value,
    quality: qualityOf(point.mark),
    flags: flagsOf(point.mark),
    at: new Date(point.at).toISOString(),
    position: point.position.toString(),
    operatingRange: [low / factor, high / factor],
  }
}

const registryOrder = new Map<string, number>(
  tagDefinitions.map((definition, index) => [definition.tag, index]),
)

function byRegistry(one: NewestPoint, other: NewestPoint): number {
  const place = (point: NewestPoint) => registryOrder.get(point.series.tag) ?? registryOrder.size
  return place(one) - place(other) || (one.series.tag < other.series.tag ? -1 : 1)
}
