/** The ledger's role: seals what the store holds. It never takes another part down: what it refuses is told and alarmed. */
import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { systemClock } from '../infra/clock.ts'
import type { Config } from '../infra/config.ts'
import type { EventStore } from '../infra/event-store/event-store.ts'
import type { Logger } from '../infra/log.ts'
import type { Telemetry } from '../infra/telemetry/telemetry.ts'
import { consistencyProof } from '../ledger/log/proof.ts'
import { startLedger } from '../ledger/service.ts'
import { openLedger } from '../ledger/storage/database.ts'
import { postgresLogReader } from '../ledger/storage/postgres-log-reader.ts'
import { witnessContradictions } from '../ledger/witness/contradictions.ts'
import type { Urls } from './foundations.ts'
import { configuredWitnesses } from './ledger-witnesses.ts'
import type { Part } from './part.ts'
import { appendStoreAlarm } from './store-alarm.ts'

export type LedgerRole = Part & {
  /** The ledger signs nothing more. */
  refuse(finding: string): void
  stop(): Promise<void>
}

export async function startLedgerRole(deps: {
  store: EventStore
  urls: Urls
  config: Config
  log: Logger
  telemetry: Telemetry
}): Promise<LedgerRole> {
  const { store, config, log } = deps
  const folder = resolve(config.dataFolder)
  await mkdir(folder, { recursive: true, mode: 0o755 })
  const witnesses = configuredWitnesses(config)
  const pool = openLedger(deps.urls.app, { name: 'ledger', max: 4 })
  const reader = postgresLogReader(pool)
  const ledger = startLedger({
    store,
    pool,
    log,
    clock: systemClock,
    site: config.site,
    originPrefix: `${config.ledgerName}/${config.site}`,
    folder,
    filesFolder: config.ledgerFiles && resolve(config.ledgerFiles),
    headsEveryMs: config.ledgerHeadsEveryMs,
    contradictions: (origin, published) =>
      witnessContradictions(
        { witnesses, nowMs: systemClock.nowMs },
        origin,
        published && {
          note: published.note,
          proofFrom: (oldSize) => consistencyProof(oldSize, published.size, reader.subtrees(published.size)),
        },
      ),
    raiseAlarm: (finding) => appendStoreAlarm(store, config.site, finding, 'ledger_refused'),
  })
  const unregister = deps.telemetry.registerMetrics(ledger.metrics)
  return {
    name: 'ledger',
    refuse: ledger.refuse,
    readiness: ledger.readiness,
    metrics: ledger.metrics,
    stop: async () => {
      unregister()
      await ledger.stop()
      await pool.end()
    },
  }
}
