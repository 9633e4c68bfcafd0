/** Rows of `event_store.event` as recorded events; columns in the order in which every query of ours selects them. */
import { canonicalJson } from '../../../schemas/canonical-json.ts'
import { type ClientEvent, clientPart, type Instant, type RecordedEvent } from '../../../schemas/event.ts'
import { readingOf } from '../prepare-append.ts'
import type { Dictionary, RunStatement } from './dictionary.ts'
import type { Row } from './session.ts'

type EventRow = readonly [
  position: string,
  revision: string,
  id: string,
  recordedAt: string,
  occurredAt: string | null,
  receivedAt: string | null,
  value: string | null,
  seq: string | null,
  streamKey: string,
  templateId: string | null,
  content: string | null,
  traceparent: string | null,
]

export type DecodeRows = (run: RunStatement, rows: readonly Row[]) => Promise<RecordedEvent[]>

export function decodeRows(names: Dictionary): DecodeRows {
  const recordedAtOf = instantReader()
  const occurredAtOf = instantReader()
  const receivedAtOf = instantReader()

  function decode(row: EventRow): RecordedEvent {
    const [position, revision, id, recordedAt, occurredAt, receivedAt, value, seq, streamKey, templateId] =
      row
    const client: ClientEvent =
      templateId === null
        ? (JSON.parse(row[10] as string) as ClientEvent)
        : readingOf(names.template(templateId), {
            id,
            occurredAt: occurredAtOf(occurredAt as string),
            receivedAt: receivedAtOf(receivedAt as string),
            seq: seq === null ? undefined : Number(seq),
            value: Number(value),
          })
    const event = client as { -readonly [Field in keyof RecordedEvent]: RecordedEvent[Field] }
    event.stream = names.streamName(streamKey)
    event.revision = BigInt(revision)
    event.position = BigInt(position)
    event.recordedAt = recordedAtOf(recordedAt)
    if (row[11] !== null) event.traceparent = row[11]
    return event
  }

  return async (run, rows) => {
    const events = rows as unknown as readonly EventRow[]
    const streamKeys = new Set<string>()
    const templateIds = new Set<string>()
    for (const row of events) {
      if (!names.hasStream(row[8])) streamKeys.add(row[8])
      if (row[9] !== null && !names.hasTemplate(row[9])) templateIds.add(row[9])
    }
    if (streamKeys.size > 0 || templateIds.size > 0) {
      // All of the page, so that a cache that is emptied on the way holds what the page needs.
      for (const row of events) {
        streamKeys.add(row[8])
        if (row[9] !== null) templateIds.add(row[9])
      }
      await names.load(run, streamKeys, templateIds)
    }
    return events.map(decode)
  }
}

/** `2026-11-21 09:30:00.12+00` as `2026-11-21T09:30:00.120Z`. */
export function instantOf(text: string): Instant {
  const milliseconds = text.charAt(19) === '.' ? text.slice(20, -3).padEnd(3, '0') : '000'
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${milliseconds}Z`
}

/** Neighbouring rows share their times more often than not. */
function instantReader(): (text: string) => Instant {
  let known = ''
  let knownInstant = ''
  return (text) => {
    if (text !== known) {
      known = text
      knownInstant = instantOf(text)
    }
    return knownInstant
  }
}

/** The client part of a stored event without `receivedAt`, canonical: to compare with what is offered again. */
export function contentOfStored(event: RecordedEvent): string {
  const { receivedAt: _, ...content } = clientPart(event)
  return canonicalJson(content)
}
