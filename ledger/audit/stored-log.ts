/** Rows of the log as they lie in schema `ledger`, unchecked: what the audit holds against everything else. */
import type { Pool } from '../../infra/postgres/pool.ts'
import { hashSize } from '../log/tree-hash.ts'
import { decodePositions, splitBundle, unpackEntries } from '../storage/entry-codec.ts'

export type StoredChunk = {
  readonly firstIndex: bigint
  readonly count: number
  /** Undefined when the bundle's bytes cannot be read. */
  readonly entries: readonly Buffer[] | undefined
  readonly hashes: Buffer
  readonly positions: readonly bigint[] | undefined
  readonly trouble: string | undefined
}

type ChunkRow = {
  readonly first_index: bigint
  readonly entry_count: number
  readonly entries: Buffer
  readonly hashes: Buffer
  readonly first_position: bigint
  readonly positions: Buffer | null
}

export async function readStoredChunks(
  pool: Pool,
  from: bigint,
  to: bigint,
  limit: number,
): Promise<readonly StoredChunk[]> {
  const { rows } = await pool.query<ChunkRow>({
    name: 'ledger-audit-chunks',
    text: `SELECT first_index, entry_count, entries, hashes, first_position, positions FROM ledger.entry_chunk
           WHERE first_index >= $1 AND first_index < $2 ORDER BY first_index LIMIT $3`,
    values: [from, to, limit],
  })
  return rows.map((row) => {
    const troubles: string[] = []
    const attempt = <Value>(what: string, read: () => readonly Value[]): readonly Value[] | undefined => {
      try {
        const read_ = read()
        if (read_.length === row.entry_count) return read_
        troubles.push(`${read_.length} ${what} where there were ${row.entry_count}`)
      } catch (error) {
        troubles.push(`its ${what} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
      }
      return undefined
    }
    const entries = attempt('entries', () => splitBundle(unpackEntries(row.entries)))
    const positions = attempt('positions', () =>
      decodePositions(row.first_position, row.entry_count, row.positions),
    )
    return {
      firstIndex: row.first_index,
      count: row.entry_count,
      entries,
      positions,
      hashes: row.hashes.length === row.entry_count * hashSize ? row.hashes : Buffer.alloc(0),
      trouble: troubles.length > 0 ? troubles.join('; ') : undefined,
    }
  })
}

export type StoredCheckpoint = { readonly size: bigint; readonly root: Buffer; readonly note: string }

/** Checkpoints of sizes `after` + 1 … `to`. */
export async function readStoredCheckpoints(
  pool: Pool,
  after: bigint,
  to: bigint,
): Promise<readonly StoredCheckpoint[]> {
  const { rows } = await pool.query<StoredCheckpoint>(
    'SELECT size, root, note FROM ledger.checkpoint WHERE size > $1 AND size <= $2 ORDER BY size',
    [after, to],
  )
  return rows
}

export async function readStoredTile(pool: Pool, level: number, index: bigint): Promise<Buffer | undefined> {
  const { rows } = await pool.query<{ hashes: Buffer }>(
    'SELECT hashes FROM ledger.tile WHERE level = $1 AND tile_index = $2',
    [level, index],
  )
  return rows[0]?.hashes
}
