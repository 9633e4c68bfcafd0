/**
 * Sensor to forecast: 1,000 vessels with a running batch each send a many-tag message every 10 s, as the simulated
 * process has them from inoculation on. Measured from the publication of the message that closes a window to the
 * store's clock of its forecast, over whole windows after a warm-up.
 */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { simulateBatch } from '../domain/process-model/batch-run.ts'
import { presets } from '../domain/process-model/settings.ts'
import { windowMs } from '../domain/process-windows/process-window.ts'
import { postgresEventStore } from '../infra/event-store/postgres/postgres-event-store.ts'
import { embeddedPostgresUrls } from '../infra/postgres/embedded.ts'
import { sensorTopic } from '../schemas/mqtt.ts'
import { type RunningProduct, startProduct } from '../tests/support/product.ts'
import { type Cleanup, endProduct } from './cleanup.ts'
import { costOf, splitOf } from './processes.ts'
import { openPublisher } from './publisher.ts'
import { tagsPerMessage } from './readings.ts'
import { type Measurement, median, percentile } from './report.ts'

const everySeconds = 10
const measuredWindows = 3
/** Not counted: the model is asked from 6 min after inoculation on, and the first time with cold code. */
const warmUpWindows = 14
/** Of the simulated process, when the load begins. */
const beginSecond = 0
/** A window closes with the first reading so long after its end. */
const closesAfterMs = 1_000

export async function benchForecast(deps: {
  folder: string
  scale: number
  cleanup: Cleanup
  log: (text: string) => void
}): Promise<readonly Measurement[]> {
  const vessels = Math.max(10, Math.round(1_000 * deps.scale))
  const dataFolder = join(deps.folder, 'forecasting')
  const product = await startProduct({ dataFolder })
  const stop = deps.cleanup.add(() => endProduct(product))
  deps.log(`${vessels.toLocaleString('en')} batches for forecasts`)
  for (let from = 0; from < vessels; from += 20)
    await Promise.all(
      Array.from({ length: Math.min(20, vessels - from) }, (_, index) => runningBatch(product, from + index)),
    )
  const measured = await underLoad(product, dataFolder, vessels, deps.log)
  const code = await product.stop()
  stop.done()
  if (code !== 0) throw new Error(`the product ended with ${code} instead of 0`)
  return measured
}

const vesselName = (index: number): string => `F-${String(index).padStart(4, '0')}`

async function runningBatch(product: RunningProduct, index: number): Promise<void> {
  const inoculatedMs = Date.now() - beginSecond * 1000
  const created = await product.post('/api/v1/batches', {
    number: index + 1,
    phase: 'A',
    vessel: vesselName(index),
    campaign: 'bench-forecast',
    origin: 'simulated',
    occurredAt: new Date(inoculatedMs - 60_000).toISOString(),
  })
  const location = created.headers.get('location') ?? ''
  const inoculated = await product.post(
    `${location}/inoculation`,
    {
      goDecision: true,
      inoculumOd600: '4.0',
      inoculumVolumeMl: '100',
      microscopyClean: true,
      viabilityPercent: '98',
      occurredAt: new Date(inoculatedMs).toISOString(),
    },
    { 'if-match': created.headers.get('etag') ?? '', 'idempotency-key': randomUUID() },
  )
  if (inoculated.status !== 201)
    throw new Error(`a batch could not be inoculated: ${JSON.stringify(inoculated.body)}`)
}

