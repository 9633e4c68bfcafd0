/**
 * One inclusion proof for many leaves of an RFC 6962 tree (docs/formats/extract.md, "Proof"): every gap between included
 * leaves is tiled by aligned perfect subtrees, whose roots are the proof. Leaves that lie together share what they need.
 */
import type { SubtreeReader } from '../log/proof.ts'

/** Entries `from` … `to` − 1. */
export type IndexRange = { readonly from: number; readonly to: number }

/** The hashes of the proof in order. `ranges` ascend and do not overlap; `size` is the tree's. */
export async function* multiProof(
  ranges: Iterable<IndexRange>,
  size: number,
  read: SubtreeReader,
): AsyncIterable<Buffer> {
  let end = 0
  for (const { from, to } of ranges) {
    yield* gap(end, from, read)
    end = to
  }
  yield* gap(end, size, read)
}

async function* gap(from: number, to: number, read: SubtreeReader): AsyncIterable<Buffer> {
  for (let at = from; at < to; ) {
    let level = 0
    let leaves = 1
    while (at % (2 * leaves) === 0 && at + 2 * leaves <= to) {
      leaves *= 2
      level++
    }
    yield Buffer.from(await read(level, BigInt(at / leaves)))
    at += leaves
  }
}
