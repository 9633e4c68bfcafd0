import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventStore } from '../infra/event-store/event-store.ts'
import { storeVesselFeed } from '../infra/feed/store-feed.ts'
import { feedStore, quietLog } from '../infra/feed/testing/feed-store.ts'
import { streams } from '../schemas/streams.ts'
import { type InferenceDeps, startInference } from './service.ts'
import { standInCatalogue, standInModel } from './testing/stand-in-model.ts'
import { appendHistory, eventsOf, reservationOf, simulatedHistory } from './testing/stored-batch.ts'
import { until } from './testing/until.ts'

async function running(store: EventStore, postgresUrl: string, given: Partial<InferenceDeps> = {}) {
  const feed = storeVesselFeed({ store, postgresUrl, log: quietLog, pageSize: 1_000 })
  const inference = await startInference({
    store,
    feed,
    catalogue: standInCatalogue(standInModel()),
    site: 'site-1',
    log: quietLog,
    ...given,
  })
  return {
    ...inference,
    stop: async () => {
      await inference.stop()
      await feed.close()
    },
  }
}

test('each closed window of a batch gets its process values and exactly one forecast event, and both streams are sealed', async () => {
  const { store, database } = await feedStore()
  const inference = await running(store, database.appUrl)
  try {
    const history = simulatedHistory('V-01', 0.6, { sampleEveryMinutes: 10 })
    await store.append([reservationOf(history)])
    await appendHistory(store, [...history.events, history.closed])
    const forecastStream = streams.forecast(history.batchId)
    await until(
      'the seal',
      async () => (await eventsOf(store, forecastStream)).at(-1)?.type === 'StreamSealed',
    )
    const derived = await eventsOf(store, streams.derived(history.batchId))
    const forecasts = await eventsOf(store, forecastStream)
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
    await inference.stop()
    await store.close()
  }
})
