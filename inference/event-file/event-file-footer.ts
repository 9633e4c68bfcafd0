/** The footer of an event file: that it is one, with the columns of this format, and what its header says. */
import { type FileHandle, open } from 'node:fs/promises'
import { type FileMetaData, parquetMetadataAsync } from 'hyparquet'
import { type EventFileHeader, eventFileFormat, eventSchema, headerKeys } from './event-columns.ts'
import { EventFileError } from './event-file-error.ts'

/** Throws `EventFileError` where the file cannot be read, is not Parquet, or has other columns. */
export async function eventFileFooter(path: string): Promise<FileMetaData> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    throw new EventFileError({
      code: 'not-a-parquet-file',
      file: path,
      rule: `cannot be opened (${error.code})`,
    })
  })
  try {
    const { size } = await file.stat()
    const metadata = await parquetMetadataAsync(
      { byteLength: size, slice: (from, to) => bytesBetween(file, from, to ?? size) },
      { geoparquet: false },
    ).catch((error: Error) => {
      throw new EventFileError({
        code: 'not-a-parquet-file',
        file: path,
        rule: `is cut off or no Parquet file (${error.message})`,
      })
    })
    requireSchema(path, metadata)
    return metadata
  } finally {
    await file.close()
  }
}

function requireSchema(path: string, { schema }: FileMetaData): void {
  const columns = schema.slice(1)
  for (const expected of eventSchema.slice(1)) {
    const found = columns.find(({ name }) => name === expected.name)
    const rule = !found
      ? `expected a column of ${expected.type}, there is none`
      : found.type !== expected.type ||
          found.converted_type !== expected.converted_type ||
          found.repetition_type !== expected.repetition_type
        ? `expected ${spell(expected)}, it is ${spell(found)}`
        : undefined
    if (rule) throw new EventFileError({ code: 'foreign-schema', file: path, field: expected.name, rule })
  }
  const extra = columns.find(({ name }) => !eventSchema.some((known) => known.name === name))
  if (extra)
    throw new EventFileError({
      code: 'foreign-schema',
      file: path,
      field: extra.name,
      rule: 'is no column of an event file',
    })
}

const spell = (column: FileMetaData['schema'][number]): string =>
  [column.repetition_type, column.type, column.converted_type].filter((part) => part !== undefined).join(' ')

/** Throws `EventFileError` where a fact is missing, or the format is another. */
export function headerOf(path: string, metadata: FileMetaData): EventFileHeader {
  const stated = new Map(metadata.key_value_metadata?.map(({ key, value }) => [key, value ?? '']))
  const get = (name: keyof typeof headerKeys, pattern: RegExp): string => {
    const value = stated.get(headerKeys[name])
    if (value !== undefined && pattern.test(value)) return value
    throw new EventFileError({
      code: 'metadata',
      file: path,
      field: headerKeys[name],
      ...(value === undefined ? {} : { value: JSON.stringify(value) }),
      rule: value === undefined ? 'is missing' : `expected ${pattern.source}`,
    })
  }
  const format = stated.get(headerKeys.format)
  if (format !== eventFileFormat)
    throw new EventFileError({
      code: 'foreign-schema',
      file: path,
      field: headerKeys.format,
      value: format ?? 'missing',
      rule: `expected ${eventFileFormat}`,
    })
  const header: EventFileHeader = {
    batchId: get('batchId', /^[0-9a-f-]{36}$/),
    vessel: get('vessel', /^.+$/),
    events: Number(get('events', /^\d{1,15}$/)),
    readings: Number(get('readings', /^\d{1,15}$/)),
    firstPosition: BigInt(get('firstPosition', /^\d{1,19}$/)),
    lastPosition: BigInt(get('lastPosition', /^\d{1,19}$/)),
    readingsSha256: get('readingsSha256', /^[0-9a-f]{64}$/),
    contentSha256: get('contentSha256', /^[0-9a-f]{64}$/),
  }
  if (metadata.num_rows !== BigInt(header.events))
    throw new EventFileError({
      code: 'metadata',
      file: path,
      field: headerKeys.events,
      value: String(header.events),
      rule: `expected ${metadata.num_rows}, the number of rows`,
    })
  return header
}

/** Bytes `from` to before `to`. */
export async function bytesBetween(file: FileHandle, from: number, to: number): Promise<ArrayBuffer> {
  const bytes = new Uint8Array(to - from)
  let at = 0
  while (at < bytes.length) {
    const { bytesRead } = await file.read(bytes, at, bytes.length - at, from + at)
    if (bytesRead === 0) throw new RangeError(`the file ends at byte ${from + at}`)
    at += bytesRead
  }
  return bytes.buffer
}
