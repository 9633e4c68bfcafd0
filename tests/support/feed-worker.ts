/**
 * A worker of the Kafka feed in a process of its own, as a test kills it: for each reading it appends one event to
 * `device-<vessel>`, whose id follows from the reading's, and whose message names the reading's position. Settings come as
 * JSON in its first argument; it says on stdout which lanes it owns.
 */
import { fileURLToPath } from 'node:url'
import type { AppendRequest } from '../../infra/event-store/event-store.ts'
import { postgresEventStore } from '../../infra/event-store/postgres/postgres-event-store.ts'
import { alarm } from '../../infra/event-store/testing/sample-events.ts'
import type { FeedEvent } from '../../infra/feed/feed.ts'
import { kafkaVesselFeed } from '../../infra/kafka/kafka-feed.ts'
import { topicNames } from '../../infra/kafka/topics.ts'
import { createLogger } from '../../infra/log.ts'
import type { ClientEvent } from '../../schemas/event.ts'
import { derivedId } from '../../schemas/ids.ts'

export const feedWorkerFile = fileURLToPath(import.meta.url)

export type FeedWorkerSettings = {
  readonly brokers: readonly string[]
  readonly postgresUrl: string
  readonly prefix: string
  readonly sessionTimeoutMs: number
}

export const outputStream = (vessel: string): string => `device-${vessel}`

function outputOf({ vessel, event }: FeedEvent): { stream: string; output: ClientEvent } | undefined {
  if (vessel === undefined || event.type !== 'SensorReadingRecorded') return undefined
  const id = derivedId(Date.parse(event.occurredAt), 'output', event.id)
  return { stream: outputStream(vessel), output: alarm({ id }, `reading ${event.position}`) }
}

async function work(settings: FeedWorkerSettings): Promise<void> {
  const store = await postgresEventStore({ appUrl: settings.postgresUrl })
  const feed = kafkaVesselFeed({
    brokers: settings.brokers,
    store,
    log: createLogger('warn'),
    topics: topicNames(settings.prefix),
    sessionTimeoutMs: settings.sessionTimeoutMs,
  })
  const say = (lanes: readonly string[], verb: string) => process.stdout.write(`${verb} ${lanes.join(',')}\n`)
  await feed.run({
    group: 'crash',
    signal: new AbortController().signal,
    onAssigned: async (lanes) => {
      say(lanes, 'assigned')
    },
    onRevoked: async (lanes) => {
      say(lanes, 'revoked')
    },
    onEvents: async ({ events }) => {
      const outputs = events.flatMap((one) => outputOf(one) ?? [])
      const requests: AppendRequest[] = [...Map.groupBy(outputs, ({ stream }) => stream)].map(
        ([stream, those]) => ({
          stream,
          expectedRevision: 'any',
          events: those.map(({ output }) => output),
        }),
      )
      if (requests.length === 0) return
      const outcomes = await store.append(requests)
      for (const { kind } of outcomes)
        if (kind !== 'appended' && kind !== 'duplicate') throw new Error(`append: ${kind}`)
    },
  })
}

if (process.argv[1] === feedWorkerFile) await work(JSON.parse(process.argv[2] ?? '{}') as FeedWorkerSettings)
