/** Hashes of the tree from the stored tiles: leaf hashes lie with their entries, those above in tiles of their own. */
import type { Pool, PoolClient } from '../../infra/postgres/pool.ts'
import type { SubtreeReader } from '../log/proof.ts'
import { hashSize, nodeHash } from '../log/tree-hash.ts'
import { run, statements } from './database.ts'

export type TileHashes = {
  /** Hashes of a tile as far as it is stored; empty when there is none. `atLeast`: hashes that are known to be there. */
  tile(level: number, index: bigint, atLeast: number): Promise<Buffer>
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

export function tileHashes(client: Pool | PoolClient): TileHashes {
  const kept = new Map<string, Buffer>()

  async function tile(level: number, index: bigint, atLeast: number): Promise<Buffer> {
    const key = `${level}/${index}`
    const known = kept.get(key)
    if (known && known.length >= atLeast * hashSize) return known
    const hashes = level === 0 ? await leafHashes(client, index) : await upperTile(client, level, index)
    if (hashes.length < atLeast * hashSize)
      throw new TileMissingError(level, index, hashes.length / hashSize, atLeast)
    if (kept.size >= tilesKept) kept.clear()
    kept.set(key, hashes)
    return hashes
  }

  return {
    tile,
    async subtree(level, index) {
      const within = level % 8
      const first = index << BigInt(within)
      const from = Number(first % 256n)
      const count = 1 << within
      const hashes = await tile(Math.floor(level / 8), first / 256n, from + count)
      return fold(hashes.subarray(from * hashSize, (from + count) * hashSize))
    },
  }
}

/** Root of a perfect subtree from its 2^n lowest hashes. */
function fold(hashes: Buffer): Buffer {
  if (hashes.length === hashSize) return hashes
  const half = hashes.length / 2
  return nodeHash(fold(hashes.subarray(0, half)), fold(hashes.subarray(half)))
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
