import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  consistencyProof,
  inclusionProof,
  ProofError,
  rootOf,
  type SubtreeReader,
  verifyConsistency,
  verifyInclusion,
} from './proof.ts'
import { parseTilePath, tilePath, tilesBetween, tileWidthAt } from './tile.ts'
import { leafHash, nodeHash } from './tree-hash.ts'

const leaf = (index: number) => leafHash(Buffer.from(`leaf ${index}`))

const read: SubtreeReader = async (level, index) => subtree(level, Number(index))
const cache = new Map<string, Buffer>()
function subtree(level: number, index: number): Buffer {
  const key = `${level}/${index}`
  let root = cache.get(key)
  if (!root) {
    root =
      level === 0 ? leaf(index) : nodeHash(subtree(level - 1, 2 * index), subtree(level - 1, 2 * index + 1))
    cache.set(key, root)
  }
  return root
}

const sizes = fc.integer({ min: 1, max: 2_000 })

test('every proof we make verifies; with any bit flipped, a hash more or less, or another place it does not', async () => {
  await fc.assert(
    fc.asyncProperty(sizes, fc.nat(), fc.nat(), async (size, at, bit) => {
      const index = BigInt(at % size)
      const root = await rootOf(BigInt(size), read)
      const path = await inclusionProof(index, BigInt(size), read)
      const proof = { leaf: leaf(Number(index)), index, size: BigInt(size), root, path }
      verifyInclusion(proof)
      assert.throws(() => verifyInclusion({ ...proof, path: [...path, root] }), ProofError)
      assert.throws(() => verifyInclusion({ ...proof, leaf: leaf(Number(index) + 1) }), ProofError)
      if (size > 1) {
        assert.throws(() => verifyInclusion({ ...proof, path: path.slice(1) }), ProofError)
        const broken = path.map((hash) => Buffer.from(hash))
        broken[bit % path.length]![bit % 32]! ^= 1 << (bit % 8)
        assert.throws(() => verifyInclusion({ ...proof, path: broken }), ProofError)
      }
    }),
    { numRuns: 300 },
  )
})

test('a tree is consistent with each of its prefixes and with no other', async () => {
  await fc.assert(
    fc.asyncProperty(sizes, sizes, fc.nat(), async (a, b, bit) => {
      const [first, second] = [BigInt(Math.min(a, b)), BigInt(Math.max(a, b))]
      const path = await consistencyProof(first, second, read)
      const proof = {
        first,
        firstRoot: await rootOf(first, read),
        second,
        secondRoot: await rootOf(second, read),
        path,
      }
      verifyConsistency(proof)
      const otherRoot = Buffer.from(proof.firstRoot)
      otherRoot[bit % 32]! ^= 1
      assert.throws(() => verifyConsistency({ ...proof, firstRoot: otherRoot }), ProofError)
      assert.throws(() => verifyConsistency({ ...proof, path: [...path, otherRoot] }), ProofError)
      if (path.length > 0)
        assert.throws(() => verifyConsistency({ ...proof, path: path.slice(1) }), ProofError)
    }),
    { numRuns: 300 },
  )
})

test('tile paths read back as what they name, and no second spelling is read', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.constant('entries' as const), fc.integer({ min: 0, max: 63 })),
      fc.bigInt({ min: 0n, max: 10n ** 15n }),
      fc.integer({ min: 1, max: 256 }),
      (level, index, width) => {
        const path = tilePath({ level, index, width })
        assert.deepEqual(parseTilePath(path), { level, index, width })
      },
    ),
  )
  assert.equal(tilePath({ level: 0, index: 1_234_067n, width: 256 }), 'tile/0/x001/x234/067')
  for (const wrong of [
    'tile/0/x000/001',
    'tile/0/1',
    'tile/64/000',
    'tile/00/000',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/05',
    'tile/0/x001',
    'tile/0/001/',
    'tile/data/000',
  ])
    assert.equal(parseTilePath(wrong), undefined, wrong)
})

test('a tree of 70,000 leaves has the tiles of the C2SP example', () => {
  const tiles = tilesBetween(0n, 70_000n)
  const count = (level: number | 'entries', isFull: boolean) =>
    tiles.filter((tile) => tile.level === level && (tile.width === 256) === isFull).length
  assert.deepEqual(
    [
      count(0, true),
      count(0, false),
      count('entries', true),
      count(1, true),
      count(1, false),
      count(2, false),
    ],
    [273, 1, 273, 1, 1, 1],
  )
  assert.deepEqual(
    [
      tileWidthAt(0, 273n, 70_000n),
      tileWidthAt(1, 1n, 70_000n),
      tileWidthAt(2, 0n, 70_000n),
      tileWidthAt(3, 0n, 70_000n),
    ],
    [112, 17, 1, 0],
  )
})

test('growing a tree touches only the tiles that change', () => {
  assert.deepEqual(tilesBetween(256n, 256n), [])
  assert.deepEqual(tilesBetween(100n, 101n).map(tilePath), ['tile/entries/000.p/101', 'tile/0/000.p/101'])
  assert.deepEqual(tilesBetween(255n, 257n).map(tilePath), [
    'tile/entries/000',
    'tile/entries/001.p/1',
    'tile/0/000',
    'tile/0/001.p/1',
    'tile/1/000.p/1',
  ])
})
