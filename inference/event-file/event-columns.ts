/**
 * The columns of an event file (format 1): one row an event, in store order. A reading's payload has columns of its own; the
 * payload of any other event is canonical JSON (RFC 8785) in `data`. Instants are UTC milliseconds, numbers are
 * doubles as stored, positions and revisions are signed 64-bit integers. Nothing of an event's client part is left
 * out. Text is UTF-8.
 */
import type { SchemaElement } from 'hyparquet'

export const eventFileFormat = 'bioledger-batch-events/1'

type Kind = 'integer' | 'small' | 'instant' | 'double' | 'text'
type Column = { readonly kind: Kind; readonly optional?: true }

/** In the order of the file. Optional ones are null where the event has no such field. */
const eventColumns = {
  position: { kind: 'integer' },
  stream: { kind: 'text' },
  revision: { kind: 'integer' },
  id: { kind: 'text' },
  type: { kind: 'text' },
  schemaVersion: { kind: 'small' },
  /** At the source, at our edge, in the store. */
  occurredAt: { kind: 'instant' },
  receivedAt: { kind: 'instant' },
  recordedAt: { kind: 'instant' },
  actorKind: { kind: 'text' },
  actorId: { kind: 'text' },
  actorRole: { kind: 'text' },
  origin: { kind: 'text' },
  site: { kind: 'text' },
  sourceTopic: { kind: 'text', optional: true },
  sourceSeq: { kind: 'integer', optional: true },
  /** Of readings (`SensorReadingRecorded`); `flags` with commas between. */
  vessel: { kind: 'text', optional: true },
  tag: { kind: 'text', optional: true },
  value: { kind: 'double', optional: true },
  unit: { kind: 'text', optional: true },
  quality: { kind: 'text', optional: true },
  flags: { kind: 'text', optional: true },
  /** Payload of every other event, canonical JSON. */
  data: { kind: 'text', optional: true },
  /** `causationId`, `correlationId` and `reason` where there are any, canonical JSON. */
  context: { kind: 'text', optional: true },
} as const satisfies Record<string, Column>

export type ColumnName = keyof typeof eventColumns
export const columnNames = Object.keys(eventColumns) as readonly ColumnName[]

/** The payload of a reading; all null in the rows of other events. */
export const readingColumns = ['vessel', 'tag', 'value', 'unit', 'quality', 'flags'] as const

const physical: Readonly<Record<Kind, Pick<SchemaElement, 'type' | 'converted_type'>>> = {
  integer: { type: 'INT64' },
  small: { type: 'INT32' },
  instant: { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' },
  double: { type: 'DOUBLE' },
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
}

export const eventSchema: readonly SchemaElement[] = [
  { name: 'event', num_children: columnNames.length },
  ...columnNames.map((name): SchemaElement => {
    const column: Column = eventColumns[name]
    return { name, ...physical[column.kind], repetition_type: column.optional ? 'OPTIONAL' : 'REQUIRED' }
  }),
]

/** What the file says of itself, as key-value metadata. Numbers are decimal text. */
export type EventFileHeader = {
  readonly batchId: string
  readonly vessel: string
  readonly events: number
  readonly readings: number
  readonly firstPosition: bigint
  readonly lastPosition: bigint
  /** SHA-256 over `<occurredAt> <tag> <value>\n` of every reading, in order: what the batch's lineage names. */
  readonly readingsSha256: string
  /** SHA-256 over the bytes of all row groups, in order: every column of every row. */
  readonly contentSha256: string
}

export const headerKeys = {
  format: 'bioledger.format',
  batchId: 'bioledger.batchId',
  vessel: 'bioledger.vessel',
  events: 'bioledger.events',
  readings: 'bioledger.readings',
  firstPosition: 'bioledger.firstPosition',
  lastPosition: 'bioledger.lastPosition',
  readingsSha256: 'bioledger.readingsSha256',
  contentSha256: 'bioledger.contentSha256',
} as const
