/** The rows of a row group as events again; each row is held against the rules that the writer kept. */
import type { z } from 'zod'
import {
  type Actor,
  actor,
  clientEnvelope,
  clientPart,
  origin,
  type RecordedEvent,
  type Source,
} from '../../schemas/event.ts'
import { InvalidEventError, validateForAppend } from '../../schemas/events/registry.ts'
import { quality, readingFlag, sensorReadingRecorded } from '../../schemas/events/sensor-events.ts'
import { streams } from '../../schemas/streams.ts'
import { type ColumnName, type EventFileHeader, readingColumns } from './event-columns.ts'
import { flagSeparator, type Wrong } from './event-rows.ts'

/** Column by column what the file holds; instants as ISO 8601 text. */
export type ColumnsRead = Readonly<Record<ColumnName, ArrayLike<unknown>>>

export type RowReader = {
  /** The events of one row group whose first row is `firstRow` of the file. Refuses at the first row that breaks a rule. */
  readonly read: (columns: ColumnsRead, firstRow: number, rows: number) => Generator<RecordedEvent>
  /** Of all rows so far. */
  readonly lastPosition: () => bigint | undefined
}

type Refuse = (row: number, ...fault: Parameters<Wrong>) => never

const qualities: ReadonlySet<unknown> = new Set(quality.options)
const flagNames: ReadonlySet<unknown> = new Set(readingFlag.options)
const origins: ReadonlySet<unknown> = new Set(origin.options)
const context = clientEnvelope.pick({ causationId: true, correlationId: true, reason: true })
const actorKinds: ReadonlySet<unknown> = new Set(actor.shape.kind.options)

export function rowReader(header: EventFileHeader, refuse: Refuse): RowReader {
  const batchStream = streams.batch(header.batchId)
  const readingStream = streams.reading(header.batchId)
  let last: bigint | undefined
  let lastActor: Actor | undefined

  return { read, lastPosition: () => last }

  function* read(columns: ColumnsRead, firstRow: number, rows: number): Generator<RecordedEvent> {
    let index = 0
    const at: At = (name) => columns[name][index] ?? undefined
    const wrong: Wrong = (...fault) => refuse(firstRow + index, ...fault)
    const text = (name: ColumnName): string => {
      const value = at(name)
      return typeof value === 'string' ? value : wrong(name, value, 'expected text')
    }
    const whole = (name: ColumnName): bigint => {
      const value = at(name)
      return typeof value === 'bigint' ? value : wrong(name, value, 'expected a whole number')
    }
    for (; index < rows; index++) {
      const position = whole('position')
      if (last !== undefined && position <= last)
        wrong('position', position, `expected above ${last}, the one of the row before`)
      last = position
      const stream = text('stream')
      if (stream !== readingStream && stream !== batchStream)
        wrong('stream', stream, `expected ${batchStream} or ${readingStream}`)
      const type = text('type')
      const isReading = type === sensorReadingRecorded.type
      const event: Writable<RecordedEvent> = {
        id: text('id'),
        type,
        schemaVersion: Number(at('schemaVersion')),
        occurredAt: text('occurredAt'),
        receivedAt: text('receivedAt'),
        actor: actorOf(text('actorKind'), text('actorId'), text('actorRole'), wrong),
        origin: originOf(at('origin'), wrong),
        site: text('site'),
        stream,
        revision: whole('revision'),
        position,
        recordedAt: text('recordedAt'),
        data: isReading ? readingOf(at, wrong) : otherOf(at, wrong),
      }
      const topic = at('sourceTopic')
      if (topic !== undefined) event.source = sourceOf(topic, at('sourceSeq'))
      else if (at('sourceSeq') !== undefined)
        wrong('sourceSeq', at('sourceSeq'), 'expected null without a topic')
      const context = at('context')
      if (context !== undefined) Object.assign(event, contextOf(context, wrong))
      if (isReading) requireReading(event, wrong)
      else requireValid(event, wrong)
      yield event
    }
  }

  /** The same device speaks row after row: one object for all of them. */
  function actorOf(kind: string, id: string, role: string, wrong: Wrong): Actor {
    if (lastActor?.kind === kind && lastActor.id === id && lastActor.role === role) return lastActor
    if (!actorKinds.has(kind))
      wrong('actorKind', kind, `expected one of ${actor.shape.kind.options.join(', ')}`)
    lastActor = { kind: kind as Actor['kind'], id, role }
    return lastActor
  }
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }
/** The row's value in a column; undefined for null. */
type At = (name: ColumnName) => unknown

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

function originOf(value: unknown, wrong: Wrong): RecordedEvent['origin'] {
  if (!origins.has(value)) wrong('origin', value, `expected one of ${origin.options.join(', ')}`)
  return value as RecordedEvent['origin']
}

/** What the registry asks of a reading, without its cost a million times over. */
function requireReading(event: RecordedEvent, wrong: Wrong): void {
  const { schemaVersion } = sensorReadingRecorded
  if (event.schemaVersion !== schemaVersion)
    wrong('schemaVersion', event.schemaVersion, `expected ${schemaVersion}`)
  if (!uuidPattern.test(event.id)) wrong('id', event.id, 'expected a UUID in lower case')
}

function readingOf(at: At, wrong: Wrong): Record<string, unknown> {
  const vessel = at('vessel')
  const tag = at('tag')
  const value = at('value')
  const unit = at('unit')
  const stated = at('quality')
  const flags = at('flags')
  if (typeof vessel !== 'string') wrong('vessel', vessel, 'expected text, for it is a reading')
  if (typeof tag !== 'string') wrong('tag', tag, 'expected text, for it is a reading')
  if (typeof value !== 'number' || !Number.isFinite(value))
    wrong('value', value, 'expected a finite number, for it is a reading')
  if (typeof unit !== 'string') wrong('unit', unit, 'expected text, for it is a reading')
  if (!qualities.has(stated)) wrong('quality', stated, `expected one of ${quality.options.join(', ')}`)
  if (at('data') !== undefined) wrong('data', at('data'), 'expected null, for it is a reading')
  if (flags === undefined) return { vessel, tag, value, unit, quality: stated }
  const names = String(flags).split(flagSeparator)
  if (!names.every((name) => flagNames.has(name)))
    wrong('flags', flags, `expected some of ${readingFlag.options.join(', ')}`)
  return { vessel, tag, value, unit, quality: stated, flags: names }
}

function otherOf(at: At, wrong: Wrong): Record<string, unknown> {
  for (const name of readingColumns)
    if (at(name) !== undefined) wrong(name, at(name), 'expected null, for it is no reading')
  return objectOf('data', at('data'), wrong)
}

function objectOf(field: ColumnName, text: unknown, wrong: Wrong): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(String(text))
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>
  } catch {
    // Said below, in our own words.
  }
  return wrong(field, text, 'expected a JSON object')
}

const sourceOf = (topic: unknown, seq: unknown): Source =>
  seq === undefined ? { topic: String(topic) } : { topic: String(topic), seq: Number(seq) }

function contextOf(text: unknown, wrong: Wrong): z.infer<typeof context> {
  const parsed = context.safeParse(objectOf('context', text, wrong))
  if (!parsed.success) return wrong('context', text, 'expected causationId, correlationId and reason at most')
  return parsed.data
}

function requireValid(event: RecordedEvent, wrong: Wrong): void {
  try {
    validateForAppend(clientPart(event))
  } catch (error) {
    if (!(error instanceof InvalidEventError)) throw error
    wrong(error.field, error.value, `expected ${error.rule}`)
  }
}
