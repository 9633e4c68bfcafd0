/** Facts become events: what every event of one request has in common. */
import type { Fact } from '../domain/batch/decision.ts'
import type { Actor, ClientEvent, Instant, Origin } from '../schemas/event.ts'
import { findEventType } from '../schemas/events/registry.ts'

export type Circumstance = {
  readonly actor: Actor
  readonly origin: Origin
  readonly site: string
  readonly receivedAt: Instant
  readonly correlationId: string
  /** Names the request and its content (`request-ids.ts`). */
  readonly causationId: string
}

export function eventOf(id: string, fact: Fact, circumstance: Circumstance): ClientEvent {
  const definition = findEventType(fact.type)
  if (!definition) throw new Error(`the decider named an unknown event type ${fact.type}`)
  return { id, ...fact, schemaVersion: definition.schemaVersion, ...circumstance }
}