async function underLoad(
  product: RunningProduct,
  dataFolder: string,
  vessels: number,
  log: (text: string) => void,
): Promise<readonly Measurement[]> {
  const postgres = product.endpoints.postgres
  if (postgres === null) throw new Error('the product says nothing about its Postgres')
  const urls = await embeddedPostgresUrls(join(dataFolder, 'postgres'), Number(new URL(postgres).port))
  const store = await postgresEventStore({ appUrl: urls.appUrl() })
  const head = await store.head()
  const seconds = ((warmUpWindows + measuredWindows + 1) * windowMs) / 1000
  const values = simulatedValues(beginSecond, seconds + 60)
  const publisher = await openPublisher(product.endpoints.mqtt, {
    connections: 8,
    underWay: 1,
    name: 'bench-forecast',
  })
  /** Per vessel and window end: when the message that closes it was published. */
  const closings = new Map<string, number>()
  const lastWindow = new Map<string, number>()
  const messagesPerSecond = vessels / everySeconds
  const beganMs = Date.now()
  try {
    log(`${Math.round(messagesPerSecond * tagsPerMessage).toLocaleString('en')} readings/s for ${seconds} s`)
    const turns = new Map<number, number>()
    const costBefore = await costOf(product.process.pid!)
    const startedMs = performance.now()
    await publisher.steady(
      (connection) => {
        // A vessel stays with its connection, as a device does.
        const turn = turns.get(connection) ?? 0
        turns.set(connection, turn + 1)
        const own = Math.ceil((vessels - connection) / 8)
        const vessel = vesselName(connection + 8 * (turn % own))
        const nowMs = Date.now()
        noteClosing(vessel, nowMs)
        return {
          topic: sensorTopic(vessel),
          payload: JSON.stringify({
            at: new Date(nowMs).toISOString(),
            values: values[Math.min(values.length - 1, Math.floor((nowMs - beganMs) / 1000))],
            origin: 'simulated',
          }),
          readings: tagsPerMessage,
        }
      },
      messagesPerSecond,
      startedMs + seconds * 1000,
    )
    const split = splitOf(
      costBefore,
      await costOf(product.process.pid!),
      (performance.now() - startedMs) / 1000,
    )
    const firstMs = (Math.ceil(beganMs / windowMs) + warmUpWindows) * windowMs
    const lastMs = firstMs + measuredWindows * windowMs
    const { latencies, withheld, lost } = await forecastsOf(firstMs, lastMs)
    const model = await modelTimes(product)
    const rate = Math.round(messagesPerSecond * tagsPerMessage).toLocaleString('en')
    return [
      {
        name: `sensor → forecast event, p99 at ${vessels.toLocaleString('en')} vessels`,
        figure: percentile(latencies, 0.99),
        unit: 'ms',
        target: { atMost: 1_000 },
        note: `p50 ${median(latencies).toFixed(0)} ms; ${latencies.length.toLocaleString('en')} windows, ${withheld} withheld, ${lost} without a forecast; ${rate} readings/s; ${split}`,
      },
      {
        name: '… of it inside the model, p99 of a call',
        figure: model.p99Ms,
        unit: 'ms',
        target: { atMost: 10 },
        note: `mean ${model.meanMs.toFixed(2)} ms for ${model.rowsPerCall.toFixed(1)} windows a call`,
      },
    ]
  } finally {
    await publisher.close()
    await store.close()
  }

  function noteClosing(vessel: string, nowMs: number): void {
    const end = Math.floor((nowMs - closesAfterMs) / windowMs) * windowMs
    if ((lastWindow.get(vessel) ?? 0) >= end) return
    lastWindow.set(vessel, end)
    closings.set(`${vessel} ${end}`, nowMs)
  }

  async function forecastsOf(firstMs: number, lastMs: number) {
    const due = new Map([...closings].filter(([key]) => isWithin(Number(key.split(' ')[1]), firstMs, lastMs)))
    const latencies: number[] = []
    let withheld = 0
    const deadline = performance.now() + 60_000
    let after = head?.position
    while (due.size > 0 && performance.now() < deadline)
      for await (const page of store.readAll({
        ...(after === undefined ? {} : { after }),
        filter: { types: ['OdForecastIssued', 'ForecastWithheld'], categories: ['forecast'] },
      })) {
        after = page.through
        for (const { type, data, occurredAt, recordedAt } of page.events) {
          const key = `${String(data.vessel)} ${Date.parse(occurredAt)}`
          const publishedMs = due.get(key)
          if (publishedMs === undefined) continue
          due.delete(key)
          if (type === 'ForecastWithheld') withheld++
          latencies.push(Date.parse(recordedAt) - publishedMs)
        }
      }
    return { latencies, withheld, lost: due.size }
  }
}

const isWithin = (value: number, from: number, to: number): boolean => value >= from && value < to

function simulatedValues(fromSecond: number, count: number): readonly Readonly<Record<string, number>>[] {
  const found: Readonly<Record<string, number>>[] = []
  const weight: Record<string, number> = {}
  for (const { second, values } of simulateBatch({ settings: presets.N, noise: 'realistic', seed: 1 })) {
    // Weight comes every 10 s; a message that has none would leave the vessel without it.
    if (values.Weight !== undefined) weight.Weight = values.Weight
    if (second >= fromSecond) found.push({ ...weight, ...values })
    if (found.length >= count) break
  }
  return found
}

async function modelTimes(product: RunningProduct) {
  const response = await fetch(new URL('/metrics', product.url), {
    headers: { authorization: `Bearer ${product.token}` },
  })
  const text = await response.text()
  const value = (name: string): number =>
    Number(new RegExp(`^bioledger_inference_${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN)
  const calls = value('prediction_calls_total')
  return {
    p99Ms: 1000 * value('prediction_p99_seconds'),
    meanMs: (1000 * value('prediction_seconds_total')) / calls,
    rowsPerCall: value('rows_predicted_total') / calls,
  }
}
