/** `readings.parquet`: the rows of `readings.csv` as Apache Parquet, in row groups, so that memory is bounded. */

import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import type { ReadingRow } from './readings-csv.ts'

export type ReadingsParquet = {
  add(row: ReadingRow): void
  /** Waits until what was added may be let go of. */
  ready(): Promise<void>
  finish(): Promise<void>
}

const rowGroup = 50_000
const texts = ['tag', 'unit', 'quality', 'flags', 'vessel', 'origin', 'stream', 'id'] as const
const times = ['at', 'receivedAt', 'recordedAt'] as const
const integers = ['revision', 'index'] as const

export function readingsParquet(path: string): ReadingsParquet {
  const out = createWriteStream(path)
  const writer = new ByteWriter(1 << 20)
  const parquet = new ParquetWriter({
    writer,
    createdBy: 'bioprocess-ledger',
    schema: [
      { name: 'root', num_children: texts.length + times.length + integers.length + 1 },
      ...times.map((name) => ({
        name,
        type: 'INT64' as const,
        converted_type: 'TIMESTAMP_MILLIS' as const,
        repetition_type: 'REQUIRED' as const,
      })),
      { name: 'value', type: 'DOUBLE', repetition_type: 'REQUIRED' },
      ...texts.map((name) => ({
        name,
        type: 'BYTE_ARRAY' as const,
        converted_type: 'UTF8' as const,
        repetition_type: 'REQUIRED' as const,
      })),
      ...integers.map((name) => ({ name, type: 'INT64' as const, repetition_type: 'REQUIRED' as const })),
    ],
  })
  let rows: ReadingRow[] = []

  function writeGroup(): void {
    if (rows.length === 0) return
    const held = rows
    rows = []
    void parquet.write({
      rowGroupSize: rowGroup,
      columnData: [
        ...times.map((name) => ({ name, data: held.map((row) => new Date(row[name])) })),
        { name: 'value', data: Float64Array.from(held, (row) => row.value) },
        ...texts.map((name) => ({ name, data: held.map((row) => row[name]) })),
        ...integers.map((name) => ({ name, data: BigInt64Array.from(held, (row) => BigInt(row[name])) })),
      ],
    })
    handOver()
  }
  function handOver(): void {
    out.write(Buffer.from(writer.buffer.slice(0, writer.index)))
    writer.index = 0
  }
  return {
    add: (row) => {
      rows.push(row)
      if (rows.length >= rowGroup) writeGroup()
    },
    ready: async () => {
      if (out.writableNeedDrain) await once(out, 'drain')
    },
    finish: async () => {
      writeGroup()
      await parquet.finish()
      handOver()
      out.end()
      await once(out, 'finish')
    },
  }
}
