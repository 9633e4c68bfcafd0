/**
 * `readings.parquet`, the least of Apache Parquet that tools read: format version 1, one page a column and row group, plain
 * encoding, no compression, every column required. The writer of extracts writes with it, the verifier writes the table
 * anew from the events: the same rows give the same bytes (docs/formats/extract.md).
 */
import { utf8 } from './bytes.ts'
import { thriftStruct } from './thrift.ts'

export type ReadingRow = {
  /** Instants, RFC 3339 with milliseconds. */
  readonly at: string
  readonly receivedAt: string
  readonly recordedAt: string
  readonly value: number
  readonly tag: string
  readonly unit: string
  readonly quality: string
  readonly flags: string
  readonly vessel: string
  readonly origin: string
  readonly stream: string
  readonly id: string
  readonly revision: number
  readonly index: number
}

export type ParquetTable = { add(row: ReadingRow): void; finish(): void }

type Kind = 'time' | 'number' | 'text' | 'integer'
const columns: readonly (readonly [keyof ReadingRow, Kind])[] = [
  ['at', 'time'],
  ['receivedAt', 'time'],
  ['recordedAt', 'time'],
  ['value', 'number'],
  ['tag', 'text'],
  ['unit', 'text'],
  ['quality', 'text'],
  ['flags', 'text'],
  ['vessel', 'text'],
  ['origin', 'text'],
  ['stream', 'text'],
  ['id', 'text'],
  ['revision', 'integer'],
  ['index', 'integer'],
]
/** Physical types and converted types of parquet.thrift. */
const physical: Readonly<Record<Kind, number>> = { time: 2, integer: 2, number: 5, text: 6 }
const converted: Readonly<Record<Kind, number | undefined>> = {
  time: 9,
  text: 0,
  number: undefined,
  integer: undefined,
}
const [required, plain, rle, uncompressed, dataPage] = [0, 0, 3, 0, 0]
const createdBy = 'bioprocess-ledger'
const magic = utf8('PAR1')
/** A row group ends with the row that reaches either. */
const mostRows = 50_000
const mostBytes = 16 << 20

type Chunk = { readonly offset: number; readonly length: number; readonly values: number }
type Group = { readonly chunks: readonly Chunk[]; readonly rows: number; readonly bytes: number }

/** `write` takes each part at once; it may keep the bytes. */
export function parquetTable(write: (bytes: Uint8Array) => void): ParquetTable {
  const pages = columns.map(() => growingBytes())
  const groups: Group[] = []
  let offset = 0
  let rows = 0
  let total = 0
  emit(magic)

  function emit(bytes: Uint8Array): void {
    write(bytes)
    offset += bytes.length
  }
  function endGroup(): void {
    if (rows === 0) return
    const chunks = pages.map((page): Chunk => {
      const start = offset
      emit(pageHeader(page.length, rows))
      emit(page.take())
      return { offset: start, length: offset - start, values: rows }
    })
    groups.push({ chunks, rows, bytes: chunks.reduce((sum, { length }) => sum + length, 0) })
    total += rows
    rows = 0
  }
  return {
    add: (row) => {
      let held = 0
      for (let at = 0; at < columns.length; at++) {
        const [name, kind] = columns[at] as (typeof columns)[number]
        const page = pages[at] as GrowingBytes
        const value = row[name]
        if (kind === 'text') page.text(value as string)
        else if (kind === 'number') page.double(value as number)
        else page.long(kind === 'time' ? Date.parse(value as string) : (value as number))
        held += page.length
      }
      rows++
      if (rows >= mostRows || held >= mostBytes) endGroup()
    },
    finish: () => {
      endGroup()
      const footer = fileMetaData(groups, total)
      emit(footer)
      const length = new Uint8Array(4)
      new DataView(length.buffer).setUint32(0, footer.length, true)
      emit(length)
      emit(magic)
    },
  }
}

function pageHeader(length: number, values: number): Uint8Array {
  return thriftStruct((header) => {
    header.i32(1, dataPage)
    header.i32(2, length)
    header.i32(3, length)
    header.struct(5, (page) => {
      page.i32(1, values)
      page.i32(2, plain)
      page.i32(3, rle)
      page.i32(4, rle)
    })
  })
}

function fileMetaData(groups: readonly Group[], rows: number): Uint8Array {
  return thriftStruct((file) => {
    file.i32(1, 1)
    file.structs(2, [undefined, ...columns], (element, column) => {
      if (!column) {
        element.text(4, 'root')
        element.i32(5, columns.length)
        return
      }
      const [name, kind] = column
      element.i32(1, physical[kind])
      element.i32(3, required)
      element.text(4, name)
      const type = converted[kind]
      if (type !== undefined) element.i32(6, type)
    })
    file.i64(3, rows)
    file.structs(4, groups, (group, { chunks, rows: own, bytes }) => {
      group.structs(1, chunks, (chunk, { offset, length, values }, at) => {
        const [name, kind] = columns[at] as (typeof columns)[number]
        chunk.i64(2, offset)
        chunk.struct(3, (meta) => {
          meta.i32(1, physical[kind])
          meta.i32s(2, [plain])
          meta.texts(3, [name])
          meta.i32(4, uncompressed)
          meta.i64(5, values)
          meta.i64(6, length)
          meta.i64(7, length)
          meta.i64(9, offset)
        })
      })
      group.i64(2, bytes)
      group.i64(3, own)
    })
    file.text(6, createdBy)
  })
}

type GrowingBytes = ReturnType<typeof growingBytes>

/** Values in plain encoding: little endian, texts after their length. */
function growingBytes() {
  const encoder = new TextEncoder()
  let bytes = new Uint8Array(1 << 12)
  let view = new DataView(bytes.buffer)
  let length = 0
  function room(more: number): void {
    if (length + more <= bytes.length) return
    const larger = new Uint8Array(Math.max(2 * bytes.length, length + more))
    larger.set(bytes)
    bytes = larger
    view = new DataView(bytes.buffer)
  }
  return {
    get length() {
      return length
    },
    text: (text: string) => {
      room(4 + 3 * text.length)
      const written =
        spelt(text, bytes, length + 4) ?? encoder.encodeInto(text, bytes.subarray(length + 4)).written
      view.setUint32(length, written, true)
      length += 4 + written
    },
    double: (value: number) => {
      room(8)
      view.setFloat64(length, value, true)
      length += 8
    },
    /** A whole number of less than 2^53. */
    long: (value: number) => {
      room(8)
      const high = Math.floor(value / 2 ** 32)
      view.setUint32(length, value - high * 2 ** 32, true)
      view.setInt32(length + 4, high, true)
      length += 8
    },
    take: () => {
      const taken = bytes.slice(0, length)
      length = 0
      return taken
    },
  }
}

/** ASCII, which most texts are, without a call of the encoder; undefined for any other text. */
function spelt(text: string, bytes: Uint8Array, from: number): number | undefined {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code > 0x7f) return undefined
    bytes[from + at] = code
  }
  return text.length
}
