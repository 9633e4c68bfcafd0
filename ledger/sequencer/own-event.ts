/** Events that the ledger states about itself: its actor, and the times of the statement. */
import { randomBytes } from 'node:crypto'
import { type Clock, toInstant } from '../../infra/clock.ts'
import type { EventStore } from '../../infra/event-store/event-store.ts'
import type { ClientEvent } from '../../schemas/event.ts'
import { uuidV7 } from '../../schemas/ids.ts'

export type OwnEvents = {
  /** Resolves when it is durable. */
  append(stream: string, type: string, data: Record<string, unknown>): Promise<void>
}

export function ownEvents(deps: {
  readonly store: EventStore
  readonly clock: Clock
  readonly site: string
}): OwnEvents {
  return {
    async append(stream, type, data) {
      const nowMs = deps.clock.nowMs()
      const now = toInstant(nowMs)
      const event: ClientEvent = {
        id: uuidV7(nowMs, randomBytes(10)),
        type,
        schemaVersion: 1,
        occurredAt: now,
        receivedAt: now,
        actor: { kind: 'service', id: 'ledger', role: 'ledger' },
        origin: 'live',
        site: deps.site,
        data,
      }
      const [outcome] = await deps.store.append([{ stream, expectedRevision: 'any', events: [event] }])
      if (outcome?.kind !== 'appended')
        throw new Error(`the event store did not take ${type}: ${outcome?.kind ?? 'no answer'}`)
    },
  }
}
