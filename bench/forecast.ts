/**
 * Sensor to forecast: 1,000 vessels with a running batch each send all their tags every second. Measured from the source
 * time of the message that closes a window to the store's clock of its forecast, over whole windows. Windows lie on
 * the clock's grid, whenever a batch was inoculated: those of all vessels close within the same second, every 30 s.
 */
import { randomUUID } from 'node:crypto'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { closeAfterMs } from '../domain/process-windows/batch-windows.ts'
import { windowMs } from '../domain/process-windows/process-window.ts'
import { postgresEventStore } from '../infra/event-store/postgres/postgres-event-store.ts'
import { embeddedPostgresUrls } from '../infra/postgres/embedded.ts'
import { type RunningProduct, startProduct } from '../tests/support/product.ts'
import { type Cleanup, endProduct } from './cleanup.ts'
import { type ExpectedForecast, type ForecastTimes, forecastTimes } from './forecast-times.ts'
import { costOf, splitOf } from './processes.ts'
import { openPublisher, type Publisher } from './publisher.ts'
import { type Measurement, median, percentile } from './report.ts'
import { type RunningVessel, type VesselMessages, vesselMessages } from './running-vessels.ts'

const connections = 8
const measuredWindows = 4
/** Not counted: what was caught up may still be under way, and the model's code is cold. */
const warmUpWindows = 2
/** The youngest T = 0 lies so long before its vessel is created; what was missed is caught up. */
const inoculatedBeforeMs = 150_000
/** After T = 0: the model is asked from 6 min on. */
const forecastFromMs = 375_000
/** With less, something else than forecasts was measured. */
const leastIssuedShare = 0.8
const lastForecastWithinMs = 60_000

export async function benchForecast(deps: {
  folder: string
  scale: number
  cleanup: Cleanup
  log: (text: string) => void
}): Promise<readonly Measurement[]> {
  const count = connections * Math.max(2, Math.round((1_000 / connections) * deps.scale))
  const dataFolder = join(deps.folder, 'forecasting')
  const product = await startProduct({ dataFolder, deadlineMs: 300_000 })
  const stop = deps.cleanup.add(() => endProduct(product))
  deps.log(`${spell(count)} batches for forecasts`)
  const vessels = await runningVessels(product, count)
  const measured = await underLoad(product, dataFolder, vessels, deps.log)
  const code = await product.stop()
  stop.done()
  if (code !== 0) throw new Error(`the product ended with ${code} instead of 0`)
  return measured
}

/** Their T = 0 lie over half a minute, and their messages one after the other over each second. */
async function runningVessels(product: RunningProduct, count: number): Promise<readonly RunningVessel[]> {
  const beganMs = Math.floor(Date.now() / 1000) * 1000 - inoculatedBeforeMs
  const vessels = Array.from({ length: count }, (_, index) => ({
    name: `F-${String(index).padStart(4, '0')}`,
    inoculatedMs: beganMs - 1000 * (index % 30) + Math.floor((1000 * index) / count),
  }))
  const atOnce = 20
  for (let from = 0; from < count; from += atOnce)
    await Promise.all(
      vessels.slice(from, from + atOnce).map((vessel, index) => begin(product, vessel, from + index + 1)),
    )
  return vessels
}

async function begin(product: RunningProduct, vessel: RunningVessel, number: number): Promise<void> {
  const created = await product.post('/api/v1/batches', {
    number,
    phase: 'A',
    vessel: vessel.name,
    campaign: 'bench-forecast',
    origin: 'simulated',
    occurredAt: new Date(vessel.inoculatedMs - 60_000).toISOString(),
  })
  const inoculated = await product.post(
    `${created.headers.get('location') ?? ''}/inoculation`,
    {
      goDecision: true,
      inoculumOd600: '4.0',
      inoculumVolumeMl: '100',
      microscopyClean: true,
      viabilityPercent: '98',
      occurredAt: new Date(vessel.inoculatedMs).toISOString(),
    },
    { 'if-match': created.headers.get('etag') ?? '', 'idempotency-key': randomUUID() },
  )
  if (inoculated.status !== 201)
    throw new Error(`a batch could not be inoculated: ${JSON.stringify(inoculated.body)}`)
}

async function underLoad(
  product: RunningProduct,
  dataFolder: string,
  vessels: readonly RunningVessel[],
  log: (text: string) => void,
): Promise<readonly Measurement[]> {
  const postgres = product.endpoints.postgres
  if (postgres === null) throw new Error('the product says nothing about its Postgres')
  const urls = await embeddedPostgresUrls(join(dataFolder, 'postgres'), Number(new URL(postgres).port))
  const store = await postgresEventStore({ appUrl: urls.appUrl() })
  const messages = vesselMessages(vessels, 1_800)
  const publisher = await openPublisher(product.endpoints.mqtt, {
    connections,
    underWay: 40,
    name: 'bench-forecast',
  })
  try {
    await catchUp(publisher, vessels.length, messages, log)
    const head = await store.head()
    const beganMs = Math.ceil(Date.now() / 1000) * 1000
    const youngestMs = Math.max(...vessels.map(({ inoculatedMs }) => inoculatedMs))
    const warmMs = Math.max(beganMs + warmUpWindows * windowMs, youngestMs + forecastFromMs)
    const fromMs = Math.ceil(warmMs / windowMs) * windowMs
    const toMs = fromMs + measuredWindows * windowMs
    // The last window's end has to be passed by a message of every vessel; one turn more, should the last be late.
    const turns = (toMs + closeAfterMs - beganMs) / 1000 + 2
    log(`${spell(vessels.length)} vessels, a message each a second, for ${turns} s`)
    const loading = everySecond(publisher, vessels, messages, beganMs, turns)
    await Promise.race([loading, delay(fromMs - Date.now())])
    const modelBefore = await modelTotals(product)
    const [cost, own, measuredFrom] = [
      await costOf(product.process.pid!),
      process.cpuUsage(),
      performance.now(),
    ]
    const lateness = await loading
    const seconds = (performance.now() - measuredFrom) / 1000
    const { user, system } = process.cpuUsage(own)
    const split = `${splitOf(cost, await costOf(product.process.pid!), seconds)}, publisher ${((user + system) / 1e6 / seconds).toFixed(2)}; load average ${loadavg()[0]?.toFixed(1)}`
    const times = await forecastTimes(
      store,
      head?.position,
      closings(vessels, fromMs, toMs),
      lastForecastWithinMs,
    )
    const model = await modelTotals(product)
    return measurements(
      vessels.length,
      times,
      modelBefore,
      model,
      `published ${percentile(lateness, 0.99).toFixed(0)} ms late (p99); ${split}`,
    )
  } finally {
    await publisher.close()
    await store.close()
  }
}

