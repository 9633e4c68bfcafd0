/** An alarm about the event store itself, as an event of the stream `config`. */
import { randomBytes } from 'node:crypto'
import { systemClock, toInstant } from '../infra/clock.ts'
import type { EventStore } from '../infra/event-store/event-store.ts'
import { uuidV7 } from '../schemas/ids.ts'
import { streams } from '../schemas/streams.ts'

export async function appendStoreAlarm(
  store: EventStore,
  site: string,
  message: string,
  name = 'event_store_tampering',
): Promise<void> {
  const nowMs = systemClock.nowMs()
  const now = toInstant(nowMs)
  await store.append([
    {
      stream: streams.config,
      expectedRevision: 'any',
      events: [
        {
          id: uuidV7(nowMs, randomBytes(10)),
          type: 'AlarmRaised',
          schemaVersion: 1,
          occurredAt: now,
          receivedAt: now,
          actor: { kind: 'service', id: 'event-store', role: 'event-store' },
          origin: 'live',
          site,
          data: {
            level: 'critical',
            category: 'store_integrity',
            name,
            message,
            vessel: null,
            tag: null,
          },
        },
      ],
    },
  ])
}
