/** Entries, their places and their positions, from the chunks and runs that the sequencer wrote. */
import type { Pool } from '../../infra/postgres/pool.ts'
import { run, statements } from './database.ts'
import { decodePositions, decodeRuns, splitBundle, unpackEntries } from './entry-codec.ts'
import type { LogEntry, StreamRun } from './log-reader.ts'

type ChunkRow = { readonly first_index: bigint; readonly entry_count: number; readonly entries: Buffer }

const chunksAtOnce = 64
const runRowsAtOnce = 500

export class EntryMissingError extends Error {
  readonly code = 'entry-missing'
  constructor(readonly index: bigint) {
    super(`entry ${index} of the ledger is not stored`)
  }
}

/** Entries `from` … `to` − 1. Throws `EntryMissingError` at the first one that is not stored. */
export async function* readEntries(pool: Pool, from: bigint, to: bigint): AsyncGenerator<LogEntry> {
  let next = from
  while (next < to) {
    const { rows } = await run<ChunkRow>(pool, statements.readChunks, [next, to, chunksAtOnce])
    if (rows.length === 0) throw new EntryMissingError(next)
    for (const row of rows) {
      if (row.first_index > next) throw new EntryMissingError(next)
      for (const leaf of splitBundle(unpackEntries(row.entries)).slice(Number(next - row.first_index))) {
        if (next >= to) return
        yield { index: next++, leaf }
      }
    }
  }
}

type RunRow = {
  readonly first_revision: bigint
  readonly event_count: number
  readonly first_index: bigint
  readonly runs: Buffer | null
}

/** Where revisions `from` … `to` of a stream stand among the first `size` entries. */
export async function* readRuns(
  pool: Pool,
  stream: string,
  range: { readonly from?: bigint; readonly to?: bigint; readonly size: bigint },
): AsyncGenerator<StreamRun> {
  const { size } = range
  const to = range.to ?? 2n ** 63n - 1n
  let next = range.from ?? 0n
  for (;;) {
    const { rows } = await run<RunRow>(pool, statements.readRuns, [stream, next, size, runRowsAtOnce])
    for (const row of rows) {
      for (const whole of decodeRuns({
        firstRevision: row.first_revision,
        count: row.event_count,
        firstIndex: row.first_index,
        runs: row.runs,
      })) {
        const cut = within(whole, next, to, size)
        if (cut) yield cut
      }
      if (row.first_revision + BigInt(row.event_count) > next)
        next = row.first_revision + BigInt(row.event_count)
    }
    if (rows.length < runRowsAtOnce || next > to) return
  }
}

/** The part of a run with revisions `from` … `to` and entries below `size`. */
function within(run: StreamRun, from: bigint, to: bigint, size: bigint): StreamRun | undefined {
  const before = from > run.revision ? from - run.revision : 0n
  let end = run.revision + BigInt(run.count)
  if (end > to + 1n) end = to + 1n
  if (run.index + (end - run.revision) > size) end = run.revision + (size - run.index)
  const revision = run.revision + before
  return revision < end ? { revision, index: run.index + before, count: Number(end - revision) } : undefined
}

type PositionRow = {
  readonly first_index: bigint
  readonly entry_count: number
  readonly first_position: bigint
  readonly positions: Buffer | null
}

export async function positionOfIndex(pool: Pool, index: bigint): Promise<bigint> {
  const row = await positionRow(pool, 'first_index', index)
  const position = row && positionsOf(row)[Number(index - row.first_index)]
  if (position === undefined) throw new EntryMissingError(index)
  return position
}

/** The entry of the event at exactly that position, or undefined. */
export async function indexOfPosition(pool: Pool, position: bigint): Promise<bigint | undefined> {
  const row = await positionRow(pool, 'first_position', position)
  const at = row ? positionsOf(row).indexOf(position) : -1
  return row && at >= 0 ? row.first_index + BigInt(at) : undefined
}

async function positionRow(
  pool: Pool,
  column: 'first_index' | 'first_position',
  value: bigint,
): Promise<PositionRow | undefined> {
  const { rows } = await pool.query<PositionRow>(
    `SELECT first_index, entry_count, first_position, positions FROM ledger.entry_chunk
     WHERE ${column} <= $1 ORDER BY ${column} DESC LIMIT 1`,
    [value],
  )
  return rows[0]
}

const positionsOf = (row: PositionRow): bigint[] =>
  decodePositions(row.first_position, row.entry_count, row.positions)
