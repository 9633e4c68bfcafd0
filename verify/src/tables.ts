/** `readings.csv` and `readings.parquet` written anew from the events, as their sizes and digests. */
import { toHex } from './bytes.ts'
import type { JsonObject } from './canonical.ts'
import { readingsTable } from './csv.ts'
import type { Entry } from './leaf.ts'
import { parquetTable, type ReadingRow } from './parquet.ts'
import type { Platform } from './platform.ts'

export type TableDigest = { readonly size: number; readonly sha256: string }
export type Tables = {
  /** `data` is that of a reading: see `unlikeReading`. */
  add(entry: Entry, data: JsonObject): void
  finish(): { readonly csv: TableDigest & { readonly rows: number }; readonly parquet: TableDigest }
}

export function readingsTables(platform: Platform): Tables {
  const csv = readingsTable(platform)
  const hasher = platform.sha256()
  let size = 0
  const parquet = parquetTable((bytes) => {
    hasher.update(bytes)
    size += bytes.length
  })
  return {
    add: (entry, data) => {
      csv.add(entry, data)
      parquet.add(rowOf(entry, data))
    },
    finish: () => {
      parquet.finish()
      return { csv: csv.finish(), parquet: { size, sha256: toHex(hasher.digest()) } }
    },
  }
}

function rowOf({ leaf, stream, revision, index, recordedAt }: Entry, data: JsonObject): ReadingRow {
  const [at, receivedAt, origin, id] = [leaf.occurredAt, leaf.receivedAt, leaf.origin, leaf.id] as [
    string,
    string,
    string,
    string,
  ]
  const { tag, unit, quality, vessel, value } = data as Record<
    'tag' | 'unit' | 'quality' | 'vessel',
    string
  > & {
    value: number
  }
  const flags = Array.isArray(data.flags) ? data.flags.join(' ') : ''
  return {
    ...{ at, receivedAt, recordedAt, value, tag, unit, quality, flags, vessel, origin, stream, id },
    ...{ revision, index },
  }
}
