/**
 * The right edge of an RFC 6962 tree: the roots of the perfect subtrees that its leaves make up, largest first, one a
 * binary digit of the size. Enough to take in further leaves and to name the root, at about one hash an entry.
 */
import type { SubtreeReader } from '../log/proof.ts'
import { emptyRoot, nodeHash } from '../log/tree-hash.ts'

export type CompactRange = {
  size(): bigint
  root(): Buffer
  /**
   * Takes in the next leaf's hash. `onTileFull` is told the root of every tile that it completes: `level` 1 for a full
   * tile of leaf hashes, and so on: the hash that stands in the tile of that level.
   */
  append(leaf: Buffer, onTileFull: (level: number, hash: Buffer) => void): void
}

/** The range of the first `size` leaves, its subtrees read from the tiles. */
export async function openCompactRange(size: bigint, read: SubtreeReader): Promise<CompactRange> {
  const subtrees: { level: number; hash: Buffer }[] = []
  let from = 0n
  for (let level = 62; level >= 0; level--) {
    const leaves = 1n << BigInt(level)
    if ((size & leaves) === 0n) continue
    subtrees.push({ level, hash: Buffer.from(await read(level, from >> BigInt(level))) })
    from += leaves
  }
  return compactRange(size, subtrees)
}

function compactRange(size: bigint, subtrees: { level: number; hash: Buffer }[]): CompactRange {
  let count = size
  return {
    size: () => count,
    root: () =>
      subtrees.length === 0
        ? emptyRoot
        : subtrees.map((subtree) => subtree.hash).reduceRight((right, left) => nodeHash(left, right)),
    append(leaf, onTileFull) {
      let level = 0
      let hash = leaf
      let last = subtrees.at(-1)
      while (last?.level === level) {
        hash = nodeHash(last.hash, hash)
        level++
        if (level % 8 === 0) onTileFull(level / 8, hash)
        subtrees.pop()
        last = subtrees.at(-1)
      }
      subtrees.push({ level, hash })
      count++
    },
  }
}
