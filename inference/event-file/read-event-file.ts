/**
 * Reads an event file back as the events that were written, in order, one row group in memory at a time. Strict: another schema
 * or format, a position that does not ascend, a row that is no event, a count or hash of the header that does not hold are refused
 * with `EventFileError`, naming file, row and rule. The hash of a file that was cut or changed is known at its end
 * only: what was read before is to be thrown away when reading throws.
 *
 * The hashes find damage, not forgery. What a batch's record is worth outside the house, its extract proves.
 */
import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { zstdDecompressSync } from 'node:zlib'
import { type FileMetaData, parquetRead, type RowGroup } from 'hyparquet'
import type { RecordedEvent } from '../../schemas/event.ts'
import { columnNames, type EventFileHeader } from './event-columns.ts'
import { EventFileError, spelt } from './event-file-error.ts'
import { bytesBetween, eventFileFooter, headerOf } from './event-file-footer.ts'
import { type ColumnsRead, rowReader } from './event-rows-read.ts'
import { readingsDigest } from './readings-digest.ts'

export type EventFile = {
  readonly path: string
  readonly header: EventFileHeader
  /** Hands over every event in order. Rejects with `EventFileError` when the file is not what its header says. */
  readonly forEach: (each: (event: RecordedEvent) => void) => Promise<void>
  /** The same, one by one. */
  readonly events: () => AsyncGenerator<RecordedEvent>
}

/** Reads schema and header; whether the rows keep to them shows when they are read. */
export async function openEventFile(path: string): Promise<EventFile> {
  const metadata = await eventFileFooter(path)
  const header = headerOf(path, metadata)
  return {
    path,
    header,
    forEach: async (each) => {
      for await (const group of groupsOf(path, metadata, header)) for (const event of group) each(event)
    },
    events: async function* () {
      for await (const group of groupsOf(path, metadata, header)) yield* group
    },
  }
}

/** The events of each row group, all to be taken before the next is asked for. */
async function* groupsOf(
  path: string,
  metadata: FileMetaData,
  header: EventFileHeader,
): AsyncGenerator<Iterable<RecordedEvent>> {
  const file = await open(path, 'r')
  try {
    const content = createHash('sha256')
    const readings = readingsDigest()
    const rows = rowReader(header, (row, field, value, rule) => {
      throw new EventFileError({ code: 'row', file: path, row, field, value: spelt(value), rule })
    })
    let row = 0
    for (const [index, group] of metadata.row_groups.entries()) {
      const bytes = await bytesOf(path, file, group, index)
      content.update(new Uint8Array(bytes.content))
      const count = Number(group.num_rows)
      const columns = await columnsOf(path, metadata, bytes, row, count)
      yield passing(rows.read(columns, row, count), readings.add)
      row += count
    }
    if (content.digest('hex') !== header.contentSha256)
      throw new EventFileError({
        code: 'damaged',
        file: path,
        field: 'contentSha256',
        value: header.contentSha256,
        rule: 'the contents have another hash',
      })
    requireSame(path, header, {
      events: row,
      readings: readings.readings(),
      lastPosition: rows.lastPosition(),
      readingsSha256: readings.sha256(),
    })
  } finally {
    await file.close()
  }
}

/** That the rows are what the header says; the hash of the contents has not seen the header. */
function requireSame(path: string, header: EventFileHeader, found: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(found)) {
    const stated = header[name as keyof EventFileHeader]
    if (stated !== value)
      throw new EventFileError({
        code: 'metadata',
        file: path,
        field: name,
        value: String(stated),
        rule: `expected ${value}, as the rows have it`,
      })
  }
}

function* passing(
  events: Iterable<RecordedEvent>,
  each: (event: RecordedEvent) => void,
): Generator<RecordedEvent> {
  for (const event of events) {
    each(event)
    yield event
  }
}

type GroupBytes = { readonly from: number; readonly content: ArrayBuffer }

/** A row group's bytes in one piece: its columns lie side by side. */
async function bytesOf(path: string, file: FileHandle, group: RowGroup, index: number): Promise<GroupBytes> {
  const [first] = group.columns
  const from = Number(first?.meta_data?.dictionary_page_offset ?? first?.meta_data?.data_page_offset)
  const to = group.columns.reduce(
    (sum, { meta_data }) => sum + Number(meta_data?.total_compressed_size ?? Number.NaN),
    from,
  )
  const { size } = await file.stat()
  if (!(from >= 0 && to > from && to <= size))
    throw new EventFileError({
      code: 'damaged',
      file: path,
      field: `row group ${index}`,
      rule: `lies at byte ${from} to ${to} of ${size}`,
    })
  return { from, content: await bytesBetween(file, from, to) }
}

async function columnsOf(
  path: string,
  metadata: FileMetaData,
  bytes: GroupBytes,
  row: number,
  rows: number,
): Promise<ColumnsRead> {
  const columns: Partial<Record<string, ArrayLike<unknown>>> = {}
  await parquetRead({
    file: {
      byteLength: bytes.from + bytes.content.byteLength,
      slice: (from, to) => bytes.content.slice(from - bytes.from, to === undefined ? to : to - bytes.from),
    },
    metadata,
    rowStart: row,
    rowEnd: row + rows,
    geoparquet: false,
    compressors: { ZSTD: (input) => zstdDecompressSync(input) },
    parsers: { timestampFromMilliseconds: instantText() },
    onChunk: ({ columnName, columnData }) => {
      const before = columns[columnName]
      columns[columnName] = before ? [...Array.from(before), ...Array.from(columnData)] : columnData
    },
  }).catch((error: unknown) => {
    throw new EventFileError({
      code: 'damaged',
      file: path,
      row,
      rule: `the row group that begins here cannot be read (${error instanceof Error ? error.message : error})`,
    })
  })
  for (const field of columnNames)
    if (columns[field]?.length !== rows)
      throw new EventFileError({
        code: 'damaged',
        file: path,
        row,
        field,
        rule: `has ${columns[field]?.length ?? 0} values in the row group that begins here, expected ${rows}`,
      })
  return columns as ColumnsRead
}

/** ISO 8601 text of ms since the epoch; the readings of one message share theirs, so the last one is remembered. */
function instantText(): (ms: bigint) => string {
  let last: bigint | undefined
  let text = ''
  return (ms) => {
    if (ms !== last) {
      text = new Date(Number(ms)).toISOString()
      last = ms
    }
    return text
  }
}
