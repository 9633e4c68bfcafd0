/**
 * The ledger's continuous check as a role, in a thread of its own beside the ledger, and once as a command:
 * `bioledger ledger-audit --once [--json]`.
 */
import { Worker } from 'node:worker_threads'
import { systemClock } from '../infra/clock.ts'
import { type Config, readConfig } from '../infra/config.ts'
import { createLogger, type Logger } from '../infra/log.ts'
import type { Metric } from '../infra/telemetry/metric.ts'
import type { Telemetry } from '../infra/telemetry/telemetry.ts'
import { auditMetrics } from '../ledger/audit/audit-metrics.ts'
import { auditOnce } from '../ledger/audit/audit-once.ts'
import { openLedger } from '../ledger/storage/database.ts'
import { auditProgress } from './audit-progress.ts'
import type { Urls } from './foundations.ts'
import { type AuditStatus, type AuditThreadData, openAuditStore, verifiersOf } from './ledger-audit-thread.ts'
import type { Part } from './part.ts'
import { readModelCheck } from './read-model-check.ts'
import { shutdownOrder } from './shutdown.ts'
import { storedDataUrls } from './stored-data.ts'
import { UserError } from './user-error.ts'

export type LedgerAuditRole = Part & { stop(): Promise<void> }

const restartMs = 10_000

export function startLedgerAuditRole(deps: {
  urls: Urls
  config: Config
  log: Logger
  telemetry: Telemetry
}): LedgerAuditRole {
  let status: AuditStatus = { readiness: { ok: true, detail: 'starting' }, metrics: {} }
  let stopping = false
  let restart: NodeJS.Timeout | undefined
  let thread: Worker | undefined
  start()

  function start(): void {
    const { urls, config } = deps
    const workerData: AuditThreadData = { urls, config }
    const own = new Worker(new URL('./ledger-audit-thread.ts', import.meta.url), { workerData })
    thread = own
    own.on('message', (told: AuditStatus) => {
      status = told
    })
    own.on('error', (error) => {
      deps.log.error({ err: error }, 'the check of the ledger failed and starts anew')
      status = { readiness: { ok: false, detail: `starts anew: ${error.message}` }, metrics: status.metrics }
    })
    own.on('exit', () => {
      thread = undefined
      if (!stopping) restart = setTimeout(start, restartMs)
    })
  }

  const metrics: Record<string, Metric> = Object.fromEntries(
    Object.entries(auditMetrics).map(([name, metric]) => [
      name,
      { ...metric, read: () => status.metrics[name] },
    ]),
  )
  const unregister = deps.telemetry.registerMetrics(metrics)
  return {
    name: 'ledger-audit',
    readiness: async () => status.readiness,
    metrics,
    stop: async () => {
      stopping = true
      clearTimeout(restart)
      unregister()
      const running = thread
      if (!running) return
      const ended = new Promise((settle) => running.once('exit', settle))
      running.postMessage('stop')
      const deadline = setTimeout(() => void running.terminate(), 10_000)
      await ended
      clearTimeout(deadline)
    },
  }
}

/** Exit 0: all is as it was sealed; 1: findings; 2: there is no log to check. How far it is goes to stderr. */
export async function ledgerAuditCommand(given: { dataDir: string; json: boolean }): Promise<void> {
  const read = readConfig(process.env)
  if (!('config' in read)) throw new UserError(read.errors.join('; '))
  const config = { ...read.config, dataFolder: given.dataDir }
  const shutdown = shutdownOrder()
  try {
    const urls = await storedDataUrls(config, given.dataDir, shutdown)
    const data: AuditThreadData = { urls, config }
    const log = createLogger('silent')
    const store = await openAuditStore(data, log)
    shutdown.add(() => store.close())
    const pool = openLedger(urls.app, { name: 'ledger-audit-once', max: 2 })
    shutdown.add(() => pool.end())
    const readModels = await readModelCheck({ url: urls.app, store })
    shutdown.add(() => readModels.close())
    const began = systemClock.nowMs()
    const progress = auditProgress((line) => process.stderr.write(`${line}\n`))
    const cycle = await auditOnce(
      { pool, openStore: () => openAuditStore(data, log), verifiers: verifiersOf(config.dataFolder) },
      readModels,
      {
        pace: async () => {},
        onSize: progress.begin,
        onEntries: progress.took,
        onCompare: progress.compare,
      },
    )
    if (cycle.size === 0n)
      throw new UserError(`data folder ${given.dataDir}: there is no signed log to check (ledger.vkey)`)
    const answer = {
      checkedAt: new Date(began).toISOString(),
      size: String(cycle.size),
      seconds: Number(cycle.seconds.toFixed(3)),
      findings: cycle.findings,
    }
    if (given.json) process.stdout.write(`${JSON.stringify(answer)}\n`)
    else {
      for (const { kind, subject, finding } of cycle.findings)
        process.stdout.write(`${kind} ${subject}: ${finding}\n`)
      process.stdout.write(
        `${answer.size} entries and the read models checked in ${answer.seconds} s, ${cycle.findings.length} not as sealed\n`,
      )
    }
    if (cycle.findings.length > 0) process.exitCode = 1
  } finally {
    await shutdown.run()
  }
}
