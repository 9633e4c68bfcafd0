/** The log reader over the tables of schema `ledger`. */
import type { Pool } from '../../infra/postgres/pool.ts'
import { rootOf } from '../log/proof.ts'
import { type Tile, tileWidthAt } from '../log/tile.ts'
import { emptyRoot, hashSize, leafHash } from '../log/tree-hash.ts'
import { headsStatementAt, readHeadsRecords } from './heads-rows.ts'
import type { LogReader, PublishedCheckpoint } from './log-reader.ts'
import { indexOfPosition, positionOfIndex, readEntries, readRuns } from './read-entries.ts'
import { sealedBundle } from './sealed-bundle.ts'
import { type NewestCheckpoint, sealedTiles } from './sealed-tiles.ts'
import { storedTiles } from './tile-hashes.ts'

export function postgresLogReader(pool: Pool): LogReader {
  const sealed = sealedTiles({
    read: storedTiles(pool),
    newest: async () => {
      const { rows } = await pool.query<NewestCheckpoint>(
        'SELECT size, root, note FROM ledger.checkpoint ORDER BY size DESC LIMIT 1',
      )
      return rows[0]
    },
    hashesOfEntries: async (from, to) => {
      const hashes: Buffer[] = []
      for await (const { leaf } of readEntries(pool, from, to)) hashes.push(leafHash(leaf))
      return hashes
    },
  })
  const publishedSize = sealed.size

  async function requirePublished(size: bigint): Promise<void> {
    const published = await publishedSize()
    if (size < 0n || size > published)
      throw new RangeError(`size is ${size}, the published log has ${published} entries`)
  }

  const checkpoint = async (condition: string, values: unknown[]) => {
    const { rows } = await pool.query<CheckpointRow>(`${selectCheckpoint} ${condition} LIMIT 1`, values)
    return rows[0] && published(rows[0])
  }

  return {
    async origin() {
      const { rows } = await pool.query<{ origin: string }>('SELECT origin FROM ledger.log')
      return rows[0]?.origin
    },
    async siteKey() {
      const { rows } = await pool.query<{ site_key: Buffer }>('SELECT site_key FROM ledger.log')
      if (!rows[0]) throw new Error('the ledger has no site key yet: its sequencer never ran')
      return rows[0].site_key
    },

    head: () => checkpoint('ORDER BY size DESC', []),
    checkpointOf: (size) => checkpoint('WHERE size = $1', [size]),
    checkpointAtOrBefore(limit) {
      if ('size' in limit) return checkpoint('WHERE size <= $1 ORDER BY size DESC', [limit.size])
      if ('position' in limit) return checkpoint('WHERE position <= $1 ORDER BY size DESC', [limit.position])
      return checkpoint('WHERE recorded_at <= $1 ORDER BY size DESC', [limit.recordedAt])
    },
    checkpointCovering: (size) => checkpoint('WHERE size >= $1 ORDER BY size', [size]),

    async *entries(from, to) {
      if (from < 0n || from > to) throw new RangeError(`entries ${from} to ${to} are no range`)
      await requirePublished(to)
      yield* readEntries(pool, from, to)
    },
    async *entriesOf(runs) {
      const covered = await publishedSize()
      for await (const { index, count } of joined(runs)) {
        const to = index + BigInt(count)
        if (to > covered) throw new RangeError(`entry ${to - 1n} is not published yet`)
        yield* readEntries(pool, index, to)
      }
    },

    async *indexesOf(stream, range) {
      await requirePublished(range.size)
      yield* readRuns(pool, stream, range)
    },

    async positionOf(index) {
      if (index < 0n || index >= (await publishedSize())) return undefined
      return await positionOfIndex(pool, index)
    },
    async indexOf(position) {
      const index = await indexOfPosition(pool, position)
      return index !== undefined && index < (await publishedSize()) ? index : undefined
    },

    subtrees: (size) => async (level, index) => {
      if ((index + 1n) << BigInt(level) > size)
        throw new RangeError(`subtree ${level}/${index} is not inside ${size} entries`)
      return await sealed.subtree(level, index)
    },
    async rootAt(size) {
      await requirePublished(size)
      return size === 0n ? emptyRoot : await rootOf(size, sealed.subtree)
    },
    async tile(tile) {
      const covered = tileWidthAt(
        tile.level === 'entries' ? 0 : tile.level,
        tile.index,
        await publishedSize(),
      )
      if (tile.width > covered) return undefined
      return await tileBytes(tile)
    },

    headsStatement: (size) => headsStatementAt(pool, size),
    headsRecords: (size) => readHeadsRecords(pool, size),
    async requestHeads() {
      await pool.query('INSERT INTO ledger.heads_request DEFAULT VALUES')
    },
  }

  async function tileBytes({ level, index, width }: Tile): Promise<Buffer> {
    if (level === 'entries') return await sealedBundle(pool, sealed.tile, index, width)
    return (await sealed.tile(level, index, width)).subarray(0, width * hashSize)
  }
}

type CheckpointRow = {
  readonly size: bigint
  readonly root: Buffer
  readonly note: string
  readonly position: bigint
  readonly event_id: string
  readonly recorded_at: Date
  readonly signed_at: Date
}

const selectCheckpoint =
  'SELECT size, root, note, position, event_id, recorded_at, signed_at FROM ledger.checkpoint'

const published = (row: CheckpointRow): PublishedCheckpoint => ({
  size: row.size,
  root: row.root,
  note: row.note,
  signedAt: row.signed_at.toISOString(),
  position: row.position,
  eventId: row.event_id,
  recordedAt: row.recorded_at.toISOString(),
})

/** Neighbouring runs that together are one: a reading is read once however its stream's revisions were written. */
async function* joined<Run extends { readonly index: bigint; readonly count: number }>(
  runs: AsyncIterable<Run> | Iterable<Run>,
): AsyncGenerator<{ index: bigint; count: number }> {
  let open: { index: bigint; count: number } | undefined
  for await (const { index, count } of runs) {
    if (open && index < open.index + BigInt(open.count))
      throw new RangeError(`run at ${index} does not come after entry ${open.index}`)
    if (open && index === open.index + BigInt(open.count) && open.count < longestRun) open.count += count
    else {
      if (open) yield open
      open = { index, count }
    }
  }
  if (open) yield open
}

const longestRun = 100_000
