/** Refuses what no store could take before anything of a call is written. */
import { type AppendRequest, InvalidAppendError } from '../event-store.ts'
import type { DecidableRequest } from './decide-append.ts'
import { isOwnStream } from './own-streams.ts'
import { toWire } from './wire-format.ts'

export type AppendLimits = { readonly eventsPerAppend: number; readonly bytesPerAppend: number }

export type CheckedRequest = DecidableRequest & { readonly bytes: number }

const streamName = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,199}$/

/** Throws `InvalidAppendError` or `InvalidEventError` naming field, value and rule. */
export function checkRequest(request: AppendRequest, limits: AppendLimits): CheckedRequest {
  const { stream, expectedRevision } = request
  const refuse = (field: string, value: unknown, rule: string): never => {
    throw new InvalidAppendError(stream, field, value, rule)
  }
  if (!streamName.test(stream))
    refuse('stream', stream, '1 to 200 letters, digits and . _ : -, beginning with a letter or digit')
  if (isOwnStream(stream)) refuse('stream', stream, "a stream that is not the event store adapter's own")
  if (typeof expectedRevision === 'bigint' && expectedRevision < 0n)
    refuse('expectedRevision', expectedRevision, 'noStream, streamExists, any, or a revision from 0')
  if (request.events.length === 0) refuse('events', '[]', 'at least one event')
  if (request.events.length > limits.eventsPerAppend)
    refuse('events', `${request.events.length} events`, `at most ${limits.eventsPerAppend} events a request`)
  const events = request.events.map((event) => toWire(event, request.traceparent))
  const bytes = events.reduce((sum, event) => sum + event.bytes, 0)
  if (bytes > limits.bytesPerAppend)
    refuse('events', `${bytes} bytes`, `at most ${limits.bytesPerAppend} bytes a request`)
  const seen = new Map<string, string>()
  for (const { event, fingerprint } of events) {
    const before = seen.get(event.id)
    if (before !== undefined && before !== fingerprint)
      refuse('events', event.id, 'an id at most once, or with the same content')
    seen.set(event.id, fingerprint)
  }
  const sealAt = events.findIndex(({ event }) => event.type === 'StreamSealed')
  if (sealAt >= 0 && events.at(-1)!.event.id !== events[sealAt]!.event.id)
    refuse('events', 'StreamSealed before another event', 'StreamSealed as the last event')
  return { stream, expectedRevision, events, bytes }
}
