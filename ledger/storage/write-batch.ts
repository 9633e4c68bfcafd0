/**
 * Writes a batch in one transaction: entries and their hashes, tiles, places, heads, and the log's size and root by
 * compare-and-set under the fence. Either all of it is durable or nothing is.
 */
import type { PoolClient } from '../../infra/postgres/pool.ts'
import type { Batch } from '../sequencer/integrate.ts'
import { run, statements } from './database.ts'

/** Another sequencer took over, or the log is not where this one left it: what it holds in memory is void. */
export class LogMovedError extends Error {
  readonly code = 'log-moved'
  constructor(readonly size: bigint) {
    super(`the log is no longer at size ${size} under this sequencer: another one took over`)
  }
}

export async function writeBatch(
  client: PoolClient,
  batch: Batch,
  place: { readonly fence: bigint; readonly storeId: string },
): Promise<void> {
  await client.query('BEGIN')
  try {
    await moveLog(client, batch, place)
    await writeEntries(client, batch)
    await writeTiles(client, batch)
    await writeRuns(client, batch)
    await writeHeads(client, batch)
    for (const { size, index } of batch.statements)
      await client.query(
        'UPDATE ledger.heads_statement SET event_index = $2 WHERE size = $1 AND event_index IS NULL',
        [size, index],
      )
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {})
    throw error
  }
}

async function moveLog(
  client: PoolClient,
  { sizeBefore, rootBefore, size, root, last }: Batch,
  { fence, storeId }: { readonly fence: bigint; readonly storeId: string },
): Promise<void> {
  const values = [sizeBefore, rootBefore, size, root, fence, storeId, last.position, last.id, last.recordedAt]
  const { count } = await run(client, statements.moveLog, values)
  if (count !== 1) throw new LogMovedError(sizeBefore)
}

async function writeEntries(client: PoolClient, { chunks }: Batch): Promise<void> {
  const entries = laid(chunks.map((chunk) => chunk.entries))
  const hashes = laid(chunks.map((chunk) => chunk.hashes))
  const positions = laid(chunks.map((chunk) => chunk.positions ?? nothing))
  await run(client, statements.writeEntries, [
    chunks.map((chunk) => chunk.firstIndex),
    chunks.map((chunk) => chunk.count),
    entries.from,
    entries.lengths,
    entries.bytes,
    hashes.from,
    hashes.bytes,
    chunks.map((chunk) => chunk.firstPosition),
    positions.from,
    positions.lengths,
    positions.bytes,
  ])
}

async function writeTiles(client: PoolClient, { tiles }: Batch): Promise<void> {
  if (tiles.length === 0) return
  const hashes = laid(tiles.map((tile) => tile.hashes))
  await run(client, statements.writeTiles, [
    tiles.map((tile) => tile.level),
    tiles.map((tile) => tile.index),
    hashes.from,
    hashes.lengths,
    hashes.bytes,
  ])
}

async function writeRuns(client: PoolClient, { runs }: Batch): Promise<void> {
  const packed = laid(runs.map((row) => row.runs ?? nothing))
  await run(client, statements.writeRuns, [
    runs.map((row) => row.streamKey),
    runs.map((row) => row.firstRevision),
    runs.map((row) => row.count),
    runs.map((row) => row.firstIndex),
    packed.from,
    packed.lengths,
    packed.bytes,
  ])
}

async function writeHeads(client: PoolClient, { heads }: Batch): Promise<void> {
  await run(client, statements.writeStreams, [
    heads.map((head) => head.streamKey),
    heads.map((head) => head.name),
    heads.map((head) => head.count),
    heads.map((head) => head.lastIndex),
    Buffer.concat(heads.map((head) => Buffer.from(head.lastHash, 'base64'))),
  ])
}

const nothing = Buffer.alloc(0)

/** Byte strings one after the other, and where each begins (SQL counts from 1): one parameter, sent as it is. */
function laid(parts: readonly Buffer[]): { bytes: Buffer; from: number[]; lengths: number[] } {
  const from: number[] = []
  let at = 1
  for (const part of parts) {
    from.push(at)
    at += part.length
  }
  return { bytes: Buffer.concat(parts), from, lengths: parts.map((part) => part.length) }
}
