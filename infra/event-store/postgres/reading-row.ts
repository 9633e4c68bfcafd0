/**
 * The physical form of a reading: what varies stands in typed columns, the rest in a template that thousands of
 * readings share. A reading qualifies only if putting the two together gives back exactly its canonical bytes;
 * any other shape is kept as text, like every other event.
 */
import { canonicalJson } from '../../../schemas/canonical-json.ts'
import type { ClientEvent } from '../../../schemas/event.ts'
import { validateForAppend } from '../../../schemas/events/registry.ts'

export type ReadingRow = {
  /** Canonical client JSON without the varying fields. */
  readonly template: string
  readonly occurredMs: number
  readonly receivedMs: number
  readonly seq: number | undefined
  readonly value: number
}

export type ReadingTemplate = Omit<ClientEvent, 'id' | 'occurredAt' | 'receivedAt' | 'data'> & {
  readonly data: Readonly<Record<string, unknown>>
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Remembers the templates it has checked; one per store. */
export function readingRows(limit = 100_000): (event: ClientEvent) => ReadingRow | undefined {
  const checked = new Map<string, string>()
  return (event) => {
    if (event.type !== 'SensorReadingRecorded' || event.source === undefined) return undefined
    const { value, ...constant } = event.data as { value: unknown } & Record<string, unknown>
    const { seq, ...source } = event.source
    const occurredMs = exactMs(event.occurredAt)
    const receivedMs = exactMs(event.receivedAt)
    if (
      typeof value !== 'number' ||
      !Number.isFinite(value) ||
      Object.is(value, -0) ||
      occurredMs === undefined ||
      receivedMs === undefined ||
      !uuidPattern.test(event.id) ||
      (seq !== undefined && !(Number.isSafeInteger(seq) && seq >= 0)) ||
      'seq' in event.source !== (seq !== undefined)
    )
      return undefined
    const {
      id: _id,
      occurredAt: _occurred,
      receivedAt: _received,
      data: _data,
      source: _source,
      ...rest
    } = event
    // The order of keys may differ from writer to writer: then the template is checked once more, no harm.
    const key = JSON.stringify([rest, source, constant])
    let template = checked.get(key)
    if (template === undefined) {
      validateForAppend(event)
      template = canonicalJson({ ...rest, source, data: constant })
      if (checked.size >= limit) checked.clear()
      checked.set(key, template)
    }
    return { template, occurredMs, receivedMs, seq, value }
  }
}

/** The reading again: what `canonicalJson` makes of it are the bytes it was appended with. */
export function readingOf(
  template: ReadingTemplate,
  row: { id: string; occurredMs: number; receivedMs: number; seq: number | undefined; value: number },
): ClientEvent {
  return {
    ...template,
    id: row.id,
    occurredAt: instantOf(row.occurredMs),
    receivedAt: instantOf(row.receivedMs),
    ...(template.source === undefined
      ? {}
      : { source: row.seq === undefined ? template.source : { ...template.source, seq: row.seq } }),
    data: { ...template.data, value: row.value },
  }
}

/** Milliseconds of an instant, or undefined when it is not the one spelling of that millisecond. */
function exactMs(text: string): number | undefined {
  if (typeof text !== 'string') return undefined
  const ms = Date.parse(text)
  return !Number.isNaN(ms) && instantOf(ms) === text ? ms : undefined
}

let lastSecond = Number.NaN
let lastPrefix = ''

/** ISO 8601 with three decimals; readings come in runs of the same second, whose text is made once. */
export function instantOf(ms: number): string {
  const second = Math.floor(ms / 1000)
  if (second !== lastSecond) {
    lastPrefix = new Date(second * 1000).toISOString().slice(0, -4)
    lastSecond = second
  }
  const fraction = ms - second * 1000
  return `${lastPrefix}${fraction < 10 ? '00' : fraction < 100 ? '0' : ''}${fraction}Z`
}
