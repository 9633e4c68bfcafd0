/** Zips whose members a reader from the front, or another program, would see otherwise than the directory says; no key needed. */
import { crc32, deflateRawSync } from 'node:zlib'
import { putTogether } from './extract-file.ts'
import type { Honest, TamperCase } from './tamper-case.ts'

const trick = (name: string, make: (zip: Buffer) => Buffer): TamperCase => ({
  name: `the zip: ${name}`,
  check: 'container',
  make: (honest: Honest) => make(putTogether(honest.members())),
})

const directoryOf = (zip: Buffer) => zip.readUInt32LE(zip.length - 6)

/** Places of the directory's entry and of the local header of a member. */
function placesOf(zip: Buffer, name: string): { central: number; local: number } {
  for (let at = directoryOf(zip); zip.readUInt32LE(at) === 0x02014b50; ) {
    const length = zip.readUInt16LE(at + 28)
    if (zip.toString('utf8', at + 46, at + 46 + length) === name)
      return { central: at, local: zip.readUInt32LE(at + 42) }
    at += 46 + length + zip.readUInt16LE(at + 30)
  }
  throw new Error(`no ${name}`)
}

/** The directory moves back by what is put before it. */
function beforeDirectory(zip: Buffer, hidden: Buffer): Buffer {
  const at = directoryOf(zip)
  const tail = Buffer.from(zip.subarray(at))
  tail.writeUInt32LE(at + hidden.length, tail.length - 6)
  return Buffer.concat([zip.subarray(0, at), hidden, tail])
}

function memberNamed(name: string, text: string): Buffer {
  const bytes = Buffer.from(text)
  const packed = deflateRawSync(bytes)
  const header = Buffer.alloc(30)
  header.write('PK\u0003\u0004', 'latin1')
  for (const [at, value] of [
    [4, 20],
    [8, 8],
    [12, 0x21],
    [26, name.length],
  ] as const)
    header.writeUInt16LE(value, at)
  header.writeUInt32LE(crc32(bytes), 14)
  header.writeUInt32LE(packed.length, 18)
  header.writeUInt32LE(bytes.length, 22)
  return Buffer.concat([header, Buffer.from(name), packed])
}

/** An extra field in the directory's entry of `report.html`. */
function withExtra(zip: Buffer, kind: number, body: Buffer): Buffer {
  const { central } = placesOf(zip, 'report.html')
  const end = central + 46 + 'report.html'.length
  const field = Buffer.concat([Buffer.alloc(4), body])
  field.writeUInt16LE(kind, 0)
  field.writeUInt16LE(body.length, 2)
  const whole = Buffer.concat([zip.subarray(0, end), field, zip.subarray(end)])
  whole.writeUInt16LE(field.length, central + 30)
  whole.writeUInt32LE(whole.readUInt32LE(whole.length - 10) + field.length, whole.length - 10)
  return whole
}

const inReport = (edit: (zip: Buffer, central: number, local: number) => void) => (zip: Buffer) => {
  const { central, local } = placesOf(zip, 'report.html')
  edit(zip, central, local)
  return zip
}

export const zipTricks: readonly TamperCase[] = [
  trick('a second report that only a reader from the front finds', (zip) =>
    beforeDirectory(zip, memberNamed('report.html', '<h1>Batch released, no deviation</h1>')),
  ),
  trick('a byte before its directory', (zip) => beforeDirectory(zip, Buffer.alloc(1))),
  trick(
    'a member that is a link',
    inReport((zip, central) => {
      zip.writeUInt16LE(0x0314, central + 4)
      zip.writeUInt32LE((0o120777 << 16) >>> 0, central + 38)
    }),
  ),
  trick(
    'a member that claims to be a folder',
    inReport((zip, central) => void zip.writeUInt32LE(0x10, central + 38)),
  ),
  trick(
    'a header with other sizes',
    inReport((zip, _, local) => void zip.writeUInt32LE(7, local + 18)),
  ),
  trick(
    'a header with another CRC',
    inReport((zip, _, local) => void zip.writeUInt32LE(5, local + 14)),
  ),
  trick(
    'a header that says encrypted',
    inReport((zip, _, local) => void zip.writeUInt16LE(1, local + 6)),
  ),
  trick(
    'a member that announces a descriptor which is not there',
    inReport((zip, central, local) => {
      zip.writeUInt16LE(8, central + 8)
      zip.writeUInt16LE(8, local + 6)
    }),
  ),
  trick('another name in an extra field', (zip) =>
    withExtra(zip, 0x7075, Buffer.concat([Buffer.from([1, 0, 0, 0, 0]), Buffer.from('old.html')])),
  ),
  trick('an extra field of an unknown kind', (zip) => withExtra(zip, 0xbeef, Buffer.alloc(4))),
]
