/**
 * The Kafka feed: readings of 1,000 vessels that lie in the store go through `serve relay` (a process of its own) and a real
 * broker to a worker in this process, which reads and checks each one and notes it.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { migrateEventStore, postgresEventStore } from '../infra/event-store/postgres/postgres-event-store.ts'
import { kafkaVesselFeed } from '../infra/kafka/kafka-feed.ts'
import type { EmbeddedPostgres } from '../infra/postgres/embedded.ts'
import type { Cleanup } from './cleanup.ts'
import { costOf, splitOf } from './processes.ts'
import { messageOfReadings, tagsPerMessage } from './readings.ts'
import type { Measurement } from './report.ts'

const vessels = 1_000
const startMs = Date.parse('2026-01-01T00:00:00.000Z')
/** Not counted: the relay's start, the group's first join, warm code. */
const warmUpShare = 0.2
const main = fileURLToPath(new URL('../main.ts', import.meta.url))

export async function benchKafka(deps: {
  postgres: EmbeddedPostgres
  folder: string
  scale: number
  cleanup: Cleanup
  log: (text: string) => void
}): Promise<readonly Measurement[]> {
  // Loading it looks for Java and the broker's jars, which no other line needs.
  const { skipWithoutKafka, startTestBroker } = await import('../infra/kafka/testing/broker.ts')
  if (skipWithoutKafka !== false) {
    deps.log(`kafka is left out: ${skipWithoutKafka}`)
    return []
  }
  const database = 'bench_kafka'
  await deps.postgres.createDatabase(database)
  await migrateEventStore({ adminUrl: deps.postgres.adminUrl(database) })
  const appUrl = deps.postgres.appUrl(database)
  const store = await postgresEventStore({ appUrl })
  const closing = deps.cleanup.add(() => store.close())
  const messages = Math.max(2_000, Math.round(50_000 * deps.scale))
  deps.log(`${(messages * tagsPerMessage).toLocaleString('en')} readings for Kafka`)
  for (let at = 0; at < messages; at += 500)
    await store.append(
      Array.from({ length: Math.min(500, messages - at) }, (_, index) => {
        const { stream, events } = messageOfReadings(at + index, vessels, startMs)
        return { stream, expectedRevision: 'any' as const, events }
      }),
    )

  deps.log('relay, broker and worker')
  const broker = await startTestBroker()
  const stopping = deps.cleanup.add(() => broker.stop())
  const relay = spawn(process.execPath, ['--import', 'tsx', main, 'serve', 'relay'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      BIOLEDGER_POSTGRES_URL: appUrl,
      BIOLEDGER_KAFKA_BROKERS: broker.brokers.join(','),
      BIOLEDGER_DATA_DIR: join(deps.folder, 'relay'),
      BIOLEDGER_HTTP_PORT: '0',
      BIOLEDGER_LOG_LEVEL: 'error',
    },
  })
  const measured = await untilRead(messages * tagsPerMessage)
  relay.kill('SIGKILL')
  await broker.stop()
  stopping.done()
  await store.close()
  closing.done()
  return measured

  async function untilRead(total: number): Promise<readonly Measurement[]> {
    const feed = kafkaVesselFeed({ brokers: broker.brokers, store, log: pino({ level: 'silent' }) })
    const done = new AbortController()
    const seen = new Set<bigint>()
    let begin: { atMs: number; seen: number; cost: Awaited<ReturnType<typeof costOf>> } | undefined
    await feed.run({
      group: 'bench',
      signal: done.signal,
      onAssigned: async () => {},
      onRevoked: async () => {},
      onEvents: async ({ events }) => {
        for (const { event } of events) seen.add(event.position)
        if (!begin && seen.size >= total * warmUpShare)
          begin = { atMs: performance.now(), seen: seen.size, cost: await costOf(process.pid) }
        if (seen.size >= total) done.abort()
      },
    })
    if (!begin) throw new Error('the feed ended before the warm-up')
    const seconds = (performance.now() - begin.atMs) / 1000
    return [
      {
        name: 'Kafka feed, store → relay → broker → worker',
        figure: (seen.size - begin.seen) / seconds,
        unit: 'readings/s',
        target: { atLeast: 20_000 },
        note: `${seen.size.toLocaleString('en')} readings, ${vessels.toLocaleString('en')} vessels, none lost; ${splitOf(begin.cost, await costOf(process.pid), seconds)}`,
      },
    ]
  }
}
