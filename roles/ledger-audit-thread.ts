/** The thread of the ledger's continuous check: hashing and comparing must not hold up what serves people and sensors. */
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../infra/clock.ts'
import type { Config } from '../infra/config.ts'
import type { EventStore } from '../infra/event-store/event-store.ts'
import { createLogger, type Logger } from '../infra/log.ts'
import { createPool } from '../infra/postgres/pool.ts'
import type { Reading } from '../infra/telemetry/metric.ts'
import { startAudit } from '../ledger/audit/audit.ts'
import { tripwire } from '../ledger/audit/tripwire.ts'
import { type NoteVerifier, parseVerifierKey } from '../ledger/log/note.ts'
import { openLedger } from '../ledger/storage/database.ts'
import { openEventStore, type Urls } from './foundations.ts'
import { readModelCheck } from './read-model-check.ts'

export type AuditThreadData = { readonly urls: Urls; readonly config: Config }
export type AuditStatus = {
  readonly readiness: { readonly ok: boolean; readonly detail?: string }
  readonly metrics: Readonly<Record<string, Reading>>
}

/** Tables whose rows the product never changes and never removes. */
const growingTables = {
  store: ['event_store.event', 'event_store.template', 'event_store.commit'],
  readSide: [
    'ledger.entry_chunk',
    'ledger.stream_run',
    'projections.timeline',
    'projections.quarantine',
    'projections.ingress_statement',
    'projections.series',
    'projections.reading_chunk',
    'projections.reading_window',
  ],
}

/** Without rights to change schemas: whoever started the thread has brought them up to date. */
export async function openAuditStore({ urls, config }: AuditThreadData, log: Logger): Promise<EventStore> {
  return await openEventStore(
    { ...config, eventStoreAdminUrl: undefined },
    { app: urls.app, admin: undefined },
    log,
  )
}

/**
 * Keys from the file that stands outside the database. A key that was there before stays good: the newest checkpoint
 * may still be signed by it.
 */
export function verifiersOf(dataFolder: string) {
  const seen = new Map<string, NoteVerifier>()
  return async (): Promise<{ origin: string; verifiers: readonly NoteVerifier[] } | undefined> => {
    const text = await readFile(join(resolve(dataFolder), 'ledger.vkey'), 'utf8').catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined
        throw error
      },
    )
    if (text === undefined) return undefined
    const verifier = parseVerifierKey(text.trim())
    seen.set(text.trim(), verifier)
    return {
      origin: verifier.name,
      verifiers: [...seen.values()].filter(({ name }) => name === verifier.name),
    }
  }
}

if (parentPort) await runThread(parentPort, workerData as AuditThreadData)

async function runThread(port: NonNullable<typeof parentPort>, data: AuditThreadData): Promise<void> {
  const { config, urls } = data
  const log = createLogger(config.logLevel)
  const store = await openAuditStore(data, log)
  const pool = openLedger(urls.app, { name: 'ledger-audit', max: 2 })
  const storeUrl = config.eventStoreUrl ?? urls.app
  const storePool = storeUrl.startsWith('esdb')
    ? undefined
    : createPool(storeUrl, { name: 'ledger-audit-watch', max: 1 })
  const audit = startAudit({
    tripwire: tripwire([
      ...(storePool ? [{ pool: storePool, tables: growingTables.store }] : []),
      { pool, tables: growingTables.readSide },
    ]),
    pool,
    store,
    openStore: () => openAuditStore(data, log),
    verifiers: verifiersOf(config.dataFolder),
    readModels: () => readModelCheck({ url: urls.app, store }),
    clock: systemClock,
    site: config.site,
    log,
    entriesPerSecond: config.ledgerAuditEventsPerS,
  })
  const tell = async () => {
    const status: AuditStatus = {
      readiness: await audit.readiness(),
      metrics: Object.fromEntries(
        Object.entries(audit.metrics).map(([name, metric]) => [name, metric.read()]),
      ),
    }
    port.postMessage(status)
  }
  const timer = setInterval(() => void tell(), 500)
  await tell()
  await new Promise<void>((settle) => port.once('message', () => settle()))
  clearInterval(timer)
  await audit.stop()
  await pool.end()
  await storePool?.end()
  await store.close()
  port.close()
}
