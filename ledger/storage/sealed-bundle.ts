/** Entry bundles (C2SP tlog-tiles) whose entries are those that were hashed. */
import type { Pool } from '../../infra/postgres/pool.ts'
import { tilePath } from '../log/tile.ts'
import { hashSize, leafHash } from '../log/tree-hash.ts'
import { NotAsSealedError } from './not-as-sealed.ts'
import { EntryMissingError, readEntries } from './read-entries.ts'
import type { TileReader } from './tile-hashes.ts'

/**
 * The first `width` entries of a bundle, each behind its length as uint16. `tile` gives checked leaf hashes. Throws
 * `NotAsSealedError` that names the first entry that is gone, cannot be read or is another.
 */
export async function sealedBundle(
  pool: Pool,
  tile: TileReader,
  index: bigint,
  width: number,
): Promise<Buffer> {
  const hashes = await tile(0, index, width)
  const subject = tilePath({ level: 'entries', index, width: 256 })
  const parts: Buffer[] = []
  let at = 0
  try {
    for await (const { leaf } of readEntries(pool, index * 256n, index * 256n + BigInt(width))) {
      if (!leafHash(leaf).equals(hashes.subarray(at * hashSize, (at + 1) * hashSize)))
        throw new NotAsSealedError(
          subject,
          `entry ${index * 256n + BigInt(at)} is not the one that was hashed`,
        )
      const length = Buffer.alloc(2)
      length.writeUInt16BE(leaf.length)
      parts.push(length, leaf)
      at++
    }
  } catch (error) {
    if (!isDamage(error)) throw error
    throw new NotAsSealedError(
      subject,
      `what follows entry ${index * 256n + BigInt(at)} cannot be read: ${error.message}`,
    )
  }
  return Buffer.concat(parts)
}

/** Rows that are gone, end inside an entry, or do not unpack. */
function isDamage(error: unknown): error is Error {
  if (error instanceof EntryMissingError || error instanceof RangeError) return true
  return error instanceof Error && /^(ZSTD_|Z_BUF_)/.test(String((error as NodeJS.ErrnoException).code))
}
