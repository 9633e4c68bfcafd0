import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventStore } from '../infra/event-store/event-store.ts'
import { until } from '../infra/testing/until.ts'
import type { ClientEvent } from '../schemas/event.ts'
import { derivedId } from '../schemas/ids.ts'
import { streams } from '../schemas/streams.ts'
import { replayForecasts } from './replay.ts'
import { inferencePlant } from './testing/running-inference.ts'
import { standInCatalogue, standInModel } from './testing/stand-in-model.ts'
import {
  appendHistory,
  eventsOf,
  reservationOf,
  type SimulatedHistory,
  simulatedHistory,
} from './testing/stored-batch.ts'

const modelStream = streams.model('stand-in')

async function forecastsOf(store: EventStore, { batchId }: SimulatedHistory) {
  return (await eventsOf(store, streams.forecast(batchId))).filter(
    ({ type }) => type === 'OdForecastIssued' || type === 'ForecastWithheld',
  )
}

async function play(store: EventStore, history: SimulatedHistory): Promise<void> {
  await store.append([reservationOf(history)])
  await appendHistory(store, [...history.events, history.closed])
}

async function decide(store: EventStore, type: string, data: Record<string, unknown>): Promise<void> {
  const at = new Date().toISOString()
  const event: ClientEvent = {
    id: derivedId(Date.now(), type, Math.random()),
    type,
    schemaVersion: 1,
    occurredAt: at,
    receivedAt: at,
    actor: { kind: 'human', id: 'qa-1', role: 'qa' },
    origin: 'live',
    site: 'site-1',
    data: {
      modelId: 'stand-in',
      version: '1.0.0',
      modelHash: 'a'.repeat(64),
      use: 'od600-forecast',
      ...data,
    },
  }
  await store.append([{ stream: modelStream, expectedRevision: 'any', events: [event] }])
}

test('at start the installed model is registered, approved for simulated and replayed data, and activated, once', async () => {
  const plant = await inferencePlant()
  try {
    const first = await plant.start()
    await first.stop()
    await plant.start()
    const events = await eventsOf(plant.store, modelStream)
    assert.deepEqual(
      events.map(({ type }) => type),
      ['ModelRegistered', 'ModelApproved', 'ModelActivated'],
    )
    assert.deepEqual(events[1]?.data.origins, ['simulated', 'replayed'])
  } finally {
    await plant.close()
  }
})

test('a newer version is taken into use by itself, but not past a decision of a person', async () => {
  const plant = await inferencePlant()
  try {
    const versions = [standInModel('1.0.0', 'a'), standInModel('1.1.0', 'b'), standInModel('1.2.0', 'c')]
    for (const count of [1, 2]) {
      const worker = await plant.start({ catalogue: standInCatalogue(...versions.slice(0, count)) })
      await worker.stop()
    }
    const activations = async () =>
      (await eventsOf(plant.store, modelStream))
        .filter(({ type }) => type === 'ModelActivated')
        .map(({ data }) => data.version)
    assert.deepEqual(await activations(), ['1.0.0', '1.1.0'])
    await decide(plant.store, 'ModelApproved', {
      version: '1.1.0',
      modelHash: 'b'.repeat(64),
      origins: ['live'],
      justification: 'judged on 20 real batches',
    })
    await plant.start({ catalogue: standInCatalogue(...versions) })
    assert.deepEqual(await activations(), ['1.0.0', '1.1.0'])
  } finally {
    await plant.close()
  }
})

test('live data are not forecast before a person approves the model for them, from that position on', async () => {
  const plant = await inferencePlant()
  try {
    const { store } = plant
    await plant.start()
    const history = simulatedHistory('V-01', 0.4, { origin: 'live' })
    await store.append([reservationOf(history)])
    const half = Math.floor(history.events.length / 2)
    await appendHistory(store, history.events.slice(0, half))
    await decide(store, 'ModelApproved', { origins: ['live'], justification: 'judged on 20 real batches' })
    await appendHistory(store, [...history.events.slice(half), history.closed])
    await plant.untilSealed(history.batchId)
    const forecasts = await forecastsOf(store, history)
    const withheld = forecasts.filter(({ type }) => type === 'ForecastWithheld')
    assert.ok(withheld.length > 5 && withheld.length < forecasts.length)
    assert.ok(withheld.every(({ data }) => data.reason === 'model-not-approved'))
    assert.deepEqual(
      forecasts.map(({ type }) => type),
      [
        ...withheld.map(() => 'ForecastWithheld'),
        ...forecasts.slice(withheld.length).map(() => 'OdForecastIssued'),
      ],
    )
    // A replay long after the approval decides as it was decided then.
    const report = await replayForecasts({
      store,
      batchId: history.batchId,
      models: standInCatalogue(standInModel()),
    })
    assert.deepEqual(report?.differences, [])
  } finally {
    await plant.close()
  }
})

