/**
 * How a client event stands in EventStoreDB, and back. Data: the RFC 8785 form as `application/json`. Metadata:
 * the salt of what people typed and the W3C trace context, both beside the record and never part of it.
 *
 * Everything is validated and spelt before the client sees it: a value that JSON cannot carry would end its
 * batch stream, and any other content type would be stored empty without an error.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { JSONEventData, RecordedEvent as ServerEvent } from '@eventstore/db-client'
import { canonicalJson, NotCanonicalError } from '../../../schemas/canonical-json.ts'
import { type ClientEvent, clientPart, type RecordedEvent } from '../../../schemas/event.ts'
import { findEventType, InvalidEventError, validateForAppend } from '../../../schemas/events/registry.ts'

export type WireEvent = {
  readonly event: ClientEvent
  readonly fingerprint: string
  /** Reused for every attempt to append this event, so that a retry offers the same bytes. */
  readonly data: JSONEventData
  /** Data, metadata and type: a 23.10 server counts only the data, others all three. */
  readonly bytes: number
}

/** Throws `InvalidEventError` for what no store could take. */
export function toWire(event: ClientEvent, traceparent: string | undefined): WireEvent {
  validateForAppend(event)
  const client = clientPart(event)
  const text = canonicalText(client)
  const metadata: Record<string, string> = {}
  if (findEventType(event.type)?.typedByPeople) metadata.salt = randomBytes(32).toString('base64url')
  if (traceparent !== undefined) metadata.traceparent = traceparent
  const hasMetadata = Object.keys(metadata).length > 0
  return {
    event: client,
    fingerprint: fingerprintOf(client),
    data: {
      id: client.id,
      type: client.type,
      contentType: 'application/json',
      // Parsed from the canonical text: the client spells it again in the same key order.
      data: JSON.parse(text) as Record<string, unknown>,
      metadata: hasMetadata ? metadata : undefined,
    },
    bytes:
      Buffer.byteLength(text) +
      (hasMetadata ? Buffer.byteLength(JSON.stringify(metadata)) : 0) +
      Buffer.byteLength(client.type),
  }
}

function canonicalText(client: ClientEvent): string {
  try {
    return canonicalJson(client)
  } catch (error) {
    if (!(error instanceof NotCanonicalError)) throw error
    throw new InvalidEventError(client.type, 'event', client.id, `canonical JSON (RFC 8785): ${error.rule}`)
  }
}

/** SHA-256 (hex) of the client part without `receivedAt`: the same record delivered again has the same one. */
export function fingerprintOf(event: ClientEvent): string {
  const { receivedAt: _, ...content } = event
  return createHash('sha256').update(canonicalJson(content)).digest('hex')
}

/**
 * The client event that a server event carries, or undefined when it is none of ours: written by another
 * program, or in another form. Its payload stays as written; `upcast` lifts it where it is used.
 */
export function fromWire(event: ServerEvent): ClientEvent | undefined {
  const data: unknown = event.data
  if (!event.isJson || typeof data !== 'object' || data === null || Array.isArray(data)) return undefined
  const client = data as Partial<ClientEvent>
  const isOurs =
    client.id === event.id &&
    client.type === event.type &&
    typeof client.schemaVersion === 'number' &&
    typeof client.occurredAt === 'string' &&
    typeof client.receivedAt === 'string' &&
    typeof client.actor === 'object' &&
    typeof client.data === 'object' &&
    client.data !== null
  return isOurs ? (client as ClientEvent) : undefined
}

/** The event as every reader gives it out: what was written, its place, and the trace context beside it. */
export function recordedEvent(
  client: ClientEvent,
  place: Pick<RecordedEvent, 'stream' | 'revision' | 'position' | 'recordedAt'>,
  metadata: unknown,
): RecordedEvent {
  const traceparent = (metadata as { traceparent?: unknown } | null | undefined)?.traceparent
  return typeof traceparent === 'string' ? { ...client, ...place, traceparent } : { ...client, ...place }
}

/** The 32 bytes made at append for what people typed, where the metadata hold them. */
export function saltOf(metadata: unknown): Buffer | undefined {
  const salt = (metadata as { salt?: unknown } | null | undefined)?.salt
  return typeof salt === 'string' ? Buffer.from(salt, 'base64url') : undefined
}
