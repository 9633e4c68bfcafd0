/**
 * A member as it stands in the zip itself: local header, data, and data descriptor (APPNOTE 4.3.7, 4.3.9). A reader that
 * goes through the file from its beginning sees these and not the directory, so both must say the same.
 */
import { fromUtf8 } from './bytes.ts'
import type { RandomAccess } from './platform.ts'
import { Refusal } from './refusal.ts'

export type DirectoryEntry = {
  readonly name: string
  readonly flags: number
  readonly method: number
  readonly crc: number
  readonly size: number
  readonly compressedSize: number
  /** Of the local header. */
  readonly offset: number
}

const hasDescriptor = 0x0008
const full = 0xffffffff
/** ZIP64, and what zip programs note of times and owners: nothing that names a member otherwise (as 0x7075 does). */
const knownExtras = new Set([0x0001, 0x000a, 0x5455, 0x5855, 0x7875])

/** Where the data begin, and the first byte that is no longer of the member. Throws `Refusal`. */
export async function extentOf(
  file: RandomAccess,
  entry: DirectoryEntry,
): Promise<{ dataOffset: number; end: number }> {
  const { name, offset } = entry
  if (offset + 30 > file.size) throw new Refusal(`${name} begins after the end of the file`)
  const header = view(await file.read(offset, 30))
  const [nameLength, extraLength] = [header.getUint16(26, true), header.getUint16(28, true)]
  const dataOffset = offset + 30 + nameLength + extraLength
  if (header.getUint32(0, true) !== 0x04034b50 || dataOffset > file.size)
    throw new Refusal(`the header of ${name} is broken`)
  const tail = await file.read(offset + 30, nameLength + extraLength)
  requireKnownExtras(view(tail), nameLength, extraLength, name)
  const isSame =
    fromUtf8(tail.subarray(0, nameLength)) === name &&
    header.getUint16(6, true) === entry.flags &&
    header.getUint16(8, true) === entry.method &&
    agrees(header, entry)
  if (!isSame) throw new Refusal(`the header of ${name} contradicts the zip's directory`)
  const end = dataOffset + entry.compressedSize
  if (!(entry.flags & hasDescriptor)) return { dataOffset, end }
  if (entry.method === 0)
    throw new Refusal(
      `${name} is stored, and its size stands only after it: who reads onwards cannot tell its end`,
    )
  return { dataOffset, end: end + (await descriptorLength(file, end, entry)) }
}

/** CRC and sizes; with a descriptor they may be zero here, as they were not known yet. */
function agrees(header: DataView, { flags, crc, size, compressedSize }: DirectoryEntry): boolean {
  const stated = [14, 18, 22].map((at) => header.getUint32(at, true))
  if (flags & hasDescriptor && stated.every((value) => value === 0 || value === full)) return true
  return (
    stated[0] === crc && stated[1] === Math.min(compressedSize, full) && stated[2] === Math.min(size, full)
  )
}

/** 12 or 20 bytes, with or without the signature of 4. */
async function descriptorLength(
  file: RandomAccess,
  at: number,
  { name, crc, size, compressedSize }: DirectoryEntry,
): Promise<number> {
  const bytes = view(await file.read(at, Math.min(24, file.size - at)))
  for (const signature of [4, 0])
    for (const width of [4, 8]) {
      const length = signature + 4 + 2 * width
      if (length > bytes.byteLength) continue
      if (signature > 0 && bytes.getUint32(0, true) !== 0x08074b50) continue
      const number = (place: number) =>
        width === 4 ? bytes.getUint32(place, true) : Number(bytes.getBigUint64(place, true))
      const isOurs =
        bytes.getUint32(signature, true) === crc &&
        number(signature + 4) === compressedSize &&
        number(signature + 4 + width) === size
      if (isOurs) return length
    }
  throw new Refusal(`what stands after ${name} contradicts the zip's directory`)
}

/** Throws `Refusal` for a field that is cut off, or of a kind that could tell another reader something else. */
export function requireKnownExtras(bytes: DataView, from: number, length: number, name: string): void {
  let at = from
  while (at < from + length) {
    const next = at + 4 <= from + length ? at + 4 + bytes.getUint16(at + 2, true) : Number.POSITIVE_INFINITY
    if (next > from + length) throw new Refusal(`an extra field of ${name} is cut off`)
    const kind = bytes.getUint16(at, true)
    if (!knownExtras.has(kind))
      throw new Refusal(`${name} has the extra field 0x${kind.toString(16)}, which no extract has`)
    at = next
  }
}

const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
