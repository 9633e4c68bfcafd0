/**
 * Hashes of the tree from the stored tiles, as they lie there and unchecked: leaf hashes lie with their entries, those
 * above in tiles of their own. Whoever gives them out reads them through `sealedTiles`.
 */
import type { Pool, PoolClient } from '../../infra/postgres/pool.ts'
import type { SubtreeReader } from '../log/proof.ts'
import { hashSize, nodeHash } from '../log/tree-hash.ts'
import { run, statements } from './database.ts'

/** Hashes of a tile as far as they are there, at least `atLeast`. Throws `TileMissingError` where fewer are. */
export type TileReader = (level: number, index: bigint, atLeast: number) => Promise<Buffer>

export type TileHashes = {
  readonly tile: TileReader
  readonly subtree: SubtreeReader
}

/** Tiles kept in memory: 8 kB each. */
const tilesKept = 1_024

export class TileMissingError extends Error {
  readonly code = 'tile-missing'
  constructor(
    readonly level: number,
    readonly index: bigint,
    readonly held: number,
    readonly needed: number,
  ) {
    super(`tile ${level}/${index} of the ledger holds ${held} hashes where at least ${needed} were written`)
  }
}

/** For one look at a log that nobody writes meanwhile: what was read once is not read again. */
export function tileHashes(client: Pool | PoolClient): TileHashes {
  const kept = new Map<string, Buffer>()
  const read = storedTiles(client)

  async function tile(level: number, index: bigint, atLeast: number): Promise<Buffer> {
    const key = `${level}/${index}`
    const known = kept.get(key)
    if (known && known.length >= atLeast * hashSize) return known
    const hashes = await read(level, index, atLeast)
    if (kept.size >= tilesKept) kept.clear()
    kept.set(key, hashes)
    return hashes
  }
  return { tile, subtree: subtreesOf(tile) }
}

/** Each time as it lies in the database. */
export function storedTiles(client: Pool | PoolClient): TileReader {
  return async (level, index, atLeast) => {
    const hashes = level === 0 ? await leafHashes(client, index) : await upperTile(client, level, index)
    if (hashes.length < atLeast * hashSize)
      throw new TileMissingError(level, index, hashes.length / hashSize, atLeast)
    return hashes
  }
}

export function subtreesOf(tile: TileReader): SubtreeReader {
  return async (level, index) => {
    const within = level % 8
    const first = index << BigInt(within)
    const from = Number(first % 256n)
    const count = 1 << within
    const hashes = await tile(Math.floor(level / 8), first / 256n, from + count)
    return subtreeRoot(hashes.subarray(from * hashSize, (from + count) * hashSize))
  }
}

/** Root of a perfect subtree from its 2^n lowest hashes. */
export function subtreeRoot(hashes: Buffer): Buffer {
  if (hashes.length === hashSize) return hashes
  const half = hashes.length / 2
  return nodeHash(subtreeRoot(hashes.subarray(0, half)), subtreeRoot(hashes.subarray(half)))
}

async function leafHashes(client: Pool | PoolClient, index: bigint): Promise<Buffer> {
  const { rows } = await run<{ first_index: bigint; hashes: Buffer }>(client, statements.readLeafHashes, [
    [index],
  ])
  let next = index * 256n
  for (const row of rows) {
    if (row.first_index !== next) throw new TileMissingError(0, index, Number(next % 256n), 256)
    next += BigInt(row.hashes.length / hashSize)
  }
  return Buffer.concat(rows.map((row) => row.hashes))
}

async function upperTile(client: Pool | PoolClient, level: number, index: bigint): Promise<Buffer> {
  const { rows } = await client.query<{ hashes: Buffer }>(
    'SELECT hashes FROM ledger.tile WHERE level = $1 AND tile_index = $2',
    [level, index],
  )
  return rows[0]?.hashes ?? Buffer.alloc(0)
}
