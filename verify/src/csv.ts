/** `readings.csv` written anew from the events, as its digest: docs/formats/extract.md, RFC 4180. */
import { toHex, utf8 } from './bytes.ts'
import { isObject, type JsonObject } from './canonical.ts'
import type { Entry } from './leaf.ts'
import type { Platform } from './platform.ts'

export type Table = {
  /** `data` is that of a reading: see `unlikeReading`. */
  add(entry: Entry, data: JsonObject): void
  finish(): { readonly rows: number; readonly size: number; readonly sha256: string }
}

export const columns =
  'at,tag,value,unit,quality,flags,vessel,receivedAt,recordedAt,origin,stream,revision,index,id'
export const readingType = 'SensorReadingRecorded'
const flushLength = 1 << 16

export function readingsTable(platform: Platform): Table {
  const hasher = platform.sha256()
  let rows = 0
  let size = 0
  let text = `${columns}\r\n`
  function flush(): void {
    const bytes = utf8(text)
    hasher.update(bytes)
    size += bytes.length
    text = ''
  }
  return {
    add: (entry, data) => {
      rows++
      text += row(entry.leaf, data, entry.index)
      if (text.length > flushLength) flush()
    },
    finish: () => {
      flush()
      return { rows, size, sha256: toHex(hasher.digest()) }
    },
  }
}

/** Why these are not the fields of a reading, or undefined. */
export function unlikeReading(data: JsonObject): string | undefined {
  const { flags = [] } = data
  for (const key of ['tag', 'unit', 'quality', 'vessel'])
    if (typeof data[key] !== 'string') return `the ${key} of the reading is no text`
  if (typeof data.value !== 'number') return 'the value of the reading is no number'
  if (!Array.isArray(flags) || flags.some((flag) => typeof flag !== 'string'))
    return 'the flags of the reading are no texts'
  return undefined
}

function row(leaf: JsonObject, data: JsonObject, index: number): string {
  const flags = Array.isArray(data.flags) ? data.flags.join(' ') : ''
  const texts = [leaf.occurredAt, data.tag].map(cell).join(',')
  const rest = [data.unit, data.quality, flags, data.vessel, leaf.receivedAt, leaf.recordedAt, leaf.origin]
    .concat([leaf.stream, leaf.revision, String(index), leaf.id])
    .map(cell)
    .join(',')
  return `${texts},${JSON.stringify(data.value)},${rest}\r\n`
}

function cell(value: unknown): string {
  const text = typeof value === 'string' ? value : isObject(value as never) ? '' : String(value ?? '')
  if (/^[A-Za-z0-9][A-Za-z0-9 .:_%/-]*$/.test(text)) return text
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
