/**
 * `npm run bench [-- --only <line> …] [--json]`: measures the product on this machine and prints a table of figure,
 * target and ratio (bench/README.md). Everything runs in a temporary folder, on its own embedded Postgres with the
 * settings of the product, fsync included. Exit status: 0 measured, whatever the ratios; 2 it could not be.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { Command, Option } from 'commander'
import { migrateEventStore, postgresEventStore } from '../infra/event-store/postgres/postgres-event-store.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../infra/postgres/embedded.ts'
import { benchAppendPath } from './append-path.ts'
import { cleanupList } from './cleanup.ts'
import { benchDayBatch } from './day-batch.ts'
import { benchExtract } from './extract.ts'
import { benchForecast } from './forecast.ts'
import { benchIngest } from './ingest.ts'
import { benchKafka } from './kafka.ts'
import { benchLedger } from './ledger.ts'
import { endDescendants } from './processes.ts'
import { type Measurement, tableOf } from './report.ts'

const lineNames = [
  'append',
  'latency',
  'ingest',
  'ledger',
  'extract',
  'kafka',
  'forecast',
  'read-all',
  'rebuild',
  'queries',
] as const
type LineName = (typeof lineNames)[number]

const { only, json } = new Command('bench')
  .description('Measures the product on this machine')
  .addOption(new Option('--only <line...>', 'only these lines').choices(lineNames))
  .option('--json', 'the measurements for machines', false)
  .parse()
  .opts<{ only?: LineName[]; json: boolean }>()

const scale = scaleOf(process.env.BIOLEDGER_TEST_BENCH_SCALE)
const isWanted = (line: LineName) => only === undefined || only.includes(line)
const log = (text: string) => process.stderr.write(`bench: ${text}\n`)
const cleanup = cleanupList()
let isEnding = false

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)
  process.once(signal, () => endEarly(signal, code))
// Connections that the clean-up cuts under running work complain; that is no news.
process.on('uncaughtException', (error) => {
  if (!isEnding) endEarly(error.message, 2)
})

try {
  const measured = await bench()
  const machine = `${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${availableParallelism()} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.version}${scale === 1 ? '' : `, sizes × ${scale}`}`
  if (json) process.stdout.write(`${JSON.stringify({ machine, scale, measured }, null, 2)}\n`)
  else process.stdout.write(`${machine}\n\n${tableOf(measured)}\n`)
} catch (error) {
  if (!isEnding)
    log(
      error instanceof Error
        ? `${error.message}${error.cause ? ` (${String(error.cause)})` : ''}`
        : String(error),
    )
  process.exitCode = 2
}
if (!isEnding) {
  isEnding = true
  await cleanup.run()
}

function endEarly(why: string, code: number): void {
  isEnding = true
  log(`${why}: cleaning up`)
  void cleanup.run().finally(() => process.exit(code))
}

async function bench(): Promise<Measurement[]> {
  const folder = await mkdtemp(join(tmpdir(), 'bioledger-bench-'))
  // A Postgres whose product was killed may still be on its way out.
  cleanup.add(() => rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }))
  cleanup.add(endDescendants)
  // As root, Postgres runs as another user, who must be able to pass.
  await chmod(folder, 0o755)
  const measured: Measurement[] = []
  if (isWanted('latency') || isWanted('ingest'))
    measured.push(
      ...(await benchIngest({
        folder,
        scale,
        lines: { latency: isWanted('latency'), ingest: isWanted('ingest') },
        cleanup,
        log,
      })),
    )
  if (isWanted('forecast')) measured.push(...(await benchForecast({ folder, scale, cleanup, log })))
  const isDayWanted = isWanted('read-all') || isWanted('rebuild') || isWanted('queries')
  if (!['append', 'ledger', 'extract', 'kafka'].some((line) => isWanted(line as LineName)) && !isDayWanted)
    return measured
  const postgres = await startEmbeddedPostgres({ folder: join(folder, 'postgres') })
  cleanup.add(() => postgres.stop())
  if (isWanted('append')) measured.unshift(...(await append(postgres)))
  if (isWanted('ledger')) measured.push(await benchLedger({ postgres, folder, scale, cleanup, log }))
  if (isWanted('extract')) measured.push(...(await benchExtract({ postgres, folder, scale, cleanup, log })))
  if (isWanted('kafka')) measured.push(...(await benchKafka({ postgres, folder, scale, cleanup, log })))
  if (isDayWanted)
    measured.push(
      ...(await benchDayBatch({
        postgres,
        folder,
        scale,
        lines: { readAll: isWanted('read-all'), rebuild: isWanted('rebuild'), queries: isWanted('queries') },
        cleanup,
        log,
      })),
    )
  return measured
}

async function append(postgres: EmbeddedPostgres): Promise<readonly Measurement[]> {
  log('append path against emmett-postgresql and COPY')
  const database = 'bench_append'
  await postgres.createDatabase(database)
  const adminUrl = postgres.adminUrl(database)
  await migrateEventStore({ adminUrl })
  const store = await postgresEventStore({ appUrl: postgres.appUrl(database) })
  const closing = cleanup.add(() => store.close())
  const measured = await benchAppendPath({ store, adminUrl, scale })
  await store.close()
  closing.done()
  return measured
}

/** For trying the bench itself: sizes and durations times this factor. */
function scaleOf(text: string | undefined): number {
  if (text === undefined) return 1
  const value = Number(text)
  if (text.trim() !== '' && value > 0 && value <= 1) return value
  process.stderr.write(`bench: BIOLEDGER_TEST_BENCH_SCALE is ${text}, expected a number above 0, at most 1\n`)
  process.exit(2)
}
