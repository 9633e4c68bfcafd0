/**
 * A strict reader of zip files (PKWARE APPNOTE 6.3): the file is local headers, data and descriptors without a byte between
 * them, then the directory, and all say the same of a member, so that whoever reads it from either end sees the same; no
 * name stands twice, no directories, links or encryption; sizes are bounded before anything is inflated.
 */
import type { Platform, RandomAccess } from './platform.ts'
import { Refusal } from './refusal.ts'
import { type DirectoryEntry, extentOf, requireKnownExtras } from './zip-local.ts'

export type Member = {
  readonly name: string
  readonly size: number
  readonly compressedSize: number
  readonly method: number
  readonly crc: number
  readonly dataOffset: number
}

const maximumMembers = 100_000
const maximumDirectoryBytes = 64 << 20
const maximumRatio = 100
const freeBytes = 64 << 20
const chunkBytes = 1 << 18

/** The members by name. Throws `Refusal` for anything but one plain archive. */
export async function readDirectory(file: RandomAccess): Promise<ReadonlyMap<string, Member>> {
  const { count, offset, size, end } = await readEnd(file)
  if (count > maximumMembers) throw new Refusal(`the zip has ${count} members, at most ${maximumMembers}`)
  if (size > maximumDirectoryBytes)
    throw new Refusal(`the zip's directory is larger than ${maximumDirectoryBytes}`)
  if (offset + size !== end)
    throw new Refusal("the zip's directory does not end where the archive's end begins")
  const directory = view(await file.read(offset, size))
  const members = new Map<string, Member>()
  const extents: { from: number; to: number; name: string }[] = []
  let at = 0
  for (let entry = 0; entry < count; entry++) {
    if (at + 46 > size || directory.getUint32(at, true) !== 0x02014b50)
      throw new Refusal(`entry ${entry + 1} of the zip's directory is broken`)
    const flags = directory.getUint16(at + 8, true)
    const method = directory.getUint16(at + 10, true)
    const nameLength = directory.getUint16(at + 28, true)
    const extraLength = directory.getUint16(at + 30, true)
    const commentLength = directory.getUint16(at + 32, true)
    const next = at + 46 + nameLength + extraLength + commentLength
    if (next > size) throw new Refusal(`entry ${entry + 1} of the zip's directory is cut off`)
    const name = memberName(bytesOf(directory, at + 46, nameLength))
    if (members.has(name)) throw new Refusal(`the zip has two members named ${name}`)
    if (flags & 0x2041) throw new Refusal(`${name} is encrypted`)
    if (flags & ~0x080e) throw new Refusal(`${name} has flags that no plain member has`)
    if (method !== 0 && method !== 8)
      throw new Refusal(`${name} has the unknown compression method ${method}`)
    requireRegularFile(directory.getUint32(at + 38, true), name)
    const places = zip64(directory, at, at + 46 + nameLength, extraLength, name)
    if (method === 0 && places.size !== places.compressedSize)
      throw new Refusal(`${name} is stored, but its two sizes differ`)
    const crc = directory.getUint32(at + 16, true)
    const listed: DirectoryEntry = { name, flags, method, crc, ...places }
    const { dataOffset, end: to } = await extentOf(file, listed)
    if (to > offset) throw new Refusal(`${name} reaches into the zip's directory`)
    extents.push({ from: places.offset, to, name })
    members.set(name, {
      name,
      size: places.size,
      compressedSize: places.compressedSize,
      method,
      crc,
      dataOffset,
    })
    at = next
  }
  if (at !== size) throw new Refusal("bytes follow the last entry of the zip's directory")
  requireNoGaps(extents, offset)
  const total = [...members.values()].reduce((sum, member) => sum + member.size, 0)
  if (total > maximumRatio * file.size + freeBytes)
    throw new Refusal(`the members together are ${total} bytes, more than ${maximumRatio} times the file`)
  return members
}

/** The member's bytes. Throws `Refusal` when they are not of the size and CRC that the directory states. */
export async function* memberBytes(
  file: RandomAccess,
  member: Member,
  platform: Platform,
): AsyncIterable<Uint8Array> {
  const raw = rawBytes(file, member)
  let length = 0
  let crc = 0
  try {
    for await (const chunk of member.method === 8 ? platform.inflate(raw) : raw) {
      length += chunk.length
      if (length > member.size) throw new Refusal(`${member.name} is longer than the zip states`)
      crc = platform.crc32(chunk, crc)
      yield chunk
    }
  } catch (error) {
    if (error instanceof Refusal) throw error
    throw new Refusal(`${member.name} cannot be read after ${length} of its ${member.size} bytes`)
  }
  if (length !== member.size) throw new Refusal(`${member.name} is shorter than the zip states`)
  if (crc >>> 0 !== member.crc)
    throw new Refusal(`${member.name} does not have the CRC-32 that the zip states`)
}

