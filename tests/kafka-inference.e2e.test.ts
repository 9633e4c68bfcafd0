/** Forecasts over Kafka: relay, broker and workers as they run in production, killed in the middle. */

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { replayForecasts } from '../inference/replay.ts'
import { committedModels } from '../inference/testing/running-inference.ts'
import {
  appendHistory,
  eventsOf,
  reservationOf,
  type SimulatedHistory,
  simulatedHistory,
} from '../inference/testing/stored-batch.ts'
import type { EventStore } from '../infra/event-store/event-store.ts'
import { feedStore } from '../infra/feed/testing/feed-store.ts'
import { skipWithoutKafka, startTestBroker } from '../infra/kafka/testing/broker.ts'
import { until } from '../infra/testing/until.ts'
import { streams } from '../schemas/streams.ts'
import { serveRole } from './support/served-role.ts'

const patienceMs = 240_000

test('no forecast is lost and none is issued twice when workers and the broker are killed; each is equal to its replay', {
  skip: skipWithoutKafka,
}, async (context) => {
  const closings: (() => Promise<unknown>)[] = []
  context.after(async () => {
    for (const close of closings) await close()
  })
  const later = (work: () => Promise<unknown>): void => {
    closings.unshift(work)
  }
  const folder = await mkdtemp(join(tmpdir(), 'bioledger-kafka-'))
  later(() => rm(folder, { recursive: true, force: true }))
  const broker = await startTestBroker()
  later(() => broker.stop())
  const { database, store } = await feedStore()
  later(() => store.close())
  const serve = async (role: string) => {
    const served = await serveRole(
      role,
      {
        BIOLEDGER_POSTGRES_URL: database.appUrl,
        BIOLEDGER_KAFKA_BROKERS: broker.brokers.join(','),
        BIOLEDGER_KAFKA_PARTITIONS: '6',
        BIOLEDGER_DATA_DIR: folder,
      },
      patienceMs,
    )
    later(() => served.kill())
    return served
  }

  const histories = [1, 2, 3, 4].map((seed) => simulatedHistory(`V-0${seed}`, 0.3, { seed }))
  for (const history of histories) await store.append([reservationOf(history)])
  await serve('relay')
  const workers = [await serve('inference'), await serve('inference')]

  const kills = [() => workers[0]?.kill(), () => workers[1]?.kill(), () => broker.kill()]
  for (let part = 0; part < 4; part++) {
    const before = await derivedIn(store, histories)
    for (const history of histories) await appendHistory(store, quarter(history, part))
    if (part === 3) break
    await until('windows close', async () => (await derivedIn(store, histories)) > before, patienceMs)
    await kills[part]?.()
    if (part < 2) workers.push(await serve('inference'))
    else await broker.start()
  }
  for (const { batchId } of histories)
    for (const stream of [streams.derived(batchId), streams.forecast(batchId)])
      await until(
        `the seal of ${stream}`,
        async () => (await eventsOf(store, stream)).at(-1)?.type === 'StreamSealed',
        patienceMs,
      )

  const models = await committedModels()
  later(() => models.close())
  for (const { batchId } of histories) {
    const windows = (await eventsOf(store, streams.derived(batchId)))
      .filter(({ type }) => type === 'ProcessWindowDerived')
      .map(({ occurredAt }) => occurredAt)
    assert.ok(windows.length > 30, `${windows.length} windows`)
    assert.equal(new Set(windows).size, windows.length)
    const forecasts = (await eventsOf(store, streams.forecast(batchId)))
      .filter(({ type }) => type === 'OdForecastIssued' || type === 'ForecastWithheld')
      .map(({ occurredAt }) => occurredAt)
    assert.ok(forecasts.length > 0)
    assert.deepEqual(forecasts, windows.slice(-forecasts.length))
    const replayed = await replayForecasts({ store, batchId, models })
    assert.deepEqual(replayed?.differences, [])
  }
})

function quarter({ events, closed }: SimulatedHistory, part: number) {
  const at = (quarters: number) => Math.floor((quarters * events.length) / 4)
  return [...events.slice(at(part), at(part + 1)), ...(part === 3 ? [closed] : [])]
}

async function derivedIn(store: EventStore, histories: readonly SimulatedHistory[]): Promise<number> {
  let count = 0
  for (const { batchId } of histories) count += (await eventsOf(store, streams.derived(batchId))).length
  return count
}