/** A vessel stays with its connection, as a device does: vessel number modulo connections, here and below. */
async function catchUp(
  publisher: Publisher,
  count: number,
  messages: VesselMessages,
  log: (text: string) => void,
): Promise<void> {
  const startedMs = performance.now()
  const next = Array.from({ length: connections }, (_, connection) => connection)
  await publisher.flood((connection) => {
    for (let tried = 0; tried < count / connections; tried++) {
      const index = next[connection] ?? connection
      next[connection] = (index + connections) % count
      const message = messages.past(index, Date.now())
      if (message) return message
    }
    return undefined
  }, Number.POSITIVE_INFINITY)
  log(
    `${spell(publisher.published())} readings caught up in ${((performance.now() - startedMs) / 1000).toFixed(0)} s`,
  )
}

/** Resolves with how late each message was, ms after the source time that it states. */
async function everySecond(
  publisher: Publisher,
  vessels: readonly RunningVessel[],
  messages: VesselMessages,
  beganMs: number,
  turns: number,
): Promise<readonly number[]> {
  const lateness: number[] = []
  let sent = 0
  await delay(beganMs - Date.now())
  await publisher.steady(
    () => {
      const index = sent % vessels.length
      const atMs = beganMs + Math.floor(sent++ / vessels.length) * 1000 + phaseOf(vessels[index])
      lateness.push(Date.now() - atMs)
      return messages.at(index, atMs)
    },
    vessels.length,
    performance.now() + turns * 1000,
  )
  return lateness
}

const phaseOf = (vessel: RunningVessel | undefined): number => (vessel?.inoculatedMs ?? 0) % 1000

/** A window closes with the vessel's first message so long after its end. */
function closings(vessels: readonly RunningVessel[], fromMs: number, toMs: number): ExpectedForecast[] {
  const found: ExpectedForecast[] = []
  for (let windowEndMs = fromMs + windowMs; windowEndMs <= toMs; windowEndMs += windowMs)
    for (const vessel of vessels)
      found.push({
        vessel: vessel.name,
        windowEndMs,
        closedMs: windowEndMs + closeAfterMs + phaseOf(vessel),
      })
  return found
}

type ModelTotals = {
  readonly seconds: number
  readonly calls: number
  readonly rows: number
  readonly p99Ms: number
}

async function modelTotals(product: RunningProduct): Promise<ModelTotals> {
  const response = await fetch(new URL('/metrics', product.url), {
    headers: { authorization: `Bearer ${product.token}` },
  })
  const text = await response.text()
  const value = (name: string): number =>
    Number(new RegExp(`^bioledger_inference_${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN)
  return {
    seconds: value('prediction_seconds_total'),
    calls: value('prediction_calls_total'),
    rows: value('rows_predicted_total'),
    p99Ms: 1000 * value('prediction_p99_seconds'),
  }
}

function measurements(
  count: number,
  { latencies, issued, withheld, lost }: ForecastTimes,
  before: ModelTotals,
  after: ModelTotals,
  circumstances: string,
): readonly Measurement[] {
  const expected = latencies.length + lost
  const share = issued / expected
  const isMeasured = share >= leastIssuedShare && lost === 0
  const reasons = [...withheld].map(([reason, times]) => `${times} ${reason}`).join(', ')
  const said = `${spell(issued)} of ${spell(expected)} windows issued${reasons ? `, withheld: ${reasons}` : ''}, ${lost} without a forecast`
  const [calls, rows] = [after.calls - before.calls, after.rows - before.rows]
  const perCall = ((after.seconds - before.seconds) * 1000) / calls
  return [
    {
      name: `sensor → forecast event, p99 at ${spell(count)} vessels × 1 Hz`,
      figure: isMeasured ? percentile(latencies, 0.99) : undefined,
      unit: 'ms',
      target: { atMost: 1_000 },
      note: `${latencies.length > 0 ? `p50 ${median(latencies).toFixed(0)} ms, p99 ${percentile(latencies, 0.99).toFixed(0)} ms, longest ${percentile(latencies, 1).toFixed(0)} ms; ` : ''}${said}; ${circumstances}`,
    },
    {
      name: '… of it inside the model, p99 of a call',
      figure: isMeasured ? after.p99Ms : undefined,
      unit: 'ms',
      target: { atMost: 10 },
      note: `mean ${perCall.toFixed(2)} ms for ${(rows / calls).toFixed(1)} windows a call`,
    },
  ]
}

const spell = (value: number): string => value.toLocaleString('en')
