/**
 * The ledger's integration rate: what a sequencer that comes late makes of a store full of readings: leaves, hashes,
 * tiles, places of revisions and signed checkpoints, all of it durable.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { systemClock } from '../infra/clock.ts'
import { migrateEventStore, postgresEventStore } from '../infra/event-store/postgres/postgres-event-store.ts'
import { createLogger } from '../infra/log.ts'
import type { EmbeddedPostgres } from '../infra/postgres/embedded.ts'
import { startLedger } from '../ledger/service.ts'
import { migrateLedger, openLedger } from '../ledger/storage/database.ts'
import type { Cleanup } from './cleanup.ts'
import { costOf, splitOf } from './processes.ts'
import { messageOfReadings, tagsPerMessage } from './readings.ts'
import type { Measurement } from './report.ts'

const vessels = 1_000
const startMs = Date.parse('2026-01-01T00:00:00.000Z')

export async function benchLedger(deps: {
  readonly postgres: EmbeddedPostgres
  readonly folder: string
  readonly scale: number
  readonly cleanup: Cleanup
  readonly log: (line: string) => void
}): Promise<Measurement> {
  const { postgres, log } = deps
  const database = 'bench_ledger'
  await postgres.createDatabase(database)
  const adminUrl = postgres.adminUrl(database)
  await migrateEventStore({ adminUrl })
  await migrateLedger(adminUrl)
  const store = await postgresEventStore({ appUrl: postgres.appUrl(database) })
  const closingStore = deps.cleanup.add(() => store.close())
  const messages = Math.max(500, Math.round(40_000 * deps.scale))
  log(`appending ${messages * tagsPerMessage} readings of ${vessels} vessels for the ledger`)
  const lanes = 250
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      for (let at = lane; at < messages; at += lanes) {
        const { stream, events } = messageOfReadings(at, vessels, startMs)
        await store.append([{ stream, expectedRevision: 'any', events }])
      }
    }),
  )
  log('sealing them')
  const folder = join(deps.folder, 'ledger')
  await mkdir(folder)
  const pool = openLedger(postgres.appUrl(database), { name: 'bench-ledger', max: 4 })
  const closingPool = deps.cleanup.add(() => pool.end())
  const events = BigInt(messages * tagsPerMessage)
  const cost = await costOf(process.pid)
  const began = performance.now()
  const ledger = startLedger({
    store,
    pool,
    folder,
    log: createLogger('fatal'),
    clock: systemClock,
    site: 'bench',
    originPrefix: 'ledger.localhost/bench',
    raiseAlarm: async (finding) => log(finding),
  })
  while ((ledger.publishedSize() ?? 0n) < events) {
    const { ok, detail } = await ledger.readiness()
    if (!ok) throw new Error(detail)
    await delay(20)
  }
  const seconds = (performance.now() - began) / 1000
  const after = await costOf(process.pid)
  await ledger.stop()
  await pool.end()
  closingPool.done()
  await store.close()
  closingStore.done()
  return {
    name: 'ledger integration',
    figure: Number(events) / seconds,
    unit: 'entries/s',
    target: { atLeast: 40_000 },
    note: `${events.toLocaleString('en')} entries, read, sealed and published in ${seconds.toFixed(1)} s; ${Math.round(Number(events) / (after.productCpu - cost.productCpu)).toLocaleString('en')} entries a second of one core; ${splitOf(cost, after, seconds)}`,
  }
}
