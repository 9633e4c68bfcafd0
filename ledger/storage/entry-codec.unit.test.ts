import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  decodePositions,
  decodeRuns,
  encodePositions,
  encodeRuns,
  packEntries,
  splitBundle,
  unpackEntries,
} from './entry-codec.ts'
import { decodeVarints, encodeVarints } from './varint.ts'

const ascending = fc
  .tuple(
    fc.bigInt({ min: 0n, max: 2n ** 60n }),
    fc.array(fc.oneof({ weight: 4, arbitrary: fc.constant(1n) }, fc.bigInt({ min: 1n, max: 2n ** 40n })), {
      maxLength: 255,
      size: 'max',
    }),
  )
  .map(([first, distances]) => {
    let at = first
    return [first, ...distances.map((distance) => (at += distance))]
  })

test('whole numbers come back from their varints; a cut one is refused', () => {
  fc.assert(
    fc.property(fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n })), (numbers) => {
      assert.deepEqual(decodeVarints(encodeVarints(numbers)), numbers)
    }),
  )
  assert.throws(() => decodeVarints(Buffer.of(0x80)), RangeError)
  assert.throws(() => encodeVarints([-1n]), RangeError)
})

test('positions come back, and take no room where each follows the one before', () => {
  fc.assert(
    fc.property(ascending, (positions) => {
      const encoded = encodePositions(positions)
      assert.deepEqual(decodePositions(positions[0] as bigint, positions.length, encoded ?? null), positions)
      assert.equal(
        encoded === undefined,
        positions.every((position, at) => position === (positions[0] as bigint) + BigInt(at)),
      )
    }),
  )
})

test("a stream's places come back as runs of consecutive entries, as few as there are", () => {
  fc.assert(
    fc.property(ascending, fc.bigInt({ min: 0n, max: 2n ** 60n }), (indexes, firstRevision) => {
      const runs = decodeRuns({
        firstRevision,
        count: indexes.length,
        firstIndex: indexes[0] as bigint,
        runs: encodeRuns(indexes) ?? null,
      })
      const placed = runs.flatMap((run) =>
        Array.from({ length: run.count }, (_, at) => [run.revision + BigInt(at), run.index + BigInt(at)]),
      )
      assert.deepEqual(
        placed,
        indexes.map((index, at) => [firstRevision + BigInt(at), index]),
      )
      const gaps = indexes.filter((index, at) => at > 0 && index !== (indexes[at - 1] as bigint) + 1n)
      assert.equal(runs.length, gaps.length + 1)
    }),
  )
})

test('entries come back from a bundle, packed and unpacked; one that is cut is refused', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 300, size: 'max' }), { minLength: 1, maxLength: 20 }),
      (entries) => {
        const bundle = Buffer.concat(
          entries.flatMap((entry) => [Buffer.of(entry.length >> 8, entry.length & 0xff), entry]),
        )
        assert.deepEqual(
          splitBundle(unpackEntries(packEntries(bundle))),
          entries.map((entry) => Buffer.from(entry)),
        )
        assert.throws(() => splitBundle(bundle.subarray(0, -1)), RangeError)
      },
    ),
  )
})
