/** A ledger over a database and a data folder of its own, as the product runs it; for tests. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { systemClock } from '../../infra/clock.ts'
import type { EventStore } from '../../infra/event-store/event-store.ts'
import {
  migrateEventStore,
  postgresEventStore,
} from '../../infra/event-store/postgres/postgres-event-store.ts'
import { createLogger } from '../../infra/log.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import { type TestDatabase, testDatabase } from '../../infra/postgres/testing/test-database.ts'
import { type Ledger, type StartLedgerDeps, startLedger } from '../service.ts'
import { migrateLedger, openLedger } from '../storage/database.ts'
import type { LogReader, PublishedCheckpoint } from '../storage/log-reader.ts'
import { postgresLogReader } from '../storage/postgres-log-reader.ts'

export type LedgerBed = {
  readonly database: TestDatabase
  readonly folder: string
  readonly store: EventStore
  readonly pool: Pool
  readonly reader: LogReader
  readonly alarms: string[]
  /** Started ledgers are stopped by `close`. */
  start(overrides?: Partial<StartLedgerDeps>): Ledger
  /** The first checkpoint that covers the event store's end as it is now. */
  sealed(): Promise<PublishedCheckpoint>
  close(): Promise<void>
}

export async function ledgerBed(database?: TestDatabase): Promise<LedgerBed> {
  const own = database ?? (await testDatabase())
  await migrateEventStore({ adminUrl: own.adminUrl })
  await migrateLedger(own.adminUrl)
  const folder = await mkdtemp(join(tmpdir(), 'bioledger-ledger-'))
  const log = createLogger('fatal')
  const store = await postgresEventStore({ appUrl: own.appUrl, log })
  const pool = openLedger(own.appUrl, { name: 'ledger-test', max: 6 })
  const reader = postgresLogReader(pool)
  const alarms: string[] = []
  const started: Ledger[] = []
  return {
    database: own,
    folder,
    store,
    pool,
    reader,
    alarms,
    start(overrides = {}) {
      const ledger = startLedger({
        store,
        pool,
        log,
        clock: systemClock,
        site: 'site-1',
        originPrefix: 'ledger.example/site-1',
        folder,
        cadenceMs: 20,
        raiseAlarm: async (finding) => {
          alarms.push(finding)
        },
        ...overrides,
      })
      started.push(ledger)
      return ledger
    },
    async sealed() {
      const head = await store.head()
      return await until(async () => {
        const published = await reader.head()
        return published && head && published.position >= head.position ? published : undefined
      })
    },
    async close() {
      for (const ledger of started) await ledger.stop()
      await pool.end()
      await store.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** What `probe` gives as soon as it gives something; throws after `withinMs`. */
export async function until<Value>(
  probe: () => Promise<Value | undefined>,
  withinMs = 30_000,
): Promise<Value> {
  const deadline = performance.now() + withinMs
  for (;;) {
    const value = await probe()
    if (value !== undefined) return value
    if (performance.now() > deadline) throw new Error(`nothing came within ${withinMs} ms`)
    await delay(10)
  }
}
