/**
 * How entries lie in the database: the bytes of a bundle (each entry behind its length as uint16, C2SP tlog-tiles),
 * compressed; positions as distances, left out where all are 1; a stream's places as runs.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { StreamRun } from './log-reader.ts'
import { decodeVarints, encodeVarints } from './varint.ts'

/** 256 entries of at most 65,535 bytes, each behind two bytes. */
const longestBundle = 256 * (2 + 65_535)
const fastest = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

/** Entries of a reading differ in little: about a tenth is left. */
export const packEntries = (bundle: Uint8Array): Buffer => zstdCompressSync(bundle, fastest)

export const unpackEntries = (packed: Uint8Array): Buffer =>
  zstdDecompressSync(packed, { maxOutputLength: longestBundle })

/** The entries in a (part of a) bundle. Throws RangeError when it ends inside one. */
export function splitBundle(bundle: Buffer): Buffer[] {
  const entries: Buffer[] = []
  for (let at = 0; at < bundle.length; ) {
    const from = at + 2
    const to = from + (from <= bundle.length ? bundle.readUInt16BE(at) : Number.POSITIVE_INFINITY)
    if (to > bundle.length) throw new RangeError('the bundle ends inside an entry')
    entries.push(bundle.subarray(from, to))
    at = to
  }
  return entries
}

/** Undefined when every position follows the one before. */
export function encodePositions(positions: readonly bigint[]): Buffer | undefined {
  const distances = positions.slice(1).map((position, at) => position - (positions[at] as bigint))
  return distances.every((distance) => distance === 1n) ? undefined : encodeVarints(distances)
}

export function decodePositions(first: bigint, count: number, bytes: Uint8Array | null): bigint[] {
  if (bytes === null) return Array.from({ length: count }, (_, at) => first + BigInt(at))
  let position = first
  return [first, ...decodeVarints(bytes).map((distance) => (position += distance))]
}

/** A stream's places as counts of consecutive entries and the gaps between; undefined when there is no gap. */
export function encodeRuns(indexes: readonly bigint[]): Buffer | undefined {
  const numbers: bigint[] = []
  let count = 1n
  for (let at = 1; at < indexes.length; at++) {
    const gap = (indexes[at] as bigint) - (indexes[at - 1] as bigint) - 1n
    if (gap === 0n) count++
    else {
      numbers.push(count, gap)
      count = 1n
    }
  }
  return numbers.length === 0 ? undefined : encodeVarints([...numbers, count])
}

export function decodeRuns(row: {
  readonly firstRevision: bigint
  readonly count: number
  readonly firstIndex: bigint
  readonly runs: Uint8Array | null
}): StreamRun[] {
  const { firstRevision, firstIndex } = row
  if (row.runs === null) return [{ revision: firstRevision, index: firstIndex, count: row.count }]
  const numbers = decodeVarints(row.runs)
  const runs: StreamRun[] = []
  let [revision, index] = [firstRevision, firstIndex]
  for (let at = 0; at < numbers.length; at += 2) {
    const count = numbers[at] as bigint
    runs.push({ revision, index, count: Number(count) })
    revision += count
    index += count + (numbers[at + 1] ?? 0n)
  }
  return runs
}