test('a model whose files were changed is suspended with an alarm, its forecasts are withheld, and a replay knows why', async () => {
  const plant = await inferencePlant()
  try {
    const { store } = plant
    const catalogue = standInCatalogue(standInModel())
    const inference = await plant.start({ catalogue, checkFilesEveryMs: 50 })
    catalogue.breakFiles()
    await until('the suspension', async () =>
      (await eventsOf(store, modelStream)).some(({ type }) => type === 'ModelSuspended'),
    )
    await until('the alarm', async () =>
      (await eventsOf(store, streams.config)).some(({ data }) => data.name === 'model_files_changed'),
    )
    const history = simulatedHistory('V-01', 0.2)
    await play(store, history)
    await plant.untilSealed(history.batchId)
    const forecasts = await forecastsOf(store, history)
    assert.ok(forecasts.length > 5)
    assert.ok(forecasts.every(({ data }) => data.reason === 'hash-mismatch'))
    assert.equal((await inference.readiness()).ok, false)
    const suspensions = (await eventsOf(store, modelStream)).filter(({ type }) => type === 'ModelSuspended')
    assert.equal(suspensions.length, 1, 'suspended once, however often it is found')
    assert.equal(suspensions[0]?.data.automatic, true)
    const report = await replayForecasts({
      store,
      batchId: history.batchId,
      models: standInCatalogue(standInModel()),
    })
    assert.deepEqual(report?.differences, [])
  } finally {
    await plant.close()
  }
})

test('a model that is far off for one kind of data is suspended for it, with an alarm, and for no other', async () => {
  const plant = await inferencePlant()
  try {
    const { store } = plant
    await plant.start({ catalogue: standInCatalogue(standInModel('1.0.0', 'a', 1.3)) })
    const history = simulatedHistory('V-01', 1, { sampleEveryMinutes: 1 })
    await play(store, history)
    await plant.untilSealed(history.batchId)
    await until('the suspension', async () =>
      (await eventsOf(store, modelStream)).some(({ type }) => type === 'ModelSuspended'),
    )
    const suspended = (await eventsOf(store, modelStream)).find(({ type }) => type === 'ModelSuspended')
    assert.deepEqual(suspended?.data.origins, ['simulated'])
    assert.match(String(suspended?.data.rule), /^live-/)
    await until('the alarm', async () =>
      (await eventsOf(store, streams.config)).some(({ data }) => data.name === 'model_suspended'),
    )
    const later = simulatedHistory('V-02', 0.2)
    const replayed = simulatedHistory('V-03', 0.2, { origin: 'replayed' })
    for (const one of [later, replayed]) {
      await play(store, one)
      await plant.untilSealed(one.batchId)
    }
    assert.ok((await forecastsOf(store, later)).every(({ data }) => data.reason === 'model-suspended'))
    assert.ok((await forecastsOf(store, replayed)).every(({ type }) => type === 'OdForecastIssued'))
  } finally {
    await plant.close()
  }
})

test('a changed byte in a recorded forecast is named with stream, revision and window', async () => {
  const plant = await inferencePlant()
  try {
    const { store } = plant
    await plant.start()
    const history = simulatedHistory('V-01', 0.2)
    await play(store, history)
    await plant.untilSealed(history.batchId)
    const stream = streams.forecast(history.batchId)
    const [, second] = await eventsOf(store, stream)
    assert.ok(second)
    const tampered: EventStore = {
      ...store,
      readStream: async function* (name, options) {
        for await (const event of store.readStream(name, options))
          yield event.id === second.id ? { ...event, data: { ...event.data, lastValue: 7 } } : event
      },
    }
    const models = standInCatalogue(standInModel())
    const report = await replayForecasts({ store: tampered, batchId: history.batchId, models })
    assert.equal(report?.differenceCount, 1)
    const [difference] = report?.differences ?? []
    assert.equal(difference?.stream, stream)
    assert.equal(difference?.revision, '1')
    assert.equal(difference?.window, second.occurredAt)
    assert.match(difference?.detail ?? '', /^\/data\/lastValue: recorded 7, recomputed /)

    const removed: EventStore = {
      ...store,
      readStream: async function* (name, options) {
        for await (const event of store.readStream(name, options)) if (event.id !== second.id) yield event
      },
    }
    const lacking = await replayForecasts({ store: removed, batchId: history.batchId, models })
    assert.equal(lacking?.differenceCount, 1)
    assert.equal(lacking?.differences[0]?.kind, 'missing')
    assert.equal(lacking?.differences[0]?.window, second.occurredAt)
  } finally {
    await plant.close()
  }
})
