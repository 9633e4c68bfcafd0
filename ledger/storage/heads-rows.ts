/** Heads statements in the database: what was stated, and the whole list that its root is over. */
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { Pool, PoolClient } from '../../infra/postgres/pool.ts'
import { type HeadRecord, headsRoot, sortedByKey, streamKeyOf } from '../heads/heads-list.ts'
import type { HeadsStatement } from './log-reader.ts'

/** Key (32), count (8), last index (8), last leaf hash (32). */
const recordBytes = 80

/** Every stream's head as the log has it at this moment; the caller holds the log still. */
export async function readStreamHeads(client: PoolClient, siteKey: Uint8Array): Promise<HeadRecord[]> {
  const { rows: named } = await client.query<{ origin: string }>('SELECT origin FROM ledger.log')
  const origin = named[0]?.origin
  if (origin === undefined) return []
  const { rows } = await client.query<{
    name: string
    event_count: bigint
    last_index: bigint
    last_hash: Buffer
  }>('SELECT name, event_count, last_index, last_hash FROM ledger.stream')
  return sortedByKey(
    rows.map((row) => ({
      streamKey: streamKeyOf({ siteKey, origin }, row.name),
      count: row.event_count,
      lastIndex: row.last_index,
      lastLeafHash: row.last_hash,
    })),
  )
}

/** Keeps the list stated about `size`; stating the same size again changes nothing. */
export async function writeHeadsRecords(
  client: PoolClient,
  size: bigint,
  records: readonly HeadRecord[],
): Promise<Buffer> {
  const root = headsRoot(records, size)
  await client.query(
    `INSERT INTO ledger.heads_statement (size, root, stream_count, records) VALUES ($1, $2, $3, $4)
     ON CONFLICT (size) DO NOTHING`,
    [size, root, records.length, zstdCompressSync(Buffer.concat(records.map(encodeRecord)))],
  )
  return root
}

export async function headsStatementAt(pool: Pool, size: bigint): Promise<HeadsStatement | undefined> {
  const { rows } = await pool.query<{
    size: bigint
    root: Buffer
    stream_count: bigint
    event_index: bigint
  }>(
    `SELECT size, root, stream_count, event_index FROM ledger.heads_statement
     WHERE event_index < $1 ORDER BY size DESC LIMIT 1`,
    [size],
  )
  const row = rows[0]
  return row && { size: row.size, root: row.root, streams: row.stream_count, index: row.event_index }
}

/** Throws RangeError when nothing was stated about that size. */
export async function readHeadsRecords(pool: Pool, size: bigint): Promise<HeadRecord[]> {
  const { rows } = await pool.query<{ records: Buffer; stream_count: bigint }>(
    'SELECT records, stream_count FROM ledger.heads_statement WHERE size = $1',
    [size],
  )
  const row = rows[0]
  if (!row) throw new RangeError(`the heads were not stated at size ${size}`)
  const bytes = zstdDecompressSync(row.records, { maxOutputLength: Number(row.stream_count) * recordBytes })
  return Array.from({ length: Number(row.stream_count) }, (_, at) =>
    decodeRecord(bytes.subarray(at * recordBytes, (at + 1) * recordBytes)),
  )
}

function encodeRecord({ streamKey, count, lastIndex, lastLeafHash }: HeadRecord): Buffer {
  const numbers = Buffer.alloc(16)
  numbers.writeBigUInt64BE(count, 0)
  numbers.writeBigUInt64BE(lastIndex, 8)
  return Buffer.concat([streamKey, numbers, lastLeafHash], recordBytes)
}

const decodeRecord = (bytes: Buffer): HeadRecord => ({
  streamKey: bytes.subarray(0, 32),
  count: bytes.readBigUInt64BE(32),
  lastIndex: bytes.readBigUInt64BE(40),
  lastLeafHash: bytes.subarray(48, 80),
})
