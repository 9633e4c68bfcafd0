/**
 * A batch of 24 hours (every tag of the registry at its own cadence: 1.56 million readings) appended through the
 * store, and what the read side makes of it: read-all, rebuild of the projections, the batch as of past instants,
 * and the chart of eight signals with a spike that lasts one sample.
 */

import type { EventStore } from '../infra/event-store/event-store.ts'
import { migrateEventStore, postgresEventStore } from '../infra/event-store/postgres/postgres-event-store.ts'
import type { EmbeddedPostgres } from '../infra/postgres/embedded.ts'
import { rebuildReadModels } from '../projections/rebuild.ts'
import type { ClientEvent } from '../schemas/event.ts'
import { derivedId } from '../schemas/ids.ts'
import { streams } from '../schemas/streams.ts'
import { tagDefinitions } from '../schemas/tags.ts'
import { type RunningProduct, startProduct } from '../tests/support/product.ts'
import { type Cleanup, endProduct } from './cleanup.ts'
import { costOf, splitOf } from './processes.ts'
import { readingOf } from './readings.ts'
import { type Measurement, median, percentile } from './report.ts'

const vessel = 'DAY-1'
const chartTags = ['pH', 'DO', 'OD', 'Stir_SP', 'Temp_Broth', 'Off_Gas_CO2', 'Off_Gas_O2', 'Base_Pump_Rate']
/** Within the hard bounds of DO, far above all that `plausible` draws. */
const spike = { tag: 'DO', value: 187.5 }

export type DayLines = { readonly readAll: boolean; readonly rebuild: boolean; readonly queries: boolean }

export async function benchDayBatch(deps: {
  postgres: EmbeddedPostgres
  folder: string
  scale: number
  lines: DayLines
  cleanup: Cleanup
  log: (line: string) => void
}): Promise<readonly Measurement[]> {
  const { postgres, lines, log } = deps
  const database = 'bench_day'
  await postgres.createDatabase(database)
  const adminUrl = postgres.adminUrl(database)
  await migrateEventStore({ adminUrl })
  const store = await postgresEventStore({ appUrl: postgres.appUrl(database) })
  const closing = deps.cleanup.add(() => store.close())
  const seconds = Math.max(600, Math.round(86_400 * deps.scale))
  const startMs = Math.floor((Date.now() - 86_400_000) / 1000) * 1000
  const batchId = derivedId(startMs, 'bench-day')
  log(`appending a batch of ${(seconds / 3600).toFixed(1)} h`)
  const events = await appendDay(store, batchId, startMs, seconds)
  const measured: Measurement[] = []
  if (lines.readAll) {
    log('reading all of it')
    measured.push(await readAll(store, events))
  }
  // The first rebuild makes the read models; the second is what an operator runs: it also compares.
  log('rebuilding the read models, twice')
  const first = await rebuildReadModels({ store, adminUrl })
  if (lines.rebuild) {
    const before = await costOf(process.pid)
    const again = await rebuildReadModels({ store, adminUrl })
    const split = splitOf(before, await costOf(process.pid), again.seconds)
    if (again.differences.length > 0 || again.parked.length > 0)
      throw new Error(`the rebuild differs: ${JSON.stringify(again.differences)}`)
    measured.push({
      name: 'rebuild of the projections',
      figure: again.events / again.seconds,
      unit: 'events/s',
      target: { atLeast: 100_000 },
      note: `${again.events.toLocaleString('en')} events, compared and switched, ${again.seconds.toFixed(1)} s; without comparing ${Math.round(first.events / first.seconds).toLocaleString('en')} events/s; ${split}`,
    })
  }
  if (lines.queries) {
    log('asking for the batch as of 100 instants, and for its chart')
    const product = await startProduct({
      dataFolder: `${deps.folder}/queries`,
      environment: {
        BIOLEDGER_POSTGRES_URL: postgres.appUrl(database),
        BIOLEDGER_POSTGRES_ADMIN_URL: adminUrl,
      },
    })
    const stopping = deps.cleanup.add(() => endProduct(product))
    measured.push(await asOf(product, store, batchId), ...(await chart(product, batchId)))
    await product.stop()
    stopping.done()
  }
  await store.close()
  closing.done()
  return measured
}

