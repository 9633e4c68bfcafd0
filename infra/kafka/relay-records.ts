/** The records that one event becomes, and how records are grouped into sends that a broker takes. */
import type { Message } from 'kafkajs'
import type { RecordedEvent } from '../../schemas/event.ts'
import type { VesselRouting } from '../feed/vessel-routing.ts'
import { partitionOf } from './partition-of.ts'
import { encodeRecord, sizeOf } from './record.ts'
import type { Topics } from './topics.ts'

export type RelayRecord = { readonly topic: string; readonly partition: number; readonly message: Message }

export type RecordsOf = (event: RecordedEvent) => Promise<readonly RelayRecord[]>

export function relayRecords(deps: {
  readonly topics: Topics
  readonly storeId: string
  readonly routing: VesselRouting
  readonly vesselPartitions: number
  readonly eventPartitions: number
}): RecordsOf {
  const { topics, storeId, routing } = deps
  const vesselPartition = partitionOf(deps.vesselPartitions)
  const eventPartition = partitionOf(deps.eventPartitions)
  return async (event) => {
    const found = routing.routeOf(event)
    const route = found instanceof Promise ? await found : found
    const encoded = encodeRecord(event, storeId)
    const record = (topic: string, partition: number, key: string | null): RelayRecord => ({
      topic,
      partition,
      message: { ...encoded, key, partition },
    })
    const records: RelayRecord[] = []
    if (route.kind === 'vessel')
      records.push(record(topics.vessels, vesselPartition(route.vessel), route.vessel))
    else if (route.kind === 'every-vessel')
      for (let partition = 0; partition < deps.vesselPartitions; partition++)
        records.push(record(topics.vessels, partition, null))
    if (event.type !== 'SensorReadingRecorded')
      records.push(record(topics.events, eventPartition(event.stream), event.stream))
    return records
  }
}

/** In order; no send above `bytes`, but for one with a single record. */
export function* inSends(records: readonly RelayRecord[], bytes: number): Generator<readonly RelayRecord[]> {
  let send: RelayRecord[] = []
  let size = 0
  for (const record of records) {
    const more = sizeOf(record.message)
    if (send.length > 0 && size + more > bytes) {
      yield send
      send = []
      size = 0
    }
    send.push(record)
    size += more
  }
  if (send.length > 0) yield send
}
