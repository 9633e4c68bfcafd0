import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventStore } from '../infra/event-store/event-store.ts'
import { StoreUnavailableError } from '../infra/event-store/event-store.ts'
import { until } from '../infra/testing/until.ts'
import { canonicalJson } from '../schemas/canonical-json.ts'
import { clientPart, type RecordedEvent } from '../schemas/event.ts'
import { streams } from '../schemas/streams.ts'
import { replayForecasts } from './replay.ts'
import { committedModels, inferencePlant, typesOf } from './testing/running-inference.ts'
import { standInCatalogue, standInModel } from './testing/stand-in-model.ts'
import { appendHistory, eventsOf, reservationOf, simulatedHistory } from './testing/stored-batch.ts'

const bytesOf = (events: readonly RecordedEvent[]): readonly string[] =>
  events.map((event) => canonicalJson(clientPart(event)))

async function ownBytes(store: EventStore, batchId: string): Promise<readonly string[]> {
  return [
    ...bytesOf(await eventsOf(store, streams.derived(batchId))),
    ...bytesOf(await eventsOf(store, streams.forecast(batchId))),
  ]
}

test('each closed window of a batch gets its process values and exactly one forecast event, and both streams are sealed', async () => {
  const plant = await inferencePlant()
  try {
    const { store } = plant
    await plant.start()
    const history = simulatedHistory('V-01', 0.6, { sampleEveryMinutes: 10 })
    await store.append([reservationOf(history)])
    await appendHistory(store, [...history.events, history.closed])
    await plant.untilSealed(history.batchId)
    const derived = await eventsOf(store, streams.derived(history.batchId))
    const forecasts = await eventsOf(store, streams.forecast(history.batchId))
    const windows = derived.slice(0, -1)
    assert.ok(windows.length > 60)
    assert.ok(windows.every(({ type }) => type === 'ProcessWindowDerived'))
    assert.equal(derived.at(-1)?.type, 'StreamSealed')
    assert.equal(derived.at(-1)?.data.count, windows.length)
    const issued = forecasts.filter(({ type }) => type === 'OdForecastIssued')
    const ends = issued.map(({ occurredAt }) => occurredAt)
    assert.equal(new Set(ends).size, ends.length)
    assert.deepEqual(ends, windows.map(({ occurredAt }) => occurredAt).slice(-ends.length))
    assert.equal(forecasts.filter(({ type }) => type === 'ForecastScored').length, 3)
  } finally {
    await plant.close()
  }
})

test('a batch recomputed from its events is equal to the byte, with the committed model, after restarts in the middle', async () => {
  const plant = await inferencePlant()
  const catalogue = await committedModels()
  try {
    const { store } = plant
    const history = simulatedHistory('V-01', 0.75, { sampleEveryMinutes: 15 })
    await store.append([reservationOf(history)])
    const thirds = [0, 1, 2].map((third) =>
      history.events.slice(
        Math.floor((third * history.events.length) / 3),
        Math.floor(((third + 1) * history.events.length) / 3),
      ),
    )
    const { batchId } = history
    for (const [index, part] of thirds.entries()) {
      // Each worker has another page size and knows nothing of the one before.
      const worker = await plant.start({ catalogue, pageSize: [1_000, 137, 5_000][index] ?? 1 })
      await appendHistory(store, index === 2 ? [...part, history.closed] : part)
      if (index < 2) {
        const before = (await typesOf(store, streams.derived(batchId))).length
        await until(
          'windows',
          async () => (await typesOf(store, streams.derived(batchId))).length >= before + 5,
        )
        await worker.stop()
      }
    }
    await plant.untilSealed(batchId)
    const report = await replayForecasts({ store, batchId, models: catalogue })
    assert.ok(report)
    assert.deepEqual(report.differences, [])
    assert.equal(report.pending, 0)
    assert.equal(report.equal, report.compared)
    assert.ok(report.ended)
    assert.ok(report.forecasts > 70 && report.windows > 80)
    assert.equal(report.scores, 3)
    const forecasts = await eventsOf(store, streams.forecast(batchId))
    const keys = forecasts
      .filter(({ type }) => type === 'OdForecastIssued' || type === 'ForecastWithheld')
      .map(({ data, occurredAt }) => `${data.modelHash} ${occurredAt}`)
    assert.equal(new Set(keys).size, keys.length, 'one forecast event a window and model')
  } finally {
    await plant.close()
    await catalogue.close()
  }
})