/** Seconds in the order of the plant, a hundred to an append, two appends under way. */
async function appendDay(
  store: EventStore,
  batchId: string,
  startMs: number,
  seconds: number,
): Promise<number> {
  const created: ClientEvent = {
    id: derivedId(startMs, 'bench-day-created'),
    type: 'BatchCreated',
    schemaVersion: 1,
    occurredAt: new Date(startMs).toISOString(),
    receivedAt: new Date(startMs).toISOString(),
    actor: { kind: 'human', id: 'bench', role: 'operator' },
    origin: 'simulated',
    site: 'bench',
    data: { batchId, campaign: 'bench', number: 1, attempt: 1, phase: 'A', vessel, lateEntry: false },
  }
  await appended(store, streams.batch(batchId), [created])
  const spikeSecond = Math.floor(seconds * 0.618)
  let count = 1
  let before: Promise<void> = Promise.resolve()
  for (let at = 0; at < seconds; at += 100) {
    const events: ClientEvent[] = []
    for (let second = at; second < Math.min(at + 100, seconds); second++)
      for (const definition of tagDefinitions) {
        if (second % definition.cadenceSeconds !== 0) continue
        const isSpike = definition.tag === spike.tag && second === spikeSecond
        events.push(readingOf(definition, vessel, startMs, second, isSpike ? spike.value : undefined))
      }
    count += events.length
    const now = appended(store, streams.reading(batchId), events)
    // Heard one turn later; until then it must not count as unhandled.
    now.catch(() => {})
    await before
    before = now
  }
  await before
  return count
}

async function appended(store: EventStore, stream: string, events: readonly ClientEvent[]): Promise<void> {
  const [outcome] = await store.append([{ stream, expectedRevision: 'any', events }])
  if (outcome?.kind !== 'appended') throw new Error(`append to ${stream} answered ${outcome?.kind}`)
}

async function readAll(store: EventStore, expected: number): Promise<Measurement> {
  const startedMs = performance.now()
  let count = 0
  for await (const page of store.readAll()) count += page.events.length
  const seconds = (performance.now() - startedMs) / 1000
  if (count !== expected) throw new Error(`read-all gave ${count} of ${expected} events`)
  return {
    name: 'read-all',
    figure: count / seconds,
    unit: 'events/s',
    note: `${count.toLocaleString('en')} events in position order, decoded`,
  }
}

async function asOf(product: RunningProduct, store: EventStore, batchId: string): Promise<Measurement> {
  const head = (await store.head())?.position ?? 0n
  const times: number[] = []
  await product.get(`/api/v1/batches/${batchId}`)
  for (let index = 0; index < 100; index++) {
    // Positions spread evenly are instants spread over the batch.
    const position = 2n + (BigInt(Math.floor(Math.random() * 1e9)) * (head - 2n)) / 1_000_000_000n
    const instant = await store.recordedAtOf(position)
    if (instant === undefined) throw new Error(`nothing was recorded at position ${position}`)
    const startedMs = performance.now()
    await product.get(`/api/v1/batches/${batchId}?asOf=${encodeURIComponent(instant)}`)
    times.push(performance.now() - startedMs)
  }
  return {
    name: 'batch state as of an instant, p95',
    figure: percentile(times, 0.95),
    unit: 'ms',
    target: { atMost: 100 },
    note: `100 random instants of ${head.toLocaleString('en')} events over HTTP; p50 ${median(times).toFixed(1)} ms`,
  }
}

async function chart(product: RunningProduct, batchId: string): Promise<readonly Measurement[]> {
  type Answer = { points: { value: number }[]; sourceCount: number }
  const drawn = async () =>
    await Promise.all(
      chartTags.map((tag) =>
        product.get<Answer>(`/api/v1/batches/${batchId}/series?tag=${tag}&reduce=minmax&points=2000`),
      ),
    )
  const times: number[] = []
  const before = await costOf(process.pid)
  const beganMs = performance.now()
  let answers: Answer[] = []
  for (let index = 0; index < 21; index++) {
    const startedMs = performance.now()
    answers = await drawn()
    times.push(performance.now() - startedMs)
  }
  const [cold = 0, ...warm] = times
  const split = splitOf(before, await costOf(process.pid), (performance.now() - beganMs) / 1000)
  const kept = answers[chartTags.indexOf(spike.tag)]?.points.some(({ value }) => value === spike.value)
  return [
    {
      name: 'chart of 8 signals over the batch, p95',
      figure: percentile(warm, 0.95),
      unit: 'ms',
      target: { atMost: 300 },
      note: `8 requests at a time, minmax to 2,000 points of ${answers[0]?.sourceCount.toLocaleString('en')} each; p50 ${median(warm).toFixed(0)} ms, first ${cold.toFixed(0)} ms; ${split}`,
    },
    {
      name: '… spike of one sample is in the chart',
      figure: kept ? 1 : 0,
      unit: 'of 1',
      target: { atLeast: 1 },
      note: `${spike.tag} = ${spike.value} in one second of the batch`,
    },
  ]
}
