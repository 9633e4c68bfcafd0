/**
 * Inclusion and consistency proofs of an RFC 6962 tree: made from subtree roots, and verified step by step as
 * RFC 9162 2.1.3.2 and 2.1.4.2 say. Sizes and indexes are `bigint`: a tree may outgrow 2^53.
 *
 * A bare root binds neither size nor index: proofs mean something only under a signed checkpoint, which does.
 */
import { hashSize, nodeHash } from './tree-hash.ts'

/** Gives the root of the perfect subtree of `2^level` leaves that starts at leaf `index · 2^level`. */
export type SubtreeReader = (level: number, index: bigint) => Promise<Uint8Array>

export class ProofError extends Error {
  readonly code = 'proof'
  constructor(readonly rule: string) {
    super(`proof refused: ${rule}`)
  }
}

/** Root of the first `size` leaves (size ≥ 1). */
export async function rootOf(size: bigint, read: SubtreeReader): Promise<Buffer> {
  if (size < 1n) throw new RangeError(`size is ${size}, expected at least 1`)
  return await rangeRoot(0n, size, read)
}

/** Audit path of leaf `index` in the tree of `size` leaves, leaf level first. Throws RangeError unless 0 ≤ index < size. */
export async function inclusionProof(index: bigint, size: bigint, read: SubtreeReader): Promise<Buffer[]> {
  if (index < 0n || index >= size) throw new RangeError(`index is ${index}, expected 0 ≤ index < ${size}`)
  const path: Buffer[] = []
  let [from, to] = [0n, size]
  while (to - from > 1n) {
    const middle = from + largestPowerBelow(to - from)
    if (index < middle) {
      path.push(await rangeRoot(middle, to, read))
      to = middle
    } else {
      path.push(await rangeRoot(from, middle, read))
      from = middle
    }
  }
  return path.reverse()
}

/** Proof that the tree of `first` leaves is a prefix of the one of `second`. Throws RangeError unless 1 ≤ first ≤ second. */
export async function consistencyProof(
  first: bigint,
  second: bigint,
  read: SubtreeReader,
): Promise<Buffer[]> {
  if (first < 1n || first > second)
    throw new RangeError(`sizes are ${first} and ${second}, expected 1 ≤ first ≤ second`)
  const path: Buffer[] = []
  let [from, to] = [0n, second]
  let isWholeFirst = true
  while (first !== to) {
    const middle = from + largestPowerBelow(to - from)
    if (first <= middle) {
      path.push(await rangeRoot(middle, to, read))
      to = middle
    } else {
      path.push(await rangeRoot(from, middle, read))
      from = middle
      isWholeFirst = false
    }
  }
  if (!isWholeFirst) path.push(await rangeRoot(from, to, read))
  return path.reverse()
}

/** Throws `ProofError` unless `path` proves that `leaf` is the `index`-th of the `size` leaves under `root`. */
export function verifyInclusion(proof: {
  leaf: Uint8Array
  index: bigint
  size: bigint
  root: Uint8Array
  path: readonly Uint8Array[]
}): void {
  const { index, size, path } = proof
  if (index < 0n || index >= size) throw new ProofError(`index ${index} is outside the tree of size ${size}`)
  for (const hash of [proof.leaf, proof.root, ...path]) requireHash(hash)
  let fn = index
  let sn = size - 1n
  let computed: Uint8Array = proof.leaf
  for (const hash of path) {
    if (sn === 0n) throw new ProofError('the path is too long')
    if ((fn & 1n) === 1n || fn === sn) {
      computed = nodeHash(hash, computed)
      while ((fn & 1n) === 0n && fn !== 0n) {
        fn >>= 1n
        sn >>= 1n
      }
    } else computed = nodeHash(computed, hash)
    fn >>= 1n
    sn >>= 1n
  }
  if (sn !== 0n) throw new ProofError('the path is too short')
  if (!equal(computed, proof.root)) throw new ProofError('the path leads to another root')
}

/** Throws `ProofError` unless `path` proves that the tree (`first`, `firstRoot`) is a prefix of (`second`, `secondRoot`); `first` ≥ 1. */
export function verifyConsistency(proof: {
  first: bigint
  firstRoot: Uint8Array
  second: bigint
  secondRoot: Uint8Array
  path: readonly Uint8Array[]
}): void {
  const { first, second, path } = proof
  if (first < 1n) throw new ProofError('nothing can be shown of an empty tree')
  if (first > second) throw new ProofError(`the first size ${first} is larger than the second ${second}`)
  for (const hash of [proof.firstRoot, proof.secondRoot, ...path]) requireHash(hash)
  if (first === second) {
    if (path.length > 0) throw new ProofError('trees of equal size need an empty path')
    if (!equal(proof.firstRoot, proof.secondRoot))
      throw new ProofError('trees of equal size have different roots')
    return
  }
  // A first tree that is a perfect subtree starts the path itself (RFC 9162 2.1.4.2, step 2).
  const steps = isPowerOfTwo(first) ? [proof.firstRoot, ...path] : path
  const start = steps[0]
  if (!start) throw new ProofError('the path is empty')
  let fn = first - 1n
  let sn = second - 1n
  while ((fn & 1n) === 1n) {
    fn >>= 1n
    sn >>= 1n
  }
  let [computedFirst, computedSecond] = [start, start]
  for (const hash of steps.slice(1)) {
    if (sn === 0n) throw new ProofError('the path is too long')
    if ((fn & 1n) === 1n || fn === sn) {
      computedFirst = nodeHash(hash, computedFirst)
      computedSecond = nodeHash(hash, computedSecond)
      while ((fn & 1n) === 0n && fn !== 0n) {
        fn >>= 1n
        sn >>= 1n
      }
    } else computedSecond = nodeHash(computedSecond, hash)
    fn >>= 1n
    sn >>= 1n
  }
  if (sn !== 0n) throw new ProofError('the path is too short')
  if (!equal(computedFirst, proof.firstRoot)) throw new ProofError('the path does not contain the first tree')
  if (!equal(computedSecond, proof.secondRoot))
    throw new ProofError('the path does not lead to the second tree')
}

/** Root of leaves from … to − 1, where `from` is a multiple of the largest perfect subtree inside. */
async function rangeRoot(from: bigint, to: bigint, read: SubtreeReader): Promise<Buffer> {
  // The range is perfect subtrees of falling size, left to right; they fold from the right.
  const subtrees: Promise<Uint8Array>[] = []
  for (let at = from; at < to; ) {
    let level = 0
    while (at % (1n << BigInt(level + 1)) === 0n && at + (1n << BigInt(level + 1)) <= to) level++
    subtrees.push(read(level, at >> BigInt(level)))
    at += 1n << BigInt(level)
  }
  const roots = await Promise.all(subtrees)
  return Buffer.from(roots.reduceRight((right, left) => nodeHash(left, right)))
}

function largestPowerBelow(size: bigint): bigint {
  let power = 1n
  while (power << 1n < size) power <<= 1n
  return power
}

const isPowerOfTwo = (size: bigint) => (size & (size - 1n)) === 0n
const equal = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0

function requireHash(hash: Uint8Array): void {
  if (hash.length !== hashSize) throw new ProofError(`a hash has ${hash.length} bytes, expected ${hashSize}`)
}
