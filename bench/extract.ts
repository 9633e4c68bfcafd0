/**
 * Extracts: writing that of a batch of 1.5 million readings in a process of its own, with its peak memory; and verifying
 * one of 250,000 events with the one-file verifier. Another vessel's readings stand between those of the batch.
 */
import { spawn } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../infra/clock.ts'
import type { EventStore } from '../infra/event-store/event-store.ts'
import { migrateEventStore, postgresEventStore } from '../infra/event-store/postgres/postgres-event-store.ts'
import { createLogger } from '../infra/log.ts'
import type { EmbeddedPostgres } from '../infra/postgres/embedded.ts'
import { startLedger } from '../ledger/service.ts'
import { migrateLedger, openLedger } from '../ledger/storage/database.ts'
import { postgresLogReader } from '../ledger/storage/postgres-log-reader.ts'
import type { ClientEvent } from '../schemas/event.ts'
import { derivedId } from '../schemas/ids.ts'
import { tagDefinitions } from '../schemas/tags.ts'
import type { Cleanup } from './cleanup.ts'
import { readingOf } from './readings.ts'
import type { Measurement } from './report.ts'

export type WriterReport = {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly peakBytes: number
  readonly events: number
}

const startMs = Date.parse('2026-01-01T00:00:00.000Z')
const secondsAnAppend = 50

export async function benchExtract(deps: {
  readonly postgres: EmbeddedPostgres
  readonly folder: string
  readonly scale: number
  readonly cleanup: Cleanup
  readonly log: (line: string) => void
}): Promise<Measurement[]> {
  const { postgres, log } = deps
  const database = 'bench_extract'
  await postgres.createDatabase(database)
  const adminUrl = postgres.adminUrl(database)
  await migrateEventStore({ adminUrl })
  await migrateLedger(adminUrl)
  const appUrl = postgres.appUrl(database)
  const store = await postgresEventStore({ appUrl })
  const closingStore = deps.cleanup.add(() => store.close())
  const pool = openLedger(appUrl, { name: 'bench-extract', max: 4 })
  const closingPool = deps.cleanup.add(() => pool.end())
  const folder = join(deps.folder, 'extract')
  await mkdir(folder)
  const [large, small] = [1_500_000, 250_000].map((events) => Math.round(events * deps.scale)) as [
    number,
    number,
  ]
  log(`appending batches of ${large} and ${small} readings, and as many of another vessel`)
  const batches = [await appendBatch(store, 1, large), await appendBatch(store, 2, small)] as const
  log('sealing them')
  await seal({ store, pool, folder, log })
  log('writing their extracts')
  const report = await runNode<WriterReport>(
    ['--import', 'tsx', writerPath, appUrl, folder, batches[0], join(folder, 'large.zip')],
    deps.cleanup,
  )
  await runNode(
    ['--import', 'tsx', writerPath, appUrl, folder, batches[1], join(folder, 'small.zip')],
    deps.cleanup,
  )
  log('verifying')
  const began = performance.now()
  const verdict = await runNode<{ exit: number; events: number; verdict: string }>(
    [verifierPath, join(folder, 'small.zip'), '--key', join(folder, 'ledger.vkey'), '--json'],
    deps.cleanup,
  )
  const verifySeconds = (performance.now() - began) / 1000
  if (verdict.exit !== 0) throw new Error(`the extract did not verify: ${verdict.verdict}`)
  await pool.end()
  closingPool.done()
  await store.close()
  closingStore.done()
  return [
    {
      name: 'extract written',
      figure: report.seconds,
      unit: 's',
      target: { atMost: 120 },
      note: `${report.events.toLocaleString('en')} events; ${report.cpuSeconds.toFixed(1)} s of CPU without Postgres, peak ${(report.peakBytes / 2 ** 20).toFixed(0)} MiB resident`,
    },
    {
      name: 'extract verified',
      figure: verifySeconds,
      unit: 's',
      target: { atMost: 10 },
      note: `${verdict.events.toLocaleString('en')} events, one process, offline`,
    },
  ]
}

const writerPath = fileURLToPath(new URL('extract-writer.ts', import.meta.url))
const verifierPath = fileURLToPath(new URL('../verify/verify.mjs', import.meta.url))

/** Its id. */
async function appendBatch(store: EventStore, number: number, readings: number): Promise<string> {
  const batchId = derivedId(startMs, 'bench-extract', number)
  const vessel = `B-${number}`
  await store.append([
    { stream: `batch-${batchId}`, expectedRevision: 'noStream', events: [created(batchId, number, vessel)] },
  ])
  const seconds = Math.ceil(readings / tagDefinitions.length)
  for (let second = 0; second < seconds; second += secondsAnAppend) {
    const streams = [
      { stream: `reading-${batchId}`, vessel },
      { stream: `reading-other-${number}`, vessel: `O-${number}` },
    ]
    await store.append(
      streams.map(({ stream, vessel }) => ({
        stream,
        expectedRevision: 'any' as const,
        events: Array.from({ length: Math.min(secondsAnAppend, seconds - second) }, (_, at) =>
          tagDefinitions.map((definition) => readingOf(definition, vessel, startMs, second + at)),
        ).flat(),
      })),
    )
  }
  return batchId
}

function created(batchId: string, number: number, vessel: string): ClientEvent {
  const at = new Date(startMs).toISOString()
  return {
    id: derivedId(startMs, 'bench-extract-created', number),
    type: 'BatchCreated',
    schemaVersion: 1,
    occurredAt: at,
    receivedAt: at,
    actor: { kind: 'human', id: 'p-001', role: 'technician' },
    origin: 'simulated',
    site: 'bench',
    data: { batchId, campaign: 'bench', number, attempt: 1, phase: 'A', vessel, lateEntry: false },
  }
}

async function seal(deps: {
  store: EventStore
  pool: ReturnType<typeof openLedger>
  folder: string
  log: (line: string) => void
}): Promise<void> {
  const reader = postgresLogReader(deps.pool)
  const end = (await deps.store.head())?.position ?? 0n
  const ledger = startLedger({
    store: deps.store,
    pool: deps.pool,
    folder: deps.folder,
    log: createLogger('fatal'),
    clock: systemClock,
    site: 'bench',
    originPrefix: 'ledger.localhost/bench',
    raiseAlarm: async (finding) => deps.log(finding),
  })
  let asked = false
  for (;;) {
    const { ok, detail } = await ledger.readiness()
    if (!ok && detail !== undefined && !detail.startsWith('no checkpoint')) throw new Error(detail)
    const head = await reader.head()
    if (head && head.position >= end) {
      if (!asked) await reader.requestHeads()
      asked = true
      const statement = await reader.headsStatement(head.size)
      if (statement && statement.size > head.size - 1_000n) break
    }
    await delay(100)
  }
  await ledger.stop()
}

async function runNode<T>(args: readonly string[], cleanup: Cleanup): Promise<T> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ending = cleanup.add(async () => {
    child.kill('SIGKILL')
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  const code = await new Promise<number | null>((settle) => child.once('close', settle))
  ending.done()
  if (code !== 0) throw new Error(`${args.at(-1)} ended with ${code}: ${text.slice(0, 500)}`)
  return JSON.parse(text) as T
}
