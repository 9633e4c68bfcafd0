/**
 * Opens the log for writing: makes it when there is none, takes the fence, rebuilds the right edge of the tree from the
 * stored tiles, and refuses to go on unless root, heads, event store and everything signed before agree with it.
 */
import { randomBytes } from 'node:crypto'
import { assertSameStore } from '../../infra/event-store/checkpoint.ts'
import type { EventStore } from '../../infra/event-store/event-store.ts'
import type { Pool, PoolClient } from '../../infra/postgres/pool.ts'
import { rootOf, type SubtreeReader } from '../log/proof.ts'
import { tileWidthAt } from '../log/tile.ts'
import { emptyRoot, hashSize } from '../log/tree-hash.ts'
import { tileHashes } from '../storage/tile-hashes.ts'
import { type CompactRange, openCompactRange } from './compact-range.ts'
import { type PartialTiles, partialTiles, type TileWrite } from './partial-tiles.ts'
import { LedgerRefusedError } from './refusal.ts'
import type { Signed, SignedState } from './signed-state.ts'

export type OpenLog = {
  readonly origin: string
  readonly siteKey: Buffer
  readonly fence: bigint
  readonly durable: DurableState | undefined
  readonly publishedSize: bigint
  /** What stood outside the database, and is part of the tree. */
  readonly signed: Signed | undefined
  readonly range: CompactRange
  readonly tiles: PartialTiles
  readonly nextStreamKey: () => number
  /** Entries came that the last heads statement is not about. */
  readonly isBeyondStatement: boolean
}

/** What the database holds for good; undefined for an empty log. */
export type DurableState = {
  readonly size: bigint
  readonly root: Buffer
  readonly position: bigint
  readonly eventId: string
  readonly recordedAt: string
}

export type OpenLogDeps = {
  readonly pool: Pool
  readonly store: EventStore
  /** Begins the origin of a new log: `<name>/<id>`. */
  readonly originPrefix: string
  readonly signedState: SignedState
}

type LogRow = {
  readonly origin: string
  readonly site_key: Buffer
  readonly size: bigint
  readonly root: Buffer
  readonly store_id: string | null
  readonly position: bigint | null
  readonly event_id: string | null
  readonly recorded_at: Date | null
  readonly fence: bigint
}

/** Throws `LedgerRefusedError` (or what the store says of itself) when the log must not go on. */
export async function openLog(client: PoolClient, deps: OpenLogDeps): Promise<OpenLog> {
  const known = await deps.signedState.read()
  await makeLog(client, known?.origin ?? `${deps.originPrefix}/${randomBytes(6).toString('hex')}`)
  const { rows } = await client.query<LogRow>('UPDATE ledger.log SET fence = fence + 1 RETURNING *')
  const row = rows[0]
  if (!row) throw new LedgerRefusedError('the log has no state row')
  // Read again behind the fence: who held it before may have signed until then.
  const signed = await deps.signedState.read()
  // Nobody else writes now; the pool may be asked several things at once, this connection may not.
  const { subtree } = tileHashes(deps.pool)
  await assertTree(client, row, subtree)
  await assertHeads(client, row.size)
  const publishedSize = await assertPublished(client, row, subtree)
  if (signed) await assertSigned(row, signed, subtree)
  assertKept(publishedSize, signed)
  const durable = durableState(row)
  if (durable && row.store_id !== null)
    await assertSameStore(deps.store, {
      storeId: row.store_id,
      position: durable.position,
      eventId: durable.eventId,
    })
  const { rows: counts } = await client.query<{ last_key: number | null; stated: bigint | null }>(
    `SELECT (SELECT max(stream_key) FROM ledger.stream) AS last_key,
      (SELECT max(size) FROM ledger.heads_statement WHERE event_index IS NOT NULL) AS stated`,
  )
  let lastKey = counts[0]?.last_key ?? 0
  return {
    origin: row.origin,
    siteKey: row.site_key,
    fence: row.fence,
    durable,
    publishedSize,
    signed,
    range: await openCompactRange(row.size, subtree),
    tiles: partialTiles(await lastTiles(client, row.size)),
    nextStreamKey: () => ++lastKey,
    isBeyondStatement: row.size - 1n > (counts[0]?.stated ?? -1n),
  }
}

async function makeLog(client: PoolClient, origin: string): Promise<void> {
  await client.query(
    'INSERT INTO ledger.log (origin, site_key, size, root) VALUES ($1, $2, 0, $3) ON CONFLICT DO NOTHING',
    [origin, randomBytes(32), emptyRoot],
  )
}

