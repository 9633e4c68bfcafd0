/** A simulated batch in a real store, as ingest and the commands would have written it, up to some hour of it. */

import { simulateBatch } from '../../domain/process-model/batch-run.ts'
import { presets } from '../../domain/process-model/settings.ts'
import { runEvents } from '../../domain/process-windows/testing/vessel-events.ts'
import type { AppendRequest, EventStore } from '../../infra/event-store/event-store.ts'
import { type ClientEvent, clientPart, type Origin, type RecordedEvent } from '../../schemas/event.ts'
import { derivedId } from '../../schemas/ids.ts'
import { streams } from '../../schemas/streams.ts'

export type SimulatedHistory = {
  readonly batchId: string
  readonly vessel: string
  /** Everything up to `hours` after inoculation, in store order, without an end. */
  readonly events: readonly RecordedEvent[]
  /** Ends the batch. */
  readonly closed: RecordedEvent
}

const batchStartMs = Date.parse('2026-11-20T08:00:00.000Z')

/** Samples are drawn every 20 min instead of on their plan. */
export function simulatedHistory(
  vessel: string,
  hours: number,
  options: { readonly seed?: number; readonly origin?: Origin; readonly sampleEveryMinutes?: number } = {},
): SimulatedHistory {
  const seed = options.seed ?? 1
  const all: RecordedEvent[] = []
  const run = simulateBatch({ settings: presets.N, noise: 'realistic', seed })
  const everySeconds = 60 * (options.sampleEveryMinutes ?? 20)
  const shortened = (function* () {
    for (const one of run) {
      if (one.second > hours * 3600) return
      const isDrawn = one.second % everySeconds === 0 && one.second > 0
      yield {
        ...one,
        samples: isDrawn
          ? [
              {
                scheduledPoint: `${one.second} s`,
                second: one.second,
                hours: one.second / 3600,
                replicate: 1,
                trueOd: one.truth.od,
                od600Raw: one.truth.od.toFixed(2),
                dilutionFactor: '1',
                volumeMl: '10',
              },
            ]
          : [],
      }
    }
  })()
  for (const event of runEvents(shortened, { vessel, startMs: batchStartMs, seed }))
    all.push(options.origin === undefined ? event : { ...event, origin: options.origin })
  const closed = all.pop()
  const [created] = all
  if (!closed || !created) throw new Error('the run is empty')
  return { batchId: String(created.data.batchId), vessel, events: all, closed }
}

/** The vessel's reservation, which comes before its batch. */
export function reservationOf({ batchId, vessel }: SimulatedHistory): AppendRequest {
  const at = new Date(batchStartMs - 3_600_000).toISOString()
  return {
    stream: streams.vessel(vessel),
    expectedRevision: 'any',
    events: [
      {
        id: derivedId(batchStartMs, 'reservation', batchId),
        type: 'VesselReserved',
        schemaVersion: 1,
        occurredAt: at,
        receivedAt: at,
        actor: { kind: 'human', id: 'p-1', role: 'operator' },
        origin: 'simulated',
        site: 'site-1',
        data: { vessel, batchId, from: at },
      },
    ],
  }
}

/** Appends in the order given, streams interleaved as they are. */
export async function appendHistory(store: EventStore, events: readonly RecordedEvent[]): Promise<void> {
  let stream = ''
  let run: ClientEvent[] = []
  const flush = async (): Promise<void> => {
    if (run.length === 0) return
    const [outcome] = await store.append([{ stream, expectedRevision: 'any', events: run }])
    if (outcome?.kind !== 'appended' && outcome?.kind !== 'duplicate')
      throw new Error(`the store answered ${outcome?.kind}`)
    run = []
  }
  for (const event of events) {
    if (event.stream !== stream || run.length >= 1_000) await flush()
    stream = event.stream
    run.push(storable(event))
  }
  await flush()
}

/** Ids of the generated events are unique in their batch only. Readings carry the source that the store keeps of each. */
function storable(event: RecordedEvent): ClientEvent {
  const id = derivedId(Date.parse(event.occurredAt), 'test', event.stream, event.id)
  const client = { ...clientPart(event), id }
  if (event.type !== 'SensorReadingRecorded') return client
  const { vessel, tag } = event.data
  return { ...client, source: { topic: `bioprocess/pichia/${vessel}/sensors/${tag}` } }
}

export async function eventsOf(store: EventStore, stream: string): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = []
  for await (const event of store.readStream(stream)) events.push(event)
  return events
}
