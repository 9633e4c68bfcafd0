/** Thrift's compact protocol, as far as the footer and page headers of Parquet need it. Fields in ascending order. */
import { utf8 } from './bytes.ts'

export type ThriftWriter = {
  i32(id: number, value: number): void
  i64(id: number, value: number): void
  text(id: number, text: string): void
  struct(id: number, fill: (inner: ThriftWriter) => void): void
  structs<T>(id: number, items: readonly T[], fill: (inner: ThriftWriter, item: T, at: number) => void): void
  i32s(id: number, values: readonly number[]): void
  texts(id: number, texts: readonly string[]): void
}

const types = { i32: 5, i64: 6, binary: 8, list: 9, struct: 12 } as const

export function thriftStruct(fill: (writer: ThriftWriter) => void): Uint8Array {
  const out: number[] = []
  into(out, fill)
  return Uint8Array.from(out)
}

function into(out: number[], fill: (writer: ThriftWriter) => void): void {
  let last = 0
  function field(id: number, type: number): void {
    out.push(((id - last) << 4) | type)
    last = id
  }
  function list(id: number, size: number, type: number): void {
    field(id, types.list)
    if (size < 15) out.push((size << 4) | type)
    else {
      out.push(0xf0 | type)
      varint(out, size)
    }
  }
  fill({
    i32: (id, value) => {
      field(id, types.i32)
      varint(out, 2 * value)
    },
    i64: (id, value) => {
      field(id, types.i64)
      varint(out, 2 * value)
    },
    text: (id, text) => {
      field(id, types.binary)
      binary(out, text)
    },
    struct: (id, fillInner) => {
      field(id, types.struct)
      into(out, fillInner)
    },
    structs: (id, items, fillInner) => {
      list(id, items.length, types.struct)
      for (const [at, item] of items.entries()) into(out, (inner) => fillInner(inner, item, at))
    },
    i32s: (id, values) => {
      list(id, values.length, types.i32)
      for (const value of values) varint(out, 2 * value)
    },
    texts: (id, texts) => {
      list(id, texts.length, types.binary)
      for (const text of texts) binary(out, text)
    },
  })
  out.push(0)
}

function binary(out: number[], text: string): void {
  const bytes = utf8(text)
  varint(out, bytes.length)
  for (const byte of bytes) out.push(byte)
}

/** Whole numbers of zero and more, doubled for zigzag by the caller. */
function varint(out: number[], value: number): void {
  let left = value
  while (left >= 0x80) {
    out.push((left % 0x80) | 0x80)
    left = Math.floor(left / 0x80)
  }
  out.push(left)
}
