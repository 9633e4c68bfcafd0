/**
 * The whole product as its user starts it, fed over MQTT: latency to the read model and resident memory at 2,000
 * readings/s, then durable ingest at full speed with many tags and with one tag a message. A reading counts when its
 * PUBACK came; afterwards the ingress balance must show every one of them stored, once.
 */
import { join } from 'node:path'
import { embeddedPostgresUrls } from '../infra/postgres/embedded.ts'
import { createPool } from '../infra/postgres/pool.ts'
import { sensorTopic } from '../schemas/mqtt.ts'
import { eventually, type RunningProduct, startProduct } from '../tests/support/product.ts'
import { type Cleanup, endProduct } from './cleanup.ts'
import { manyTagMessages, onEachConnection, oneTagMessages } from './messages.ts'
import { costOf, splitOf } from './processes.ts'
import { type NextMessage, openPublisher } from './publisher.ts'
import { tagsPerMessage } from './readings.ts'
import { type Measurement, percentile } from './report.ts'

const dayMs = 86_400_000
const steadyReadingsPerSecond = 2_000

export type IngestLines = { readonly latency: boolean; readonly ingest: boolean }

export async function benchIngest(deps: {
  folder: string
  scale: number
  lines: IngestLines
  cleanup: Cleanup
  log: (line: string) => void
}): Promise<readonly Measurement[]> {
  const dataFolder = join(deps.folder, 'product')
  const product = await startProduct({ dataFolder })
  const stop = deps.cleanup.add(() => endProduct(product))
  const measured: Measurement[] = []
  if (deps.lines.latency) {
    deps.log('latency and memory at 2,000 readings/s')
    measured.push(...(await latencyAndMemory(product, dataFolder, deps.scale)))
  }
  if (deps.lines.ingest) {
    deps.log('durable ingest, many tags a message')
    measured.push(
      ...(await fullSpeed(product, deps.scale, {
        name: `durable ingest, ${tagsPerMessage} tags a message`,
        atLeast: 20_000,
        underWay: 50,
        next: onEachConnection(manyTagMessages, {
          vesselPrefix: 'many',
          vessels: 3,
          startMs: Date.now() - dayMs,
        }),
      })),
    )
    deps.log('durable ingest, one tag a message')
    measured.push(
      ...(await fullSpeed(product, deps.scale, {
        name: 'durable ingest, one tag a message',
        atLeast: 10_000,
        underWay: 500,
        next: onEachConnection(oneTagMessages, {
          vesselPrefix: 'one',
          vessels: 3,
          startMs: Date.now() - dayMs,
        }),
      })),
    )
  }
  const code = await product.stop()
  stop.done()
  if (code !== 0) throw new Error(`the product ended with ${code} instead of 0`)
  return measured
}

async function fullSpeed(
  product: RunningProduct,
  scale: number,
  line: { name: string; atLeast: number; underWay: number; next: NextMessage },
): Promise<readonly Measurement[]> {
  // What an earlier line sent must be stated by now, or it would be counted for this one.
  const before = await settledTotals(product, () => true)
  const publisher = await openPublisher(product.endpoints.mqtt, {
    connections: 8,
    underWay: line.underWay,
    name: 'bench-flood',
  })
  try {
    await publisher.flood(line.next, performance.now() + 5_000 * scale)
    const [costBefore, ownBefore] = [await costOf(product.process.pid!), process.cpuUsage()]
    const [acknowledgedBefore, startedMs] = [publisher.acknowledged(), performance.now()]
    await publisher.flood(line.next, startedMs + 25_000 * scale)
    const seconds = (performance.now() - startedMs) / 1000
    const own = process.cpuUsage(ownBefore)
    const split = splitOf(costBefore, await costOf(product.process.pid!), seconds)
    const acknowledged = publisher.acknowledged() - acknowledgedBefore
    const published = publisher.published()
    const stored = await settledTotals(product, (totals) => totals.stored - before.stored >= published)
    const lost = published - (stored.stored - before.stored)
    const catchUp = (performance.now() - startedMs) / 1000 - seconds
    const publisherCores = (own.user + own.system) / 1e6 / seconds
    return [
      {
        name: line.name,
        figure: acknowledged / seconds,
        unit: 'readings/s',
        target: { atLeast: line.atLeast },
        note: `${split}, publisher ${publisherCores.toFixed(2)}; ${seconds.toFixed(1)} s; stated and projected ${catchUp.toFixed(1)} s later`,
      },
      {
        name: `… lost or stored twice of ${published.toLocaleString('en')}`,
        figure:
          Math.abs(lost) + stored.duplicate - before.duplicate + stored.quarantined - before.quarantined,
        unit: 'readings',
        target: { atMost: 0 },
        note: 'published − stored, duplicates and quarantined ones, by the ingress balance of all streams',
      },
    ]
  } finally {
    await publisher.close()
  }
}

