/** A request checked and spelt before anything is queued: nothing that no store could take gets further. */
import { createHash, randomBytes } from 'node:crypto'
import { canonicalJson } from '../../../schemas/canonical-json.ts'
import { type ClientEvent, clientPart } from '../../../schemas/event.ts'
import { findEventType, validateForAppend } from '../../../schemas/events/registry.ts'
import { type AppendRequest, type ExpectedRevision, InvalidAppendError } from '../event-store.ts'
import type { ReadingRow } from './reading-row.ts'

export const limits = { eventsPerAppend: 10_000, bytesPerAppend: 8 * 1024 * 1024 } as const

export type PreparedEvent = {
  readonly id: string
  readonly type: string
  readonly isSeal: boolean
  readonly reading: ReadingRow | undefined
  /** Of a general event: canonical text, its fingerprint without `receivedAt`, salt of what people typed. */
  readonly client: string | undefined
  readonly fingerprint: bigint
  readonly salt: Buffer | undefined
}

export type PreparedRequest = {
  readonly stream: string
  readonly expectedRevision: ExpectedRevision
  readonly events: readonly PreparedEvent[]
  /** For each event of the request as given: which of `events` answers it (an id repeated stands once). */
  readonly places: readonly number[]
  readonly traceparent: string | undefined
}

const streamPattern = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,199}$/

/** Throws `InvalidAppendError`, `InvalidEventError` or `NotCanonicalError`. */
export function prepareRequest(
  request: AppendRequest,
  readingRow: (event: ClientEvent) => ReadingRow | undefined,
): PreparedRequest {
  const { stream, expectedRevision, events } = request
  const refuse = (field: string, value: unknown, rule: string): never => {
    throw new InvalidAppendError(stream, field, value, rule)
  }
  if (!streamPattern.test(stream))
    refuse('stream', stream, '1 to 200 letters, digits and . _ : -, beginning with a letter or digit')
  if (typeof expectedRevision === 'bigint' && expectedRevision < 0n)
    refuse('expectedRevision', expectedRevision, 'noStream, streamExists, any, or a revision from 0')
  if (events.length === 0) refuse('events', '[]', 'at least one event')
  if (events.length > limits.eventsPerAppend)
    refuse('events', `${events.length} events`, `at most ${limits.eventsPerAppend} events a request`)
  const placeOf = new Map<string, number>()
  const prepared: PreparedEvent[] = []
  const originals: ClientEvent[] = []
  let bytes = 0
  const places = events.map((event) => {
    const known = placeOf.get(event.id)
    if (known !== undefined) {
      if (contentOf(originals[known]!) !== contentOf(event))
        refuse('events', event.id, 'an id at most once, or with the same content')
      return known
    }
    const place = prepared.push(prepareEvent(event, readingRow(event))) - 1
    originals.push(event)
    placeOf.set(event.id, place)
    bytes += prepared[place]!.client?.length ?? 200
    return place
  })
  if (bytes > limits.bytesPerAppend)
    refuse('events', `${bytes} bytes`, `at most ${limits.bytesPerAppend} bytes a request`)
  const sealAt = prepared.findIndex((event) => event.isSeal)
  if (sealAt >= 0 && sealAt < prepared.length - 1)
    refuse('events', 'StreamSealed before another event', 'StreamSealed as the last event')
  return { stream, expectedRevision, events: prepared, places, traceparent: request.traceparent }
}

function prepareEvent(event: ClientEvent, reading: ReadingRow | undefined): PreparedEvent {
  const { id, type } = event
  if (reading)
    return { id, type, isSeal: false, reading, client: undefined, fingerprint: 0n, salt: undefined }
  validateForAppend(event)
  return {
    id,
    type,
    isSeal: type === 'StreamSealed',
    reading: undefined,
    client: canonicalJson(clientPart(event)),
    fingerprint: createHash('sha256').update(contentOf(event)).digest().readBigInt64BE(0),
    salt: findEventType(type)?.typedByPeople ? randomBytes(32) : undefined,
  }
}

/** What makes two deliveries the same record: everything but when we received it. */
function contentOf(event: ClientEvent): string {
  const { receivedAt: _, ...content } = clientPart(event)
  return canonicalJson(content)
}