test('the size of deliveries changes no byte', async () => {
  const history = simulatedHistory('V-01', 0.3)
  const plant = await inferencePlant()
  try {
    const { store } = plant
    await store.append([reservationOf(history)])
    await plant.start({ pageSize: 1_999 })
    await until('the model', async () => (await typesOf(store, streams.model('stand-in'))).length === 3)
    await appendHistory(store, [...history.events, history.closed])
    await plant.untilSealed(history.batchId)
    const first = await ownBytes(store, history.batchId)
    const replayed = await replayForecasts({
      store,
      batchId: history.batchId,
      models: standInCatalogue(standInModel()),
    })
    assert.equal(replayed?.equal, first.length)
  } finally {
    await plant.close()
  }
})

test('a store that breaks reads, loses answers and refuses appends costs time, not forecasts', async () => {
  const plant = await inferencePlant()
  try {
    const { store } = plant
    let appends = 0
    let reads = 0
    const troubled: EventStore = {
      ...store,
      readStream: (stream, options) => {
        if (/^(forecast|derived|vessel)-/.test(stream) && reads++ % 3 === 0)
          throw new StoreUnavailableError('the connection broke')
        return store.readStream(stream, options)
      },
      readAll: (options) => {
        if (options?.until !== undefined && reads++ % 3 === 0)
          throw new StoreUnavailableError('the connection broke')
        return store.readAll(options)
      },
      append: async (requests) => {
        const isOwn = requests.some(({ stream }) => stream.startsWith('forecast-'))
        if (!isOwn) return await store.append(requests)
        appends++
        if (appends % 3 === 1) throw new StoreUnavailableError('nothing was written')
        const outcomes = await store.append(requests)
        if (appends % 3 === 2) throw new StoreUnavailableError('the answer was lost')
        return outcomes
      },
    }
    const inference = await plant.start({ store: troubled })
    const history = simulatedHistory('V-01', 0.3)
    await store.append([reservationOf(history)])
    await appendHistory(store, [...history.events, history.closed])
    await plant.untilSealed(history.batchId)
    const report = await replayForecasts({
      store,
      batchId: history.batchId,
      models: standInCatalogue(standInModel()),
    })
    assert.ok(appends > 3)
    assert.deepEqual(report?.differences, [])
    assert.equal(report?.pending, 0)
    assert.deepEqual(await inference.readiness(), { ok: true })
  } finally {
    await plant.close()
  }
})

test('a vessel without a batch leaves no trace', async () => {
  const plant = await inferencePlant()
  try {
    const { store } = plant
    const inference = await plant.start()
    const history = simulatedHistory('V-01', 0.05)
    const idle = streams.idleReading('V-09', '2026-11-20')
    await appendHistory(
      store,
      history.events
        .filter(({ type }) => type === 'SensorReadingRecorded')
        .map((event) => ({ ...event, stream: idle, data: { ...event.data, vessel: 'V-09' } })),
    )
    await until('the vessel', async () => readGauge(inference.metrics.bioledger_inference_vessels) === 1)
    assert.equal(readGauge(inference.metrics.bioledger_inference_open_batches), 0)
    let own = 0
    for await (const page of store.readAll({ filter: { categories: ['derived', 'forecast'] } }))
      own += page.events.length
    assert.equal(own, 0)
  } finally {
    await plant.close()
  }
})

const readGauge = (metric: { read(): unknown } | undefined): unknown => metric?.read()
