/**
 * An event as a row of an event file and back. Gathering refuses what the columns could not give back exactly, so that
 * whatever was written reads as the same event (W3C trace context aside, which is no part of the record).
 */
import { canonicalJson } from '../../schemas/canonical-json.ts'
import type { RecordedEvent } from '../../schemas/event.ts'
import { sensorReadingRecorded } from '../../schemas/events/sensor-events.ts'
import { type ColumnName, columnNames, readingColumns } from './event-columns.ts'

export const flagSeparator = ','
const readingKeys: ReadonlySet<string> = new Set(readingColumns)

/** Room for rows, one array a column, used over and over. In `value` NaN stands for null: no reading has it. */
export type Columns = Readonly<Record<Exclude<ColumnName, keyof Numbers>, (string | bigint | null)[]>> &
  Numbers
type Numbers = {
  readonly position: BigInt64Array
  readonly revision: BigInt64Array
  readonly schemaVersion: Int32Array
  readonly value: Float64Array
}

export const roomFor = (rows: number): Columns =>
  Object.fromEntries(columnNames.map((name) => [name, emptyColumn(name, rows)])) as Columns

function emptyColumn(name: ColumnName, rows: number): Columns[ColumnName] {
  if (name === 'position' || name === 'revision') return new BigInt64Array(rows)
  if (name === 'schemaVersion') return new Int32Array(rows)
  if (name === 'value') return new Float64Array(rows)
  return new Array<string | bigint | null>(rows).fill(null)
}

/** Refuses the row: `field` of the event breaks `rule`. */
export type Wrong = (field: string, value: unknown, rule: string) => never

/** Puts an event at a row; where `wrong` is called, what stands there is of no use. */
export function rowGatherer(wrong: Wrong): (columns: Columns, row: number, event: RecordedEvent) => void {
  const occurred = instantReader()
  const received = instantReader()
  const recorded = instantReader()
  return (columns, row, event) => {
    columns.position[row] = event.position
    columns.stream[row] = event.stream
    columns.revision[row] = event.revision
    columns.id[row] = event.id
    columns.type[row] = event.type
    columns.schemaVersion[row] = event.schemaVersion
    columns.occurredAt[row] = occurred(event.occurredAt) ?? noInstant('occurredAt', event.occurredAt)
    columns.receivedAt[row] = received(event.receivedAt) ?? noInstant('receivedAt', event.receivedAt)
    columns.recordedAt[row] = recorded(event.recordedAt) ?? noInstant('recordedAt', event.recordedAt)
    columns.actorKind[row] = event.actor.kind
    columns.actorId[row] = event.actor.id
    columns.actorRole[row] = event.actor.role
    columns.origin[row] = event.origin
    columns.site[row] = event.site
    columns.sourceTopic[row] = event.source?.topic ?? null
    columns.sourceSeq[row] = event.source?.seq === undefined ? null : BigInt(event.source.seq)
    const { causationId, correlationId, reason } = event
    columns.context[row] =
      causationId === undefined && correlationId === undefined && reason === undefined
        ? null
        : canonical('context', { causationId, correlationId, reason })
    if (event.type === sensorReadingRecorded.type) addReading(columns, row, event.data)
    else {
      for (const name of readingColumns)
        if (name === 'value') columns.value[row] = Number.NaN
        else columns[name][row] = null
      columns.data[row] = canonical('data', event.data)
    }
  }

  function addReading(columns: Columns, row: number, data: Record<string, unknown>): void {
    for (const key in data)
      if (!readingKeys.has(key)) wrong(`data.${key}`, data[key], 'is not a field of a reading')
    const { value, flags } = data
    columns.value[row] =
      typeof value === 'number' && Number.isFinite(value)
        ? value
        : wrong('data.value', value, 'expected a finite number')
    for (const name of ['vessel', 'tag', 'unit', 'quality'] as const) {
      const text = data[name]
      columns[name][row] = typeof text === 'string' ? text : wrong(`data.${name}`, text, 'expected text')
    }
    columns.flags[row] = flags === undefined ? null : flagText(flags)
    columns.data[row] = null
  }

  function flagText(flags: unknown): string {
    if (Array.isArray(flags) && flags.length > 0 && flags.every(isFlag)) return flags.join(flagSeparator)
    return wrong('data.flags', flags, 'expected names without commas, at least one')
  }

  function noInstant(field: string, text: string): never {
    return wrong(field, text, 'expected UTC with milliseconds')
  }

  function canonical(field: string, value: unknown): string {
    try {
      return canonicalJson(value)
    } catch (error) {
      return wrong(field, value, error instanceof Error ? error.message : String(error))
    }
  }
}

const isFlag = (flag: unknown): boolean => typeof flag === 'string' && /^[a-z-]+$/.test(flag)

/** ms since the epoch, or undefined where that would not spell the same instant again. */
function instantReader(): (text: string) => bigint | undefined {
  let last = ''
  let ms: bigint | undefined
  return (text) => {
    if (text === last) return ms
    last = text
    const parsed = Date.parse(text)
    ms = Number.isNaN(parsed) || new Date(parsed).toISOString() !== text ? undefined : BigInt(parsed)
    return ms
  }
}

/** UTF-8 has no lone surrogates: `wrong` gets the row of the first text that has. */
export function requireWellFormed(
  columns: Columns,
  rows: number,
  wrong: (row: number, ...fault: Parameters<Wrong>) => never,
): void {
  for (const name of columnNames) {
    const column = columns[name]
    if (!Array.isArray(column)) continue
    let before: unknown
    for (let row = 0; row < rows; row++) {
      const value = column[row]
      if (value === before) continue
      if (typeof value === 'string' && !value.isWellFormed())
        wrong(row, name, value, 'expected well-formed text')
      before = value
    }
  }
}
