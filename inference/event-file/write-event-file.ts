/**
 * Writes one batch's events into an event file, row group by row group, so that memory does not grow with the batch.
 * Synchronous: a simulation hands its events over in one call. The file is written as `<path>.part` and stands under its name
 * only when it is complete and on the disk.
 */
import { createHash } from 'node:crypto'
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { constants, zstdCompressSync } from 'node:zlib'
import type { KeyValue } from 'hyparquet'
import { ByteWriter, type ColumnSource, ParquetWriter } from 'hyparquet-writer'
import type { RecordedEvent } from '../../schemas/event.ts'
import { streams } from '../../schemas/streams.ts'
import {
  columnNames,
  type EventFileHeader,
  eventFileFormat,
  eventSchema,
  headerKeys,
} from './event-columns.ts'
import { EventFileError, spelt } from './event-file-error.ts'
import { type Columns, requireWellFormed, roomFor, rowGatherer, type Wrong } from './event-rows.ts'
import { readingsDigest } from './readings-digest.ts'

export type EventFileWriter = {
  /** Events come in ascending positions. Throws `EventFileError` for one that the columns cannot give back exactly. */
  readonly add: (event: RecordedEvent) => void
  /** Completes the file. `before` runs when all is written, before the file takes its name. */
  readonly finish: (before?: (header: EventFileHeader) => void) => EventFileHeader
  /** Leaves nothing behind; does nothing after `finish`. */
  readonly discard: () => void
}

const rowsInGroup = 32_768
const magicBytes = 4
const largest = (1n << 63n) - 1n
const level = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

export function eventFileWriter(
  path: string,
  batch: { readonly batchId: string; readonly vessel: string },
): EventFileWriter {
  const part = `${path}.part`
  const file = openSync(part, 'w')
  const bytes = new ByteWriter(1 << 22)
  const kvMetadata: KeyValue[] = []
  const parquet = new ParquetWriter({
    writer: bytes,
    createdBy: 'bioprocess-ledger',
    schema: [...eventSchema],
    codec: 'ZSTD',
    compressors: { ZSTD: (input) => zstdCompressSync(input, level) },
    statistics: false,
    kvMetadata,
  })
  const batchStream = streams.batch(batch.batchId)
  const readingStream = streams.reading(batch.batchId)
  const readings = readingsDigest()
  const content = createHash('sha256')
  const columns = roomFor(rowsInGroup)
  let held = 0
  let events = 0
  let first: bigint | undefined
  let last: bigint | undefined
  let isOpen = true

  const refuse = (row: number, field: string, value: unknown, rule: string): never => {
    throw new EventFileError({ code: 'row', file: path, row, field, value: spelt(value), rule })
  }
  const wrong: Wrong = (...fault) => refuse(events, ...fault)
  const gather = rowGatherer(wrong)
  /** Hands the bytes so far to the file; `skip` of them are not part of the content. */
  const flush = (isContent: boolean, skip = 0): void => {
    const chunk = new Uint8Array(bytes.buffer, 0, bytes.index)
    if (isContent) content.update(chunk.subarray(skip))
    for (let at = 0; at < chunk.length; ) at += writeSync(file, chunk, at)
    bytes.index = 0
  }
  const writeGroup = (): void => {
    const rows = held
    held = 0
    requireWellFormed(columns, rows, (row, ...fault) => refuse(events - rows + row, ...fault))
    const isFirst = bytes.offset === magicBytes
    void parquet.write({ rowGroupSize: rowsInGroup, columnData: columnSources(columns, rows) })
    flush(true, isFirst ? magicBytes : 0)
  }

  return {
    add: (event) => {
      if (last !== undefined && event.position <= last)
        wrong('position', event.position, `expected above ${last}, the one before`)
      if (event.position > largest) wrong('position', event.position, `expected ${largest} at most`)
      if (event.stream !== batchStream && event.stream !== readingStream)
        wrong('stream', event.stream, `expected ${batchStream} or ${readingStream}`)
      gather(columns, held, event)
      held++
      first ??= event.position
      last = event.position
      events++
      readings.add(event)
      if (held === rowsInGroup) writeGroup()
    },
    finish: (before) => {
      if (held > 0) writeGroup()
      if (first === undefined || last === undefined)
        throw new EventFileError({ code: 'metadata', file: path, rule: 'a batch has at least one event' })
      const header: EventFileHeader = {
        batchId: batch.batchId,
        vessel: batch.vessel,
        events,
        readings: readings.readings(),
        firstPosition: first,
        lastPosition: last,
        readingsSha256: readings.sha256(),
        contentSha256: content.digest('hex'),
      }
      for (const [name, key] of Object.entries(headerKeys))
        kvMetadata.push({
          key,
          value: name === 'format' ? eventFileFormat : String(header[name as keyof EventFileHeader]),
        })
      void parquet.finish()
      flush(false)
      fsyncSync(file)
      before?.(header)
      closeSync(file)
      isOpen = false
      renameSync(part, path)
      return header
    },
    discard: () => {
      if (!isOpen) return
      isOpen = false
      closeSync(file)
      rmSync(part, { force: true })
    },
  }
}

function columnSources(columns: Columns, rows: number): ColumnSource[] {
  return columnNames.map((name): ColumnSource => {
    const data = name === 'value' ? valuesOf(columns.value.subarray(0, rows)) : columns[name].slice(0, rows)
    const common = { name, data, offsetIndex: false, statistics: hasStatistics.has(name) }
    return isPlain.has(name) ? { ...common, encoding: 'PLAIN' } : common
  })
}

const hasStatistics: ReadonlySet<string> = new Set(['position', 'occurredAt'])
/** Never by dictionary: of ids, places and times it would hold nearly all, and of values it would take -0 for 0. */
const isPlain: ReadonlySet<string> = new Set([
  'position',
  'revision',
  'id',
  'occurredAt',
  'receivedAt',
  'recordedAt',
  'value',
])

const valuesOf = (values: Float64Array): Float64Array | (number | null)[] =>
  values.some(Number.isNaN) ? Array.from(values, (value) => (Number.isNaN(value) ? null : value)) : values
