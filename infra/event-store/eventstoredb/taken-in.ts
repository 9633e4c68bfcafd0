/** What a page of `$all` means: rows for the index, events for the readers, and findings of tampering. No I/O. */
import { NotCanonicalError } from '../../../schemas/canonical-json.ts'
import type { ClientEvent, RecordedEvent } from '../../../schemas/event.ts'
import type { Placed } from './connection.ts'
import type { ClockStep, IndexedEvent, IndexedStream, IndexPage } from './index/event-index.ts'
import { isOwnStream, isSystemStream } from './own-streams.ts'
import type { RecordClock } from './record-clock.ts'
import { type TamperingFinding, tamperingOf } from './tampering.ts'
import { fingerprintOf, fromWire, recordedEvent } from './wire-format.ts'

/** The page of events that follows position `after`; gives each its record time. */
export function takeIn(placed: readonly Placed[], after: bigint, clock: RecordClock) {
  const recorded: RecordedEvent[] = []
  const indexed: IndexedEvent[] = []
  const heads = new Map<string, IndexedStream>()
  const steps = new Set<ClockStep>()
  const findings: TamperingFinding[] = []
  for (const { event, position } of placed) {
    findings.push(...tamperingOf(event, position))
    if (isSystemStream(event.streamId) || event.type === '$streamDeleted') continue
    const { recordedAtMs, step } = clock.next(position, event.created.getTime())
    if (step) steps.add(step)
    if (isOwnStream(event.streamId)) continue
    heads.set(event.streamId, { head: event.revision, sealed: event.type === 'StreamSealed' })
    const client = fromWire(event)
    const fingerprint = client && fingerprintOrNone(client)
    if (!client || fingerprint === undefined) {
      findings.push({
        kind: 'foreign-event',
        stream: event.streamId,
        position,
        eventId: event.id,
        at: event.created.toISOString(),
        facts: { type: event.type, revision: String(event.revision) },
      })
      continue
    }
    const recordedAt = new Date(recordedAtMs).toISOString()
    const place = { stream: event.streamId, revision: event.revision, position, recordedAt }
    recorded.push(recordedEvent(client, place, event.metadata))
    indexed.push({
      id: client.id,
      stream: event.streamId,
      revision: event.revision,
      position,
      recordedAt,
      fingerprint,
    })
  }
  const indexPage: IndexPage = {
    after,
    through: placed.at(-1)!.position,
    recordedAtMs: clock.newestMs(),
    events: indexed,
    heads,
    clockSteps: [...steps],
  }
  return { recorded, findings, indexPage }
}

/** Findings for events whose position the index names as one of an id that stood there before. */
export function doubledIds(
  positions: readonly bigint[],
  recorded: readonly RecordedEvent[],
): TamperingFinding[] {
  const doubled = new Set(positions)
  return recorded
    .filter((event) => doubled.has(event.position))
    .map((event) => ({
      kind: 'doubled-id',
      stream: event.stream,
      position: event.position,
      eventId: event.id,
      at: event.recordedAt,
      facts: { revision: String(event.revision) },
    }))
}

/** A foreign event may carry what has no canonical form; it must not stop the log. */
function fingerprintOrNone(client: ClientEvent): string | undefined {
  try {
    return fingerprintOf(client)
  } catch (error) {
    if (error instanceof NotCanonicalError) return undefined
    throw error
  }
}
