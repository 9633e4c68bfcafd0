/**
 * An event as a row of an event file and back. Gathering refuses what the columns could not give back exactly, so that
 * whatever was written reads as the same event (W3C trace context aside, which is no part of the record).
 */
import { canonicalJson } from '../../schemas/canonical-json.ts'
import type { RecordedEvent } from '../../schemas/event.ts'
import { sensorReadingRecorded } from '../../schemas/events/sensor-events.ts'
import { type ColumnName, columnNames, readingColumns } from './event-columns.ts'

/** One array a column, all of the same length. */
export type Columns = Record<ColumnName, unknown[]>

const readingKeys: ReadonlySet<string> = new Set(readingColumns)
export const flagSeparator = ','

export const emptyColumns = (): Columns => ({
  position: [],
  stream: [],
  revision: [],
  id: [],
  type: [],
  schemaVersion: [],
  occurredAt: [],
  receivedAt: [],
  recordedAt: [],
  actorKind: [],
  actorId: [],
  actorRole: [],
  origin: [],
  site: [],
  sourceTopic: [],
  sourceSeq: [],
  vessel: [],
  tag: [],
  value: [],
  unit: [],
  quality: [],
  flags: [],
  data: [],
  context: [],
})

/** Refuses the row: `field` of the event breaks `rule`. */
export type Wrong = (field: string, value: unknown, rule: string) => never

/** Adds events as next rows; where `wrong` is called, what is in `columns` is of no use any more. */
export function rowGatherer(wrong: Wrong): (columns: Columns, event: RecordedEvent) => void {
  const occurred = instantReader()
  const received = instantReader()
  const recorded = instantReader()
  return (columns, event) => {
    columns.position.push(event.position)
    columns.stream.push(event.stream)
    columns.revision.push(event.revision)
    columns.id.push(event.id)
    columns.type.push(event.type)
    columns.schemaVersion.push(event.schemaVersion)
    columns.occurredAt.push(occurred(event.occurredAt) ?? noInstant('occurredAt', event.occurredAt))
    columns.receivedAt.push(received(event.receivedAt) ?? noInstant('receivedAt', event.receivedAt))
    columns.recordedAt.push(recorded(event.recordedAt) ?? noInstant('recordedAt', event.recordedAt))
    columns.actorKind.push(event.actor.kind)
    columns.actorId.push(event.actor.id)
    columns.actorRole.push(event.actor.role)
    columns.origin.push(event.origin)
    columns.site.push(event.site)
    columns.sourceTopic.push(event.source?.topic ?? null)
    columns.sourceSeq.push(event.source?.seq === undefined ? null : BigInt(event.source.seq))
    const { causationId, correlationId, reason } = event
    columns.context.push(
      causationId === undefined && correlationId === undefined && reason === undefined
        ? null
        : canonical('context', { causationId, correlationId, reason }),
    )
    if (event.type === sensorReadingRecorded.type) addReading(columns, event.data)
    else {
      for (const name of readingColumns) columns[name].push(null)
      columns.data.push(canonical('data', event.data))
    }
  }

  function addReading(columns: Columns, data: Record<string, unknown>): void {
    for (const key in data)
      if (!readingKeys.has(key)) wrong(`data.${key}`, data[key], 'is not a field of a reading')
    const { value, flags } = data
    if (typeof value !== 'number' || !Number.isFinite(value))
      wrong('data.value', value, 'expected a finite number')
    columns.value.push(value)
    for (const name of ['vessel', 'tag', 'unit', 'quality'] as const) {
      if (typeof data[name] !== 'string') wrong(`data.${name}`, data[name], 'expected text')
      columns[name].push(data[name])
    }
    columns.flags.push(flags === undefined ? null : flagText(flags))
    columns.data.push(null)
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

/** UTF-8 has no lone surrogates: `wrong` gets the row, counted within `columns`, of the first text that has. */
export function requireWellFormed(
  columns: Columns,
  wrong: (row: number, ...fault: Parameters<Wrong>) => never,
): void {
  for (const name of columnNames) {
    let before: unknown
    for (const [row, value] of columns[name].entries()) {
      if (value === before) continue
      if (typeof value === 'string' && !value.isWellFormed())
        wrong(row, name, value, 'expected well-formed text')
      before = value
    }
  }
}
