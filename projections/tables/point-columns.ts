/**
 * Readings packed in columns: the physical form of `reading_chunk.points` and `reading_tail.points`.
 *
 * Little-endian, n points in position order: n values (float64), n times (uint32, ms after `baseAt`), n positions
 * (uint32, after `basePosition`), for tail frames n series numbers (uint32), then n marks (uint8: quality in
 * the low two bits, flags above). A header of 24 bytes carries form, n and the two bases. 17 bytes a
 * reading in a chunk, against some 100 as a plain row with its index.
 */
import { type Quality, quality, type ReadingFlag, readingFlag } from '../../schemas/events/sensor-events.ts'

/** Parallel arrays; `at` is ms since the epoch, `mark` quality and flags. */
export type Points = {
  readonly at: number[]
  readonly value: number[]
  readonly position: bigint[]
  readonly mark: number[]
}
export type PointsOfSeries = Points & { readonly series: number[] }

export const noPoints = (): Points => ({ at: [], value: [], position: [], mark: [] })
export const noPointsOfSeries = (): PointsOfSeries => ({ ...noPoints(), series: [] })

const qualities = quality.options
const flags = readingFlag.options

export function markOf(pointQuality: Quality, pointFlags: readonly ReadingFlag[] = []): number {
  let mark = qualities.indexOf(pointQuality)
  for (const flag of pointFlags) mark |= 4 << flags.indexOf(flag)
  return mark
}
export const qualityOf = (mark: number): Quality => qualities[mark & 3] ?? 'bad'
export const flagsOf = (mark: number): ReadingFlag[] =>
  flags.filter((_, index) => (mark & (4 << index)) !== 0)
/** Statistics rest on readings of quality good or uncertain. */
export const isUsable = (mark: number): boolean => (mark & 3) !== 2

const headerBytes = 24
const widest = 0xffff_ffff

/** How many points from `start` fit one packing: the offsets of time and position are 32 bits wide. */
export function packableLength(points: Points, start: number, limit: number): number {
  const end = Math.min(points.at.length, start + limit)
  let minAt = points.at[start] ?? 0
  let maxAt = minAt
  const basePosition = points.position[start] ?? 0n
  for (let index = start; index < end; index++) {
    const at = points.at[index] ?? 0
    minAt = Math.min(minAt, at)
    maxAt = Math.max(maxAt, at)
    if (maxAt - minAt > widest || (points.position[index] ?? 0n) - basePosition > BigInt(widest))
      return index - start
  }
  return end - start
}

/** Packs `length` points from `start`; the caller made sure with `packableLength` that they fit. */
export function packPoints(points: Points | PointsOfSeries, start: number, length: number): Buffer {
  const withSeries = 'series' in points
  const bytes = Buffer.alloc(headerBytes + length * (withSeries ? 21 : 17))
  let baseAt = Number.POSITIVE_INFINITY
  for (let index = 0; index < length; index++) baseAt = Math.min(baseAt, points.at[start + index] ?? 0)
  const basePosition = points.position[start] ?? 0n
  bytes.writeUInt32LE(withSeries ? 2 : 1, 0)
  bytes.writeUInt32LE(length, 4)
  bytes.writeDoubleLE(length === 0 ? 0 : baseAt, 8)
  bytes.writeBigInt64LE(basePosition, 16)
  let offset = headerBytes
  for (let index = 0; index < length; index++, offset += 8)
    bytes.writeDoubleLE(points.value[start + index] ?? 0, offset)
  for (let index = 0; index < length; index++, offset += 4)
    bytes.writeUInt32LE((points.at[start + index] ?? 0) - baseAt, offset)
  for (let index = 0; index < length; index++, offset += 4)
    bytes.writeUInt32LE(Number((points.position[start + index] ?? 0n) - basePosition), offset)
  if (withSeries)
    for (let index = 0; index < length; index++, offset += 4)
      bytes.writeUInt32LE(points.series[start + index] ?? 0, offset)
  for (let index = 0; index < length; index++, offset++) bytes[offset] = points.mark[start + index] ?? 0
  return bytes
}

/** A packing opened for reading: typed arrays over a copy of its bytes. */
export type PackedPoints = {
  readonly length: number
  readonly baseAt: number
  readonly basePosition: bigint
  readonly value: Float64Array
  readonly atOffset: Uint32Array
  readonly positionOffset: Uint32Array
  readonly series: Uint32Array | undefined
  readonly mark: Uint8Array
}

export function openPoints(bytes: Buffer): PackedPoints {
  const form = bytes.readUInt32LE(0)
  const length = bytes.readUInt32LE(4)
  const width = form === 1 ? 17 : 21
  if ((form !== 1 && form !== 2) || bytes.length !== headerBytes + length * width)
    throw new Error(`packed readings are damaged: form ${form}, ${length} points, ${bytes.length} bytes`)
  // A copy, because typed arrays need their own alignment.
  const copy = new ArrayBuffer(bytes.length)
  new Uint8Array(copy).set(bytes)
  let offset = headerBytes
  const value = new Float64Array(copy, offset, length)
  offset += length * 8
  const atOffset = new Uint32Array(copy, offset, length)
  offset += length * 4
  const positionOffset = new Uint32Array(copy, offset, length)
  offset += length * 4
  let series: Uint32Array | undefined
  if (form === 2) {
    series = new Uint32Array(copy, offset, length)
    offset += length * 4
  }
  return {
    length,
    baseAt: bytes.readDoubleLE(8),
    basePosition: bytes.readBigInt64LE(16),
    value,
    atOffset,
    positionOffset,
    series,
    mark: new Uint8Array(copy, offset, length),
  }
}

/** How many points of the packing are known at `position` (they are in position order). */
export function knownAt(packed: PackedPoints, position: bigint): number {
  const limit = position - packed.basePosition
  if (limit < 0n) return 0
  if (limit >= BigInt(widest)) return packed.length
  const bound = Number(limit)
  let low = 0
  let high = packed.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((packed.positionOffset[middle] ?? 0) <= bound) low = middle + 1
    else high = middle
  }
  return low
}

export const pointAt = (packed: PackedPoints, index: number) => ({
  at: packed.baseAt + (packed.atOffset[index] ?? 0),
  value: packed.value[index] ?? 0,
  position: packed.basePosition + BigInt(packed.positionOffset[index] ?? 0),
  mark: packed.mark[index] ?? 0,
})
export type Point = ReturnType<typeof pointAt>
