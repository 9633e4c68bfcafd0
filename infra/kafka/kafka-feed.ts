/**
 * The vessel feed on Kafka: workers of a group share the partitions of `bioprocess.vessels.v1`, each partition a lane.
 * A worker that dies hands its lanes on after the session timeout; offsets are committed after processing, so what it
 * had in hand comes to the next one. State is read from the store, which holds all that the topic tells.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { EventStore } from '../event-store/event-store.ts'
import type { VesselFeed } from '../feed/feed.ts'
import { readVesselFromStore } from '../feed/read-vessel.ts'
import type { Logger } from '../log.ts'
import { kafkaClient } from './client.ts'
import { deadLetters as openDeadLetters } from './dead-letters.ts'
import { type Lanes, openLanes } from './lanes.ts'
import { type Topics, topicNames } from './topics.ts'
import { workerSession } from './worker-session.ts'

const longestPauseMs = 5_000

export type KafkaFeedDeps = {
  readonly brokers: readonly string[]
  readonly store: EventStore
  readonly log: Logger
  readonly topics?: Topics
  /** After so long without a sign of life a worker's lanes go to the others; default 10 s. */
  readonly sessionTimeoutMs?: number
}

export function kafkaVesselFeed(deps: KafkaFeedDeps): VesselFeed {
  const { store, log } = deps
  const topics = deps.topics ?? topicNames()
  const kafka = kafkaClient(deps, 'inference')
  let lanes: Lanes | undefined

  return {
    async run(consumer) {
      const own = openLanes(consumer)
      lanes = own
      const deadLetters = openDeadLetters({ ...deps, topics })
      try {
        for (let failures = 0; !consumer.signal.aborted; ) {
          const began = performance.now()
          try {
            await workerSession({
              kafka,
              topic: topics.vessels,
              group: `bioledger-${consumer.group}`,
              consumer,
              lanes: own,
              deadLetters,
              storeId: store.storeId,
              log,
              sessionTimeoutMs: deps.sessionTimeoutMs ?? 10_000,
            })
          } catch (error) {
            if (consumer.signal.aborted) break
            if (!isKafkaTrouble(error)) throw error
            log.warn({ error: String(error), group: consumer.group }, 'Kafka does not answer; trying again')
          }
          failures = performance.now() - began > 30_000 ? 0 : failures + 1
          await delay(Math.min(longestPauseMs, 50 * 2 ** failures), undefined, {
            signal: consumer.signal,
          }).catch(() => {})
        }
      } finally {
        lanes = undefined
        await deadLetters.close()
        await own.become([])
      }
    },
    readVessel: (vessel, range) => readVesselFromStore(store, vessel, range),
    progress: () => lanes?.progress() ?? [],
    close: async () => {},
  }
}

/** kafkajs gives each of its errors a name of its own. */
const isKafkaTrouble = (error: unknown): boolean => error instanceof Error && error.name.startsWith('KafkaJS')
