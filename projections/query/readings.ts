/**
 * Reads the points of series as they were known at a position, whatever form (chunks, tail frames) they lie in.
 * The catalogue is read in the answer's snapshot; chunks never change, so their bytes may be fetched after it.
 */
import type { Pool, PoolClient } from '../../infra/postgres/pool.ts'
import { knownAt, openPoints, type PackedPoints } from '../tables/point-columns.ts'

export type SeriesRow = {
  readonly id: number
  readonly tag: string
  readonly unit: string
  readonly firstPosition: bigint
}

export type TimeRange = { readonly fromMs: number; readonly toMs: number }

/** What is known of one series at a position: chunks wholly known, and the points of everything else. */
export type Catalogue = {
  readonly chunks: readonly ChunkEntry[]
  /** Of the tail, and of chunks that were only begun at the position. */
  readonly loaded: readonly Columns[]
}
export type ChunkEntry = {
  readonly seriesId: number
  readonly firstPosition: bigint
  readonly lastPosition: bigint
  readonly minAt: number
  readonly maxAt: number
  readonly count: number
}
/** Parallel columns in position order. */
export type Columns = {
  readonly length: number
  readonly at: Float64Array
  readonly value: Float64Array
  readonly mark: Uint8Array
  readonly positionOf: (index: number) => bigint
}

/** Series of the stream that have a reading at or before the position, in order of their first one. */
export async function readSeries(client: PoolClient, stream: string, position: bigint): Promise<SeriesRow[]> {
  const { rows } = await client.query<{
    series_id: number
    tag: string
    unit: string
    first_position: bigint
  }>(
    'SELECT series_id, tag, unit, first_position FROM series WHERE stream = $1 AND first_position <= $2 ORDER BY first_position',
    [stream, position],
  )
  return rows.map((row) => ({
    id: row.series_id,
    tag: row.tag,
    unit: row.unit,
    firstPosition: row.first_position,
  }))
}

export async function readCatalogue(
  client: PoolClient,
  stream: string,
  seriesId: number,
  position: bigint,
): Promise<Catalogue> {
  const { rows } = await client.query<{
    first_position: bigint
    last_position: bigint
    min_at: string
    max_at: string
    count: number
  }>(
    `SELECT first_position, last_position, extract(epoch FROM min_at) * 1000 AS min_at, extract(epoch FROM max_at) * 1000 AS max_at, count
     FROM reading_chunk WHERE series_id = $1 AND first_position <= $2 ORDER BY first_position`,
    [seriesId, position],
  )
  const entries = rows.map((row) => ({
    seriesId,
    firstPosition: row.first_position,
    lastPosition: row.last_position,
    minAt: Number(row.min_at),
    maxAt: Number(row.max_at),
    count: row.count,
  }))
  const begun = entries.filter((entry) => entry.lastPosition > position)
  const tail = (await readTails(client, stream, position)).get(seriesId)
  return {
    chunks: entries.filter((entry) => entry.lastPosition <= position),
    loaded: [...(await readChunks(client, begun, position)), ...(tail ? [tail] : [])],
  }
}

/** Tail points of every series of the stream. */
export async function readTails(
  client: PoolClient,
  stream: string,
  position: bigint,
): Promise<Map<number, Columns>> {
  const { rows } = await client.query<{ points: Buffer }>(
    'SELECT points FROM reading_tail WHERE stream = $1 AND first_position <= $2 ORDER BY first_position',
    [stream, position],
  )
  const growing = new Map<number, { at: number[]; value: number[]; mark: number[]; position: bigint[] }>()
  for (const row of rows) {
    const packed = openPoints(row.points)
    const length = knownAt(packed, position)
    for (let index = 0; index < length; index++) {
      const id = packed.series?.[index] ?? 0
      let columns = growing.get(id)
      if (!columns) {
        columns = { at: [], value: [], mark: [], position: [] }
        growing.set(id, columns)
      }
      columns.at.push(packed.baseAt + (packed.atOffset[index] ?? 0))
      columns.value.push(packed.value[index] ?? 0)
      columns.mark.push(packed.mark[index] ?? 0)
      columns.position.push(packed.basePosition + BigInt(packed.positionOffset[index] ?? 0))
    }
  }
  return new Map(
    [...growing].map(([id, { at, value, mark, position: positions }]) => [
      id,
      {
        length: at.length,
        at: Float64Array.from(at),
        value: Float64Array.from(value),
        mark: Uint8Array.from(mark),
        positionOf: (index: number) => positions[index] ?? 0n,
      },
    ]),
  )
}

/** The points of these chunks (of one series) known at `position`, in the order of `chunks`. */
export async function readChunks(
  client: Pool | PoolClient,
  chunks: readonly ChunkEntry[],
  position: bigint,
): Promise<Columns[]> {
  const seriesId = chunks[0]?.seriesId
  if (seriesId === undefined) return []
  const { rows } = await client.query<{ place: number; points: Buffer }>(
    `SELECT wanted.place::int4 AS place, chunk.points
      FROM unnest($2::int8[], $3::int8[], $4::int4[]) WITH ORDINALITY AS wanted (first_position, last_position, count, place)
      JOIN reading_chunk AS chunk ON chunk.series_id = $1 AND chunk.first_position = wanted.first_position
        AND chunk.last_position = wanted.last_position AND chunk.count = wanted.count`,
    [
      seriesId,
      chunks.map((chunk) => chunk.firstPosition),
      chunks.map((chunk) => chunk.lastPosition),
      chunks.map((chunk) => chunk.count),
    ],
  )
  if (rows.length !== chunks.length)
    throw new Error(
      `${chunks.length - rows.length} chunks of series ${seriesId} are gone: the tables were replaced`,
    )
  const found: Columns[] = []
  for (const row of rows) found[row.place - 1] = columnsOf(openPoints(row.points), position)
  return found
}

export function columnsOf(packed: PackedPoints, position: bigint): Columns {
  const length = knownAt(packed, position)
  const at = new Float64Array(length)
  for (let index = 0; index < length; index++) at[index] = packed.baseAt + (packed.atOffset[index] ?? 0)
  return {
    length,
    at,
    value: packed.value,
    mark: packed.mark,
    positionOf: (index) => packed.basePosition + BigInt(packed.positionOffset[index] ?? 0),
  }
}
