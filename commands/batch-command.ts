/** A command on an existing batch: read, compare the revision, decide, append at exactly that revision. */

import type { BatchCommand } from '../domain/batch/commands.ts'
import { decide } from '../domain/batch/decide.ts'
import type { EventStore } from '../infra/event-store/event-store.ts'
import type { Instant, Origin } from '../schemas/event.ts'
import { streams } from '../schemas/streams.ts'
import { contended, keyReused, rejected, type Stored, unknownBatch } from './answers.ts'
import { readBatch } from './batch-stream.ts'
import { type Circumstance, eventOf } from './envelope.ts'
import { batchSubject, staleRevision } from './preconditions.ts'
import { commandEventId, type RequestIdentity } from './request-ids.ts'

export type CommandOnBatch = {
  readonly batchId: string
  readonly identity: RequestIdentity
  readonly command: Exclude<BatchCommand, { kind: 'create' }>
  /** The origin is that of the batch. */
  readonly by: Omit<Circumstance, 'origin'>
  /** Throws `ProblemError` unless the caller has seen this revision. */
  readonly checkRevision: (revision: bigint) => void
}

export type Done = {
  readonly stored: Stored
  readonly vessel: string
  readonly origin: Origin
  readonly occurredAt: Instant
}

/** The recorded event, now or of an earlier sending of the same request. Throws `ProblemError`. */
export async function commandOnBatch(store: EventStore, wanted: CommandOnBatch): Promise<Done> {
  const { batchId, command } = wanted
  for (let tries = 0; tries < 5; tries++) {
    const { state, events, revision } = await readBatch(store, batchId)
    const [created] = events
    if (!created || state.status === 'absent' || state.status === 'void') throw unknownBatch(batchId)
    const { vessel, origin } = state
    const eventId = commandEventId(wanted.identity, Date.parse(created.receivedAt))
    const earlier = events.find((event) => event.id === eventId)
    if (earlier) {
      if (earlier.causationId !== wanted.by.causationId) throw keyReused()
      return { stored: earlier, vessel, origin, occurredAt: earlier.occurredAt }
    }
    // The second time round, somebody else's event came in between: what was seen is stale.
    if (tries === 0) wanted.checkRevision(revision)
    else throw staleRevision(batchSubject(batchId), revision, undefined)

    const { actor, receivedAt } = wanted.by
    const decision = decide(state, command, { batchId, eventId, actor, receivedAt })
    if (decision.kind === 'rejected') throw rejected(decision.rejections)
    const event = eventOf(eventId, decision.fact, { ...wanted.by, origin })
    const [outcome] = await store.append([
      { stream: streams.batch(batchId), expectedRevision: revision, events: [event] },
    ])
    if (outcome?.kind === 'appended' || outcome?.kind === 'duplicate') {
      const [stored] = outcome.recorded
      if (stored) return { stored, vessel, origin, occurredAt: event.occurredAt }
    }
  }
  throw contended()
}
