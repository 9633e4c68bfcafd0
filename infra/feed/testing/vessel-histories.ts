/** Histories of vessels for tests of the feed: a batch reserved, created, read, sampled, closed and sealed. */
import type { ClientEvent } from '../../../schemas/event.ts'
import { streams } from '../../../schemas/streams.ts'
import type { AppendRequest, EventStore, Recorded } from '../../event-store/event-store.ts'
import { freshId, reading, seal, typed } from '../../event-store/testing/sample-events.ts'

const at = '2026-11-21T09:30:00.000Z'

export type BatchOnVessel = { readonly batchId: string; readonly vessel: string }

export function batchOn(vessel: string): BatchOnVessel {
  return { batchId: freshId(), vessel }
}

export function reservation({ batchId, vessel }: BatchOnVessel): AppendRequest {
  return request(streams.vessel(vessel), event('VesselReserved', { vessel, batchId, from: at }))
}

export function creation({ batchId, vessel }: BatchOnVessel): AppendRequest {
  const created = typed()
  return request(streams.batch(batchId), { ...created, data: { ...created.data, batchId, vessel } })
}

export function sample({ batchId }: BatchOnVessel, sampleNumber = 1): AppendRequest {
  return request(
    streams.batch(batchId),
    event('SampleTaken', {
      batchId,
      sampleId: freshId(),
      sampleNumber,
      timepointHours: '1.00',
      od600Raw: '0.412',
      dilutionFactor: '10',
      od600: '4.12',
      contaminationDetected: false,
      lateEntry: false,
    }),
  )
}

export function abortion({ batchId }: BatchOnVessel): AppendRequest {
  return request(
    streams.batch(batchId),
    event('BatchAborted', { batchId, outcome: 'Aborted_Other', lateEntry: false }),
  )
}

export function sealing({ batchId }: BatchOnVessel, count: number): AppendRequest {
  return request(streams.reading(batchId), seal(count))
}

export function measurements(batch: BatchOnVessel, values: readonly number[]): AppendRequest {
  return {
    stream: streams.reading(batch.batchId),
    expectedRevision: 'any',
    events: values.map((value) => measurement(batch.vessel, value)),
  }
}

export function idleMeasurements(vessel: string, values: readonly number[]): AppendRequest {
  return {
    stream: streams.idleReading(vessel, at.slice(0, 10)),
    expectedRevision: 'any',
    events: values.map((value) => measurement(vessel, value)),
  }
}

export function modelActivation(): AppendRequest {
  const data = { modelId: 'od600', version: '1.0.0', modelHash: 'a'.repeat(64), use: 'od600-forecast' }
  return request(streams.model('od600'), event('ModelActivated', data))
}

export function alarmOf(vessel: string): AppendRequest {
  return request(
    streams.config,
    event('AlarmRaised', {
      level: 'warning',
      category: 'data_quality',
      name: 'out-of-range',
      message: 'out of range',
      vessel,
      tag: null,
    }),
  )
}

/** Appends one after the other, so that positions follow the order given. */
export async function appendInOrder(
  store: EventStore,
  requests: readonly AppendRequest[],
): Promise<readonly Recorded[]> {
  const recorded: Recorded[] = []
  for (const one of requests) {
    const [outcome] = await store.append([one])
    if (outcome?.kind !== 'appended') throw new Error(`append to ${one.stream}: ${outcome?.kind}`)
    recorded.push(...outcome.recorded)
  }
  return recorded
}

export async function openBatch(store: EventStore, vessel: string): Promise<BatchOnVessel> {
  const batch = batchOn(vessel)
  await appendInOrder(store, [reservation(batch), creation(batch)])
  return batch
}

const measurement = (vessel: string, value: number): ClientEvent =>
  reading({
    actor: { kind: 'device', id: vessel, role: 'sensor' },
    source: { topic: `bioprocess/pichia/${vessel}/sensors/pH`, seq: value },
    data: { vessel, tag: 'pH', value, unit: '[pH]', quality: 'good' },
  })

const event = (type: string, data: Record<string, unknown>): ClientEvent => ({
  id: freshId(),
  type,
  schemaVersion: 1,
  occurredAt: at,
  receivedAt: at,
  actor: { kind: 'service', id: 'test', role: 'test' },
  origin: 'live',
  site: 'site-1',
  data,
})

const request = (stream: string, one: ClientEvent): AppendRequest => ({
  stream,
  expectedRevision: 'any',
  events: [one],
})
