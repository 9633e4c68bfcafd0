/** The alarm about a stream that the projection cannot follow any further, as an event of the stream `config`. */
import type { Clock } from '../infra/clock.ts'
import { toInstant } from '../infra/clock.ts'
import type { EventStore } from '../infra/event-store/event-store.ts'
import type { ClientEvent } from '../schemas/event.ts'
import { derivedId } from '../schemas/ids.ts'
import { streams } from '../schemas/streams.ts'
import type { ParkedKey } from './tables/parked.ts'

/** Appends the alarm once: repeating it finds the same event. */
export function appendProjectionAlarm(options: {
  readonly store: EventStore
  readonly clock: Clock
  readonly site: string
}): (parked: ParkedKey) => Promise<void> {
  return async (parked) => {
    const id = derivedId(0, 'projection-alarm/v1', options.store.storeId, parked.stream, parked.eventId)
    if (await options.store.readById(id)) return
    const now = toInstant(options.clock.nowMs())
    const alarm: ClientEvent = {
      id,
      type: 'AlarmRaised',
      schemaVersion: 1,
      occurredAt: now,
      receivedAt: now,
      actor: { kind: 'service', id: 'projections', role: 'projector' },
      origin: 'live',
      site: options.site,
      data: {
        level: 'critical',
        category: 'projection_failure',
        name: 'projection_stopped',
        message: `${parked.stream} stopped at position ${parked.position} (${parked.type}): ${parked.message}`,
        vessel: null,
        tag: null,
      },
    }
    const [outcome] = await options.store.append([
      { stream: streams.config, expectedRevision: 'any', events: [alarm] },
    ])
    if (outcome?.kind !== 'appended' && outcome?.kind !== 'duplicate')
      throw new Error(`the alarm was answered with ${outcome?.kind}`)
  }
}
