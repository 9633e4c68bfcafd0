/**
 * Outside vectors on subtrees (transparency-dev/merkle; source and licence in `ledger/vectors/merkle/PROVENANCE.txt`). A
 * subtree is the tree of its own leaves, so its hash and inclusion proofs are ours at another offset; a subtree that
 * begins at leaf 0 is an earlier tree, so its consistency proofs are ours as they stand. Consistency of later subtrees
 * is no part of RFC 6962 and of this log.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { inclusionProof, rootOf, type SubtreeReader, verifyConsistency, verifyInclusion } from './proof.ts'
import { emptyRoot, leafHash, nodeHash } from './tree-hash.ts'

/** Integers beyond 2^53 stand in some cases that must be refused: kept as text, never rounded. */
function readVectors<Shape>(name: string): Shape {
  const text = readFileSync(new URL(`../vectors/merkle/${name}`, import.meta.url), 'utf8')
  return JSON.parse(text.replace(/: ?(\d{16,})(?=[,\n}])/g, ': "$1"')) as Shape
}

const bytes = (base64: string) => Buffer.from(base64, 'base64')

/** A subtree is valid when it begins at a multiple of the smallest power of two that is not below its length. */
function isSubtree(start: bigint, end: bigint): boolean {
  if (start > end) return false
  let power = 1n
  while (power < end - start) power <<= 1n
  return start % power === 0n
}

/** The tree of the leaves from `start` on, of which leaf i is the byte i. */
function treeFrom(start: bigint): SubtreeReader {
  const known = trees.get(start) ?? new Map<string, Promise<Uint8Array>>()
  trees.set(start, known)
  const read: SubtreeReader = (level, index) => {
    const key = `${level}/${index}`
    const hash = known.get(key) ?? compute(level, index)
    known.set(key, hash)
    return hash
  }
  const compute = async (level: number, index: bigint): Promise<Uint8Array> =>
    level === 0
      ? leafHash(Buffer.of(Number(start + index)))
      : nodeHash(await read(level - 1, 2n * index), await read(level - 1, 2n * index + 1n))
  return read
}
const trees = new Map<bigint, Map<string, Promise<Uint8Array>>>()

function* subtrees(): Generator<[start: bigint, end: bigint]> {
  for (let end = 0n; end <= 130n; end++)
    for (let start = 0n; start <= end; start++) if (isSubtree(start, end)) yield [start, end]
}

const { vectors } = readVectors<{ vectors: Record<string, { sha256: string }> }>('subtree-accumulated.json')

test('the published digest over the hashes of all 712 subtrees of 130 leaves is reproduced', async () => {
  const digest = createHash('sha256')
  let count = 0
  for (const [start, end] of subtrees()) {
    const root = end === start ? emptyRoot : await rootOf(end - start, treeFrom(start))
    digest.update(`[${start}, ${end}) ${root.toString('hex')}\n`)
    count++
  }
  assert.equal(count, 712)
  assert.equal(digest.digest('hex'), vectors.subtreeHash?.sha256)
})

test('the published digest over every inclusion proof of sizes 1 to 130 is reproduced', async () => {
  const digest = createHash('sha256')
  for (const [start, end] of subtrees())
    for (let index = start; index < end; index++) {
      const path = await inclusionProof(index - start, end - start, treeFrom(start))
      digest.update(`${index} [${start}, ${end})${path.map((hash) => ` ${hash.toString('hex')}`).join('')}\n`)
    }
  assert.equal(digest.digest('hex'), vectors.subtreeInclusionProof?.sha256)
})

type Probe = {
  start: number | string
  end: number | string
  root: string
  leafIdx: number | string
  leafHash: string
  size: number | string
  root1: string
  root2: string
  proof: string[] | null
  wantErr: boolean
  file: string
}

test('the 204 published inclusion probes of subtrees are accepted and refused as published', () => {
  const cases = readVectors<Probe[]>('subtreeinclusion.all.json')
  let accepted = 0
  for (const probe of cases) {
    const [start, end] = [BigInt(probe.start), BigInt(probe.end)]
    const verify = () => {
      if (!isSubtree(start, end)) throw new RangeError('no subtree')
      verifyInclusion({
        leaf: bytes(probe.leafHash),
        index: BigInt(probe.leafIdx) - start,
        size: end - start,
        root: bytes(probe.root),
        path: (probe.proof ?? []).map(bytes),
      })
    }
    if (probe.wantErr) assert.throws(verify, probe.file)
    else {
      verify()
      accepted++
    }
  }
  assert.deepEqual([cases.length, accepted], [204, 12])
})

test('the published consistency probes of subtrees that are earlier trees are accepted and refused as published', () => {
  const cases = readVectors<Probe[]>('subtreeconsistency.all.json').filter(
    (probe) => BigInt(probe.start) === 0n,
  )
  let accepted = 0
  for (const probe of cases) {
    const verify = () =>
      verifyConsistency({
        first: BigInt(probe.end),
        firstRoot: bytes(probe.root1),
        second: BigInt(probe.size),
        secondRoot: bytes(probe.root2),
        path: (probe.proof ?? []).map(bytes),
      })
    const hasHashes = bytes(probe.root1).length === 32 && bytes(probe.root2).length === 32
    // Of an empty tree nothing can be shown (C2SP tlog-witness asks for an empty proof; that is the witness's rule).
    if (probe.wantErr || !hasHashes || BigInt(probe.end) === 0n) assert.throws(verify, probe.file)
    else {
      verify()
      accepted++
    }
  }
  assert.ok(cases.length > 50 && accepted >= 4, `${cases.length} probes, ${accepted} accepted`)
})
