/** A page's part of one stream on its way into the tables, and the statement form that all writers share. */
import type { PoolClient } from '../../infra/postgres/pool.ts'
import type { StreamRows, StreamState } from '../fold/stream-state.ts'

/** A stream's part of a page, with what the tables (not the fold) need to know of it. */
export type StreamWrite = {
  readonly stream: string
  readonly rows: StreamRows
  readonly state: StreamState
  readonly lastPosition: bigint
  readonly seriesIds: ReadonlyMap<string, number>
  readonly tail: Tail
}
export type Tail = { readonly frames: number; readonly points: number }

/** When tail frames become chunks. */
export type Packing = {
  readonly framesBeforeChunks: number
  readonly pointsBeforeChunks: number
  /** Readings of one page that go into chunks without waiting. */
  readonly pointsForChunksAtOnce: number
  readonly pointsPerChunk: number
}
export const usualPacking: Packing = {
  framesBeforeChunks: 192,
  pointsBeforeChunks: 8_192,
  pointsForChunksAtOnce: 2_048,
  pointsPerChunk: 16_384,
}

type Column = readonly unknown[]

/** `sql` takes each column as one array parameter. */
export async function insert(client: PoolClient, sql: string, columns: readonly Column[]): Promise<void> {
  if ((columns[0]?.length ?? 0) > 0) await client.query(sql, columns as unknown[])
}

export const columnsOf = <Row>(rows: readonly Row[], ...cells: ((row: Row) => unknown)[]): Column[] =>
  cells.map((cell) => rows.map(cell))

export function seriesId(write: StreamWrite, key: string): number {
  const id = write.seriesIds.get(key)
  if (id === undefined)
    throw new Error(`series ${key.replace('\n', ' in ')} of ${write.stream} has no number`)
  return id
}
