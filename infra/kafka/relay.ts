/**
 * The relay: store → Kafka, in store order. It keeps no state of its own: after a crash it goes on from what the topics
 * hold. One relay is active at a time by an advisory lock of the database; a second one that writes for a moment (a lost
 * session) can only repeat records, since each writes without a hole from where the topics ended.
 */
import type { Kafka, Producer } from 'kafkajs'
import type { RecordedEvent } from '../../schemas/event.ts'
import { assertSameStore, StoreReplacedError } from '../event-store/checkpoint.ts'
import type { EventStore } from '../event-store/event-store.ts'
import { ForeignFeedError } from '../feed/feed.ts'
import { vesselRouting } from '../feed/vessel-routing.ts'
import type { Logger } from '../log.ts'
import type { Pool } from '../postgres/pool.ts'
import { whileHolding } from '../postgres/while-holding.ts'
import { untilItWorks } from '../until-it-works.ts'
import { disconnected, kafkaClient, orderedProducer, unlessAborted } from './client.ts'
import { readLastRecords } from './last-records.ts'
import { inSends, type RelayRecord, relayRecords } from './relay-records.ts'
import {
  decodeProgress,
  encodeProgress,
  PartitionsChangedError,
  type ResumePoint,
  resumePoint,
} from './resume-point.ts'
import { ensureTopics, type Topics, topicNames } from './topics.ts'

/** Below Kafka's default bound of 1 MiB for the records of one partition. */
const bytesPerSend = 900_000
const progressEveryMs = 1_000

export type RelayDeps = {
  readonly brokers: readonly string[]
  readonly store: EventStore
  /** For the advisory lock. */
  readonly pool: Pool
  readonly log: Logger
  readonly signal: AbortSignal
  readonly topics?: Topics
  /** Of the topics that it makes; default 12. */
  readonly partitions?: number
  /** Events a page at most; default 4,000. */
  readonly pageSize?: number
  readonly onState?: (state: RelayState) => void
}

export type RelayState =
  /** Another relay holds the lock. */
  | { readonly kind: 'standby' }
  /** Finding out what the topics hold, or trying again. */
  | { readonly kind: 'connecting' }
  | {
      readonly kind: 'relaying'
      /** Everything up to here is in the topics. */
      readonly through: bigint
      readonly caughtUp: boolean
      readonly records: number
    }

/**
 * Resolves when `signal` aborts. Rejects with `ForeignFeedError`, `StoreReplacedError` or `PartitionsChangedError`; all
 * else (a broker, store or database that does not answer) is tried again.
 */
export async function runRelay(deps: RelayDeps): Promise<void> {
  const { pool, log, signal } = deps
  await whileHolding({ pool, log, signal }, 'bioledger-relay', async (holding) => {
    await untilItWorks({ what: 'relay events to Kafka', log, signal: holding.signal, isFinal }, () =>
      relay({ ...deps, signal: holding.signal }),
    ).catch((error: unknown) => {
      if (!holding.signal.aborted) throw error
    })
    deps.onState?.({ kind: 'standby' })
  })
}

const isFinal = (error: unknown): boolean =>
  error instanceof ForeignFeedError ||
  error instanceof StoreReplacedError ||
  error instanceof PartitionsChangedError

