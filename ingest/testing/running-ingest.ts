/** A whole ingest for tests: real Postgres, the embedded broker, real clients. */
import { randomUUID } from 'node:crypto'
import mqtt, { type MqttClient } from 'mqtt'
import type { EventStore } from '../../infra/event-store/event-store.ts'
import {
  migrateEventStore,
  postgresEventStore,
} from '../../infra/event-store/postgres/postgres-event-store.ts'
import { createLogger, type Logger } from '../../infra/log.ts'
import { type EmbeddedBroker, startEmbeddedBroker } from '../../infra/mqtt/embedded-broker.ts'
import type { MessageSource } from '../../infra/mqtt/message-source.ts'
import { createPool, type Pool } from '../../infra/postgres/pool.ts'
import { type TestDatabase, testDatabase } from '../../infra/postgres/testing/test-database.ts'
import type { ClientEvent, RecordedEvent } from '../../schemas/event.ts'
import { streams } from '../../schemas/streams.ts'
import { type Ingest, type IngestDeps, migrateIngest, startIngest } from '../service.ts'

export const quietLog: Logger = createLogger((process.env.BIOLEDGER_TEST_LOG as 'debug') ?? 'silent')

export type Bench = {
  readonly database: TestDatabase
  readonly store: EventStore
  readonly pool: Pool
  /** Starts an ingest on this store; with the embedded broker unless another source is given. */
  start(options?: Partial<IngestDeps>): Promise<Running>
  close(): Promise<void>
}

export type Running = {
  readonly ingest: Ingest
  readonly broker: EmbeddedBroker | undefined
  client(): Promise<MqttClient>
  stop(): Promise<void>
}

export async function bench(): Promise<Bench> {
  const database = await testDatabase()
  await migrateEventStore({ adminUrl: database.adminUrl })
  await migrateIngest({ adminUrl: database.adminUrl })
  const store = await postgresEventStore({ appUrl: database.appUrl })
  const pool = createPool(database.appUrl, { name: 'ingest' })
  const running = new Set<Running>()
  return {
    database,
    store,
    pool,
    start: async (options = {}) => {
      const broker = options.source ? undefined : await startEmbeddedBroker({ port: 0, log: quietLog })
      const source = options.source ?? (broker?.source as MessageSource)
      const ingest = await startIngest({ store, pool, site: 'site-1', log: quietLog, ...options, source })
      const clients: MqttClient[] = []
      const one: Running = {
        ingest,
        broker,
        client: async () => {
          const client = await mqtt.connectAsync(broker?.url ?? '', { reconnectPeriod: 0 })
          client.on('error', () => {})
          clients.push(client)
          return client
        },
        stop: async () => {
          running.delete(one)
          await ingest.stop()
          await Promise.all(clients.map((client) => client.endAsync(true)))
        },
      }
      running.add(one)
      return one
    },
    close: async () => {
      for (const one of running) await one.stop()
      await store.close()
      await pool.end()
    },
  }
}

export async function eventsOf(store: EventStore, stream: string): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = []
  for await (const event of store.readStream(stream)) events.push(event)
  return events
}

export const ofType = (events: readonly RecordedEvent[], type: string): RecordedEvent[] =>
  events.filter((event) => event.type === type)

export type Balance = { received: number; stored: number; duplicate: number; quarantined: number }

/** The last statement of the stream against the events before it. */
export function balanceOf(events: readonly RecordedEvent[]): {
  stated: Balance
  held: Balance
  isLast: boolean
} {
  const index = events.findLastIndex((event) => event.type === 'IngressStated')
  const before = events.slice(0, Math.max(index, 0))
  const sources = (events[index]?.data.sources ?? []) as Balance[]
  const sum = (name: 'received' | 'duplicate' | 'quarantined') =>
    sources.reduce((total, source) => total + source[name], 0)
  const stored = ofType(before, 'SensorReadingRecorded').length
  const quarantined = ofType(before, 'ReadingQuarantined').length
  const later = events
    .slice(index + 1)
    .some((event) => ['SensorReadingRecorded', 'ReadingQuarantined'].includes(event.type))
  return {
    stated: {
      received: sum('received'),
      stored: sum('received') - sum('duplicate') - sum('quarantined'),
      duplicate: sum('duplicate'),
      quarantined: sum('quarantined'),
    },
    held: { received: 0, stored, duplicate: 0, quarantined },
    isLast: index >= 0 && !later,
  }
}

/** Writes the batch's life as the commands service would. */
export async function batchEvent(
  store: EventStore,
  type: 'BatchCreated' | 'BatchAborted',
  batch: { batchId: string; vessel: string; atMs: number },
): Promise<void> {
  const at = new Date(batch.atMs).toISOString()
  const event: ClientEvent = {
    id: randomUUID(),
    type,
    schemaVersion: 1,
    occurredAt: at,
    receivedAt: at,
    actor: { kind: 'human', id: 'p-1', role: 'technician' },
    origin: 'live',
    site: 'site-1',
    ...(type === 'BatchAborted' ? { reason: { code: 'other', text: 'ended by the test of it' } } : {}),
    data:
      type === 'BatchCreated'
        ? {
            batchId: batch.batchId,
            campaign: 'C1',
            number: 1,
            attempt: 1,
            phase: 'A',
            vessel: batch.vessel,
            lateEntry: false,
          }
        : { batchId: batch.batchId, outcome: 'Aborted_Other', lateEntry: false },
  }
  await store.append([{ stream: streams.batch(batch.batchId), expectedRevision: 'any', events: [event] }])
}
