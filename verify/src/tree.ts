/**
 * The root of an RFC 6962 tree (section 2.1) from left to right: leaves and roots of perfect subtrees are appended in
 * order; what is held is at most one subtree a level, whatever the size.
 */
import type { Platform } from './platform.ts'

export type Tree = {
  /** Leaves covered so far. */
  readonly size: number
  appendLeaf(hash: Uint8Array): void
  /** `level`: the subtree has 2^level leaves; `size` must be a multiple of that. */
  appendSubtree(level: number, hash: Uint8Array): void
  /** Root of what is covered; of at least one leaf. */
  root(): Uint8Array
}

export function growingTree(platform: Platform): Tree {
  const levels: number[] = []
  const hashes: Uint8Array[] = []
  const input = new Uint8Array(65)
  input[0] = 1
  let size = 0
  function node(left: Uint8Array, right: Uint8Array): Uint8Array {
    input.set(left, 1)
    input.set(right, 33)
    return platform.hash(input)
  }
  function append(level: number, hash: Uint8Array): void {
    size += 2 ** level
    let [atLevel, merged] = [level, hash]
    while (levels.at(-1) === atLevel) {
      levels.pop()
      merged = node(hashes.pop() as Uint8Array, merged)
      atLevel++
    }
    levels.push(atLevel)
    hashes.push(merged)
  }
  return {
    get size() {
      return size
    },
    appendLeaf: (hash) => append(0, hash),
    appendSubtree: append,
    root: () => hashes.reduceRight((right, left) => node(left, right)),
  }
}

/** Levels of the perfect subtrees that tile `[from, to)` from the left, each the largest that fits aligned. */
export function tiling(from: number, to: number): number[] {
  const levels: number[] = []
  for (let at = from; at < to; ) {
    let level = 0
    let leaves = 1
    while (at % (2 * leaves) === 0 && at + 2 * leaves <= to) {
      leaves *= 2
      level++
    }
    levels.push(level)
    at += leaves
  }
  return levels
}