/** One life of a producer. */
async function relay(deps: RelayDeps): Promise<void> {
  const { store, log, signal } = deps
  const topics = deps.topics ?? topicNames()
  deps.onState?.({ kind: 'connecting' })
  const kafka = kafkaClient(deps, 'relay')
  await ensureTopics(kafka, topics, deps.partitions ?? 12)
  const { partitions, point } = await whereToGoOn(kafka, topics, store)
  log.info({ after: point.after === undefined ? 'the beginning' : String(point.after) }, 'the relay begins')
  const count = (topic: string) => partitions.filter((one) => one.topic === topic).length
  const recordsOf = relayRecords({
    topics,
    storeId: store.storeId,
    routing: vesselRouting(store),
    vesselPartitions: count(topics.vessels),
    eventPartitions: count(topics.events),
  })
  const producer = orderedProducer(kafka)
  const sender = openSender({ producer, topics, storeId: store.storeId, partitions, signal })
  await producer.connect()
  try {
    for await (const page of store.subscribe({
      ...(point.after === undefined ? {} : { after: point.after }),
      pageSize: deps.pageSize ?? 4_000,
      signal,
    })) {
      if (signal.aborted) break
      const records = await missingRecords(page.events, recordsOf, point.lastPositions)
      for (const send of inSends(records, bytesPerSend)) {
        if (signal.aborted) return
        await sender.send(send)
      }
      const last = page.events.at(-1)
      if (last) await sender.stateProgress(last)
      deps.onState?.({
        kind: 'relaying',
        through: page.through,
        caughtUp: page.caughtUp,
        records: records.length,
      })
    }
    await sender.stateProgress(undefined)
  } finally {
    await disconnected(producer)
  }
}

async function whereToGoOn(kafka: Kafka, topics: Topics, store: EventStore) {
  const records = await readLastRecords(kafka, [topics.vessels, topics.events, topics.relay])
  const partitions = records.filter(({ topic }) => topic !== topics.relay)
  const written = records.find(({ topic }) => topic === topics.relay)
  const point: ResumePoint = resumePoint(
    store.storeId,
    partitions,
    decodeProgress(written?.last?.value ?? null),
  )
  // A store restored from an older backup has the identity but not the events.
  await assertSameStore(store, point.furthest)
  return { partitions, point }
}

/** Without those that their partition has. */
async function missingRecords(
  events: readonly RecordedEvent[],
  recordsOf: ReturnType<typeof relayRecords>,
  lastPositions: ReadonlyMap<string, bigint>,
): Promise<readonly RelayRecord[]> {
  const missing: RelayRecord[] = []
  for (const event of events)
    for (const record of await recordsOf(event)) {
      const last = lastPositions.get(`${record.topic}/${record.partition}`)
      if (last === undefined || event.position > last) missing.push(record)
    }
  return missing
}

function openSender(deps: {
  readonly producer: Producer
  readonly topics: Topics
  readonly storeId: string
  readonly partitions: readonly { topic: string; partition: number; end: bigint }[]
  readonly signal: AbortSignal
}) {
  const { producer, topics, storeId, partitions, signal } = deps
  const ends = new Map(partitions.map(({ topic, partition, end }) => [`${topic}/${partition}`, end]))
  let reached: RecordedEvent | undefined
  let dueAt = performance.now() + progressEveryMs

  return {
    async send(records: readonly RelayRecord[]): Promise<void> {
      const topicMessages = [...Map.groupBy(records, ({ topic }) => topic)].map(([topic, those]) => ({
        topic,
        messages: those.map(({ message }) => message),
      }))
      const answers = await unlessAborted(signal, producer.sendBatch({ acks: -1, topicMessages }))
      const counts = Map.groupBy(records, ({ topic, partition }) => `${topic}/${partition}`)
      for (const { topicName, partition, baseOffset, errorCode } of answers) {
        const key = `${topicName}/${partition}`
        if (errorCode !== 0 || baseOffset === undefined)
          throw new Error(`the broker answered error ${errorCode} for ${key}`)
        ends.set(key, BigInt(baseOffset) + BigInt(counts.get(key)?.length ?? 0))
      }
    },
    /** About once a second, and at the end: everything up to that event was acknowledged. */
    async stateProgress(event: RecordedEvent | undefined): Promise<void> {
      reached = event ?? reached
      if (!reached || (event && performance.now() < dueAt)) return
      const { position, id: eventId } = reached
      await producer.send({
        topic: topics.relay,
        acks: -1,
        messages: [
          {
            key: 'progress',
            partition: 0,
            value: encodeProgress({ storeId, position, eventId, ends: Object.fromEntries(ends) }),
            headers: { 'store-id': storeId, position: String(position), 'event-id': eventId },
          },
        ],
      })
      reached = undefined
      dueAt = performance.now() + progressEveryMs
    },
  }
}