async function* rawBytes(file: RandomAccess, member: Member): AsyncIterable<Uint8Array> {
  const end = member.dataOffset + member.compressedSize
  for (let at = member.dataOffset; at < end; at += chunkBytes)
    yield await file.read(at, Math.min(chunkBytes, end - at))
}

async function readEnd(file: RandomAccess) {
  if (file.size < 22) throw new Refusal('this is no zip file')
  const end = view(await file.read(file.size - 22, 22))
  if (end.getUint32(0, true) !== 0x06054b50 || end.getUint16(20, true) !== 0)
    throw new Refusal('this is no zip file, or something follows its end')
  const plain = {
    count: end.getUint16(10, true),
    size: end.getUint32(12, true),
    offset: end.getUint32(16, true),
    end: file.size - 22,
  }
  if (end.getUint16(4, true) !== 0 || end.getUint16(6, true) !== 0 || end.getUint16(8, true) !== plain.count)
    throw new Refusal('the zip is in several parts')
  const isZip64 = plain.count === 0xffff || plain.size === 0xffffffff || plain.offset === 0xffffffff
  if (!isZip64) return plain
  if (file.size < 22 + 20 + 56) throw new Refusal('the zip64 end is missing')
  const locator = view(await file.read(file.size - 42, 20))
  const endOffset = big(locator, 8, 'the place of the zip64 end')
  if (locator.getUint32(0, true) !== 0x07064b50 || endOffset + 56 !== file.size - 42)
    throw new Refusal('the zip64 end is not where it should be')
  const record = view(await file.read(endOffset, 56))
  if (record.getUint32(0, true) !== 0x06064b50) throw new Refusal('the zip64 end is broken')
  return {
    count: big(record, 32, 'the number of members'),
    size: big(record, 40, 'the size of the directory'),
    offset: big(record, 48, 'the place of the directory'),
    end: endOffset,
  }
}

/** Sizes and offset of a directory entry, from the zip64 field (APPNOTE 4.5.3) where the plain ones are full. */
function zip64(directory: DataView, entry: number, extraAt: number, extraLength: number, name: string) {
  let size = directory.getUint32(entry + 24, true)
  let compressedSize = directory.getUint32(entry + 20, true)
  let offset = directory.getUint32(entry + 42, true)
  requireKnownExtras(directory, extraAt, extraLength, name)
  const end = extraAt + extraLength
  for (let at = extraAt; at + 4 <= end; ) {
    const length = directory.getUint16(at + 2, true)
    if (directory.getUint16(at, true) === 1) {
      let field = at + 4
      const take = () => {
        if (field + 8 > at + 4 + length) throw new Refusal(`the zip64 field of ${name} is cut off`)
        field += 8
        return big(directory, field - 8, `a size of ${name}`)
      }
      if (size === 0xffffffff) size = take()
      if (compressedSize === 0xffffffff) compressedSize = take()
      if (offset === 0xffffffff) offset = take()
    }
    at += 4 + length
  }
  return { size, compressedSize, offset }
}

/** External attributes: Unix mode in the upper half, MS-DOS ones in the lower (0x08 volume label, 0x10 directory). */
function requireRegularFile(attributes: number, name: string): void {
  const kind = (attributes >>> 16) & 0o170000
  if ((kind !== 0 && kind !== 0o100000) || (attributes & 0x18) !== 0)
    throw new Refusal(`${name} is no regular file`)
}

/** Every byte before the directory belongs to exactly one member. */
function requireNoGaps(extents: { from: number; to: number; name: string }[], directoryAt: number): void {
  let end = 0
  for (const extent of extents.sort((a, b) => a.from - b.from)) {
    if (extent.from < end) throw new Refusal(`${extent.name} overlaps another member of the zip`)
    if (extent.from > end) throw new Refusal(`hidden bytes stand before ${extent.name}`)
    end = extent.to
  }
  if (end !== directoryAt) throw new Refusal("hidden bytes stand before the zip's directory")
}

function memberName(bytes: Uint8Array): string {
  const name = String.fromCharCode(...bytes.subarray(0, 200))
  if (!/^[A-Za-z0-9][A-Za-z0-9.-]{0,99}$/.test(name))
    throw new Refusal(`a member of the zip has the name ${JSON.stringify(name)}, which no extract has`)
  return name
}

function big(from: DataView, at: number, what: string): number {
  const value = from.getBigUint64(at, true)
  if (value >= 1n << 53n) throw new Refusal(`${what} in the zip is absurd`)
  return Number(value)
}

const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
const bytesOf = (from: DataView, at: number, length: number) =>
  new Uint8Array(from.buffer, from.byteOffset + at, length)