async function latencyAndMemory(
  product: RunningProduct,
  dataFolder: string,
  scale: number,
): Promise<readonly Measurement[]> {
  const postgres = product.endpoints.postgres
  if (postgres === null) throw new Error('the product says nothing about its Postgres')
  const urls = await embeddedPostgresUrls(join(dataFolder, 'postgres'), Number(new URL(postgres).port))
  const pool = createPool(urls.adminUrl(), { name: 'bench-latency', max: 1 })
  const load = await openPublisher(product.endpoints.mqtt, {
    connections: 4,
    underWay: 1,
    name: 'bench-load',
  })
  const marker = await openPublisher(product.endpoints.mqtt, {
    connections: 1,
    underWay: 1,
    name: 'bench-mark',
  })
  try {
    const next = onEachConnection(manyTagMessages, {
      vesselPrefix: 'steady',
      vessels: 26,
      startMs: Date.now() - dayMs,
    })
    const messagesPerSecond = steadyReadingsPerSecond / tagsPerMessage
    await load.steady(next, messagesPerSecond, performance.now() + 5_000 * scale)
    const costBefore = await costOf(product.process.pid!)
    const seconds = 30 * scale
    const startedMs = performance.now()
    const loading = load.steady(next, messagesPerSecond, startedMs + seconds * 1000)
    const samples = await Promise.all([markers(startedMs + seconds * 1000), loading]).then(([taken]) => taken)
    const cost = await costOf(product.process.pid!)
    const split = splitOf(costBefore, cost, (performance.now() - startedMs) / 1000)
    const note = `${samples.length} markers over ${seconds.toFixed(0)} s; ${split}`
    const mebibytes = (bytes: number) => bytes / 1024 / 1024
    return [
      { name: 'sensor → read model, p50', figure: percentile(samples, 0.5), unit: 'ms', note },
      {
        name: 'sensor → read model, p99',
        figure: percentile(samples, 0.99),
        unit: 'ms',
        target: { atMost: 250 },
        note: `longest ${Math.max(...samples).toFixed(0)} ms; read models asked every 3 ms; ${split}`,
      },
      {
        name: 'resident memory at 2,000 readings/s',
        figure: mebibytes(cost.productPeakBytes),
        unit: 'MiB',
        target: { atMost: 1_024 },
        note: `peak of the whole product without Postgres; ${mebibytes(cost.productBytes).toFixed(0)} MiB at the end`,
      },
    ]
  } finally {
    await Promise.all([load.close(), marker.close(), pool.end()])
  }

  /** Publishes a reading every 100 ms whatever becomes of the one before; when each could be read. */
  async function markers(untilMs: number): Promise<number[]> {
    const sentMs: number[] = []
    const latencies: number[] = []
    let failure: unknown
    const timer = setInterval(() => {
      if (performance.now() >= untilMs) return
      sentMs.push(performance.now())
      marker
        .send({
          topic: sensorTopic('bench-marker', 'DO'),
          payload: JSON.stringify({ value: 50, at: new Date().toISOString(), seq: sentMs.length }),
          readings: 1,
        })
        .catch((error: unknown) => {
          failure = error
        })
    }, 100)
    try {
      const deadlineMs = untilMs + 60_000
      while (performance.now() < untilMs || latencies.length < sentMs.length) {
        if (failure) throw failure
        if (performance.now() > deadlineMs)
          throw new Error(`${sentMs.length - latencies.length} markers never reached the read models`)
        if (latencies.length < sentMs.length) {
          const { rows } = await pool.query<{ stored: string | null }>(
            `SELECT sum(count) AS stored FROM projections.stream_state, unnest(stored) AS count
             WHERE stream LIKE 'reading-bench-marker-%'`,
          )
          const readable = Number(rows[0]?.stored ?? 0)
          while (latencies.length < readable && latencies.length < sentMs.length)
            latencies.push(performance.now() - sentMs[latencies.length]!)
        }
        await new Promise((settle) => setTimeout(settle, 3))
      }
      return latencies
    } finally {
      clearInterval(timer)
    }
  }
}

type Totals = {
  stored: number
  duplicate: number
  quarantined: number
  sinceStatement: number
  balanced: boolean
}

/** Once every stream is balanced up to its end and `isEnough`. */
async function settledTotals(
  product: RunningProduct,
  isEnough: (totals: Totals) => boolean,
): Promise<Totals> {
  return await eventually(
    'every acknowledged reading is stored and stated',
    async () => {
      const totals = await ingressTotals(product)
      return totals.balanced && totals.sinceStatement === 0 && isEnough(totals) && totals
    },
    240_000,
  )
}

async function ingressTotals(product: RunningProduct): Promise<Totals> {
  const totals: Totals = { stored: 0, duplicate: 0, quarantined: 0, sinceStatement: 0, balanced: true }
  let after: string | null = null
  do {
    const query: string = after === null ? '' : `&after=${encodeURIComponent(after)}`
    const page: { items: Totals[]; next: string | null } = await product.get(
      `/api/v1/ingress?limit=1000${query}`,
    )
    for (const item of page.items) {
      totals.stored += item.stored
      totals.duplicate += item.duplicate
      totals.quarantined += item.quarantined
      totals.sinceStatement += item.sinceStatement
      totals.balanced &&= item.balanced
    }
    after = page.next
  } while (after !== null)
  return totals
}
