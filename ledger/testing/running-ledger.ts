/** A ledger over a database and a data folder of its own, as the product runs it; for tests. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { systemClock } from '../../infra/clock.ts'
import type { EventStore } from '../../infra/event-store/event-store.ts'
import {
  migrateEventStore,
  postgresEventStore,
} from '../../infra/event-store/postgres/postgres-event-store.ts'
import { createLogger } from '../../infra/log.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import { type TestDatabase, testDatabase } from '../../infra/postgres/testing/test-database.ts'
import { until } from '../../infra/testing/until.ts'
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
  readonly alarms: readonly string[]
  /** Started ledgers are stopped by `close`. */
  start(overrides?: Partial<StartLedgerDeps>): Ledger
  /** The first checkpoint that covers the event store's end as it is now. */
  sealed(): Promise<PublishedCheckpoint>
  /** Stops everything; the database stays, and so does the folder when it was given. */
  close(): Promise<void>
}

// Asked for here and not only in a test: a server of our own then lasts as long as the file, not as its first test.
await testDatabase()

export async function ledgerBed(
  given: { readonly database?: TestDatabase; readonly folder?: string } = {},
): Promise<LedgerBed> {
  const database = given.database ?? (await testDatabase())
  await migrateEventStore({ adminUrl: database.adminUrl })
  await migrateLedger(database.adminUrl)
  const folder = given.folder ?? (await mkdtemp(join(tmpdir(), 'bioledger-ledger-')))
  const log = createLogger('silent')
  const store = await postgresEventStore({ appUrl: database.appUrl, log })
  const pool = openLedger(database.appUrl, { name: 'ledger-test', max: 8 })
  const reader = postgresLogReader(pool)
  const alarms: string[] = []
  const started: Ledger[] = []
  return {
    database,
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
      return await until('a checkpoint covers the store', async () => {
        const published = await reader.head()
        return published && head && published.position >= head.position ? published : undefined
      })
    },
    async close() {
      for (const ledger of started) await ledger.stop()
      await pool.end()
      await store.close()
      if (given.folder === undefined) await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The database as it is, under another name. Nobody may be connected to it meanwhile: close the bed first. */
export async function backupOf({ database }: LedgerBed): Promise<TestDatabase> {
  const name = `${database.name}_backup`
  const server = new URL(database.adminUrl)
  server.pathname = '/postgres'
  const admin = new pg.Client({ connectionString: server.toString() })
  await admin.connect()
  await until('nobody is connected', async () => {
    const { rows } = await admin.query('SELECT FROM pg_stat_activity WHERE datname = $1', [database.name])
    return rows.length === 0
  })
  await admin.query(`CREATE DATABASE ${name} TEMPLATE ${database.name}`)
  await admin.end()
  const named = (url: string) => url.replace(database.name, name)
  return { name, adminUrl: named(database.adminUrl), appUrl: named(database.appUrl) }
}