function durableState(row: LogRow): DurableState | undefined {
  const { size, root, position, event_id, recorded_at } = row
  if (position === null || event_id === null || recorded_at === null) return undefined
  return { size, root, position, eventId: event_id, recordedAt: recorded_at.toISOString() }
}

async function assertTree(client: PoolClient, { size, root }: LogRow, subtree: SubtreeReader): Promise<void> {
  const { rows } = await client.query<{ stored: bigint | null }>(
    'SELECT first_index + entry_count AS stored FROM ledger.entry_chunk ORDER BY first_index DESC LIMIT 1',
  )
  const stored = rows[0]?.stored ?? 0n
  if (stored !== size)
    throw new LedgerRefusedError(`the database holds ${stored} entries, the log's state says ${size}`)
  const rebuilt = await rootAt(size, subtree)
  if (!rebuilt.equals(root))
    throw new LedgerRefusedError(
      `the tiles of ${size} entries lead to the root ${spelt(rebuilt)}, the log's state says ${spelt(root)}: tiles were changed`,
    )
}

async function assertHeads(client: PoolClient, size: bigint): Promise<void> {
  const { rows } = await client.query<{ total: bigint }>(
    'SELECT coalesce(sum(event_count), 0)::bigint AS total FROM ledger.stream',
  )
  const total = rows[0]?.total ?? 0n
  if (total !== size)
    throw new LedgerRefusedError(`the heads of all streams count ${total} events, the log has ${size}`)
}

async function assertPublished(client: PoolClient, row: LogRow, subtree: SubtreeReader): Promise<bigint> {
  const { rows } = await client.query<{ size: bigint; root: Buffer }>(
    'SELECT size, root FROM ledger.checkpoint ORDER BY size DESC LIMIT 1',
  )
  const last = rows[0]
  if (!last) return 0n
  await assertContains(row, last, subtree, 'published')
  return last.size
}

async function assertSigned(
  row: LogRow,
  signed: { readonly origin: string; readonly size: bigint; readonly root: Buffer },
  subtree: SubtreeReader,
): Promise<void> {
  if (signed.origin !== row.origin)
    throw new LedgerRefusedError(
      `this installation signed the log ${signed.origin} before, but the database holds ${row.origin}`,
    )
  await assertContains(row, signed, subtree, 'signed')
}

/** What was published was kept outside before: where that is missing, it was lost or set back, and more may have been signed. */
function assertKept(publishedSize: bigint, signed: Signed | undefined): void {
  if (publishedSize <= (signed?.size ?? 0n)) return
  throw new LedgerRefusedError(
    `the database holds a checkpoint of ${publishedSize} entries, but ${signed ? `ledger.signed only one of ${signed.size}` : 'there is no ledger.signed'}: ` +
      'the data folder was lost or restored, and perhaps the database with it. Restore the newest ledger.signed; ' +
      'where there is none, a person who knows that nothing beyond was ever signed confirms it (bioledger ledger-confirm)',
  )
}

async function assertContains(
  row: LogRow,
  before: { readonly size: bigint; readonly root: Buffer },
  subtree: SubtreeReader,
  what: 'signed' | 'published',
): Promise<void> {
  if (before.size > row.size)
    throw new LedgerRefusedError(
      `a checkpoint of ${before.size} entries was ${what}, but the database holds only ${row.size}: an old backup was restored. ` +
        'Restore the newest one; what it lacks would be denied otherwise',
    )
  const root = await rootAt(before.size, subtree)
  if (!root.equals(before.root))
    throw new LedgerRefusedError(
      `the checkpoint ${what} at size ${before.size} has the root ${spelt(before.root)}, but the log's first ${before.size} entries lead to ${spelt(root)}: history was changed`,
    )
}

async function rootAt(size: bigint, subtree: SubtreeReader): Promise<Buffer> {
  return size === 0n ? emptyRoot : await rootOf(size, subtree)
}

async function lastTiles(client: PoolClient, size: bigint): Promise<TileWrite[]> {
  const { rows } = await client.query<{ level: number; tile_index: bigint; hashes: Buffer }>(
    `SELECT DISTINCT ON (level) level, tile_index, hashes FROM ledger.tile ORDER BY level, tile_index DESC`,
  )
  for (const { level, tile_index, hashes } of rows)
    if (hashes.length !== hashSize * tileWidthAt(level, tile_index, size))
      throw new LedgerRefusedError(
        `tile ${level}/${tile_index} holds ${hashes.length / hashSize} hashes, ${size} entries make ${tileWidthAt(level, tile_index, size)}`,
      )
  return rows.map((row) => ({ level: row.level, index: row.tile_index, hashes: row.hashes }))
}

const spelt = (root: Buffer): string => root.toString('base64')
