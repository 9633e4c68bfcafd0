/** Kafka under kills, on a real broker: nothing is lost, nothing is done twice, every vessel stays in order. */

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { EventStore } from '../infra/event-store/event-store.ts'
import { feedStore, quietLog } from '../infra/feed/testing/feed-store.ts'
import { recordingWorker } from '../infra/feed/testing/recording-worker.ts'
import { type BatchOnVessel, measurements, openBatch } from '../infra/feed/testing/vessel-histories.ts'
import { kafkaClient } from '../infra/kafka/client.ts'
import { kafkaVesselFeed } from '../infra/kafka/kafka-feed.ts'
import { skipWithoutKafka, startTestBroker } from '../infra/kafka/testing/broker.ts'
import { headerOf, readTopic } from '../infra/kafka/testing/read-topic.ts'
import { runningRelay } from '../infra/kafka/testing/running-relay.ts'
import type { TestBroker } from '../infra/kafka/testing/test-broker.ts'
import { topicNames, withAdmin } from '../infra/kafka/topics.ts'
import { until } from '../infra/testing/until.ts'
import { type FeedWorkerSettings, feedWorkerFile, outputStream } from './support/feed-worker.ts'
import { root } from './support/product.ts'
import { serveRole } from './support/served-role.ts'

const skip = skipWithoutKafka
const topics = topicNames()
const patienceMs = 180_000

type Plant = {
  readonly broker: TestBroker
  readonly store: EventStore
  readonly postgresUrl: string
  readonly batches: readonly BatchOnVessel[]
  /** Whatever was begun last ends first. */
  later(work: () => Promise<unknown>): void
}

async function plant(context: TestContext, vessels: number): Promise<Plant> {
  const closings: (() => Promise<unknown>)[] = []
  const later = (work: () => Promise<unknown>): void => {
    closings.unshift(work)
  }
  context.after(async () => {
    for (const close of closings) await close()
  })
  const broker = await startTestBroker()
  later(() => broker.stop())
  const { database, store } = await feedStore()
  later(() => store.close())
  const batches: BatchOnVessel[] = []
  for (let index = 1; index <= vessels; index++)
    batches.push(await openBatch(store, `V-${String(index).padStart(2, '0')}`))
  return { broker, store, postgresUrl: database.appUrl, batches, later }
}

/** `each` readings for every batch, in rounds. */
async function record({ store, batches }: Plant, each: number, perRound = 100): Promise<void> {
  for (let done = 0; done < each; done += perRound) {
    const values = Array.from({ length: Math.min(perRound, each - done) }, (_, index) => done + index)
    await store.append(batches.map((batch) => measurements(batch, values)))
  }
}

async function positionsOf(store: EventStore, { batchId }: BatchOnVessel): Promise<bigint[]> {
  const positions: bigint[] = []
  for await (const event of store.readStream(`reading-${batchId}`)) positions.push(event.position)
  return positions
}

async function recordsIn(brokers: readonly string[], topic: string): Promise<number> {
  const kafka = kafkaClient({ brokers, log: quietLog }, 'count')
  return await withAdmin(kafka, async (admin) => {
    if (!(await admin.listTopics()).includes(topic)) return 0
    return (await admin.fetchTopicOffsets(topic)).reduce((sum, { high }) => sum + Number(high), 0)
  }).catch((error: unknown) => {
    // A topic just made has no leader yet.
    if (error instanceof Error && 'retriable' in error && error.retriable === true) return 0
    throw error
  })
}

test('a relay killed in the middle loses no event and keeps the order of every vessel', {
  skip,
}, async (context) => {
  const here = await plant(context, 12)
  const { broker, store, batches } = here
  const folder = await mkdtemp(join(tmpdir(), 'bioledger-relay-'))
  here.later(() => rm(folder, { recursive: true, force: true }))
  const environment = {
    BIOLEDGER_POSTGRES_URL: here.postgresUrl,
    BIOLEDGER_KAFKA_BROKERS: broker.brokers.join(','),
    BIOLEDGER_DATA_DIR: folder,
  }
  const each = 2_000
  const recording = record(here, each)
  let last = 0
  for (let kill = 0; kill < 3; kill++) {
    const relay = await serveRole('relay', environment)
    here.later(() => relay.kill())
    await until('it writes', async () => (await recordsIn(broker.brokers, topics.vessels)) > last, patienceMs)
    await relay.kill()
    last = await recordsIn(broker.brokers, topics.vessels)
  }
  await recording
  const relay = await serveRole('relay', environment)
  here.later(() => relay.kill())
  await until(
    'all is relayed',
    async () => (await recordsIn(broker.brokers, topics.vessels)) >= 12 * (each + 1),
    patienceMs,
  )
  assert.equal((await fetch(`${relay.url}/readyz`)).status, 200)
  assert.match(await (await fetch(`${relay.url}/metrics`)).text(), /^bioledger_relay_lag_positions 0$/m)
  assert.equal(await relay.stop(), 0)

  const records = await readTopic(broker.brokers, topics.vessels)
  for (const batch of batches) {
    const of = records.filter(({ message }) => message.key?.toString() === batch.vessel)
    assert.equal(new Set(of.map(({ partition }) => partition)).size, 1)
    let highest = -1n
    const fresh: bigint[] = []
    for (const { message } of of) {
      const position = BigInt(headerOf(message, 'position') ?? -1)
      if (position <= highest) continue
      highest = position
      if (headerOf(message, 'type') === 'SensorReadingRecorded') fresh.push(position)
    }
    assert.deepEqual(fresh, await positionsOf(store, batch))
  }
})

test('workers killed in the middle hand their vessels on: one output for each of 30,000 readings, in order', {
  skip,
}, async (context) => {
  const here = await plant(context, 30)
  const { broker, store, batches } = here
  const relay = runningRelay({ ...here, brokers: broker.brokers, topics })
  here.later(() => relay.stop())
  const settings: FeedWorkerSettings = {
    brokers: broker.brokers,
    postgresUrl: here.postgresUrl,
    prefix: 'bioprocess',
    sessionTimeoutMs: 2_000,
  }
  const outputs = async () => {
    let sum = 0n
    for (const { vessel } of batches)
      for await (const event of store.readStream(outputStream(vessel), {
        direction: 'backwards',
        maxCount: 1,
      }))
        sum += event.revision + 1n
    return Number(sum)
  }
  await until('the relay made the topics', () => relay.state().kind === 'relaying', patienceMs)
  const workers = [worker(here, settings), worker(here, settings), worker(here, settings)]
  const each = 1_000
  const recording = record(here, each, 20)
  for (let victim = 0; victim < 2; victim++) {
    const before = await outputs()
    await until('there is output', async () => (await outputs()) > before + 500, patienceMs)
    workers[victim]?.kill('SIGKILL')
    workers.push(worker(here, settings))
  }
  await recording
  await until('all readings have their output', async () => (await outputs()) >= 30 * each, patienceMs)
  for (const batch of batches) {
    const sources: bigint[] = []
    for await (const event of store.readStream(outputStream(batch.vessel)))
      sources.push(BigInt(String(event.data.message).replace('reading ', '')))
    assert.deepEqual(sources, await positionsOf(store, batch))
  }
})

test('a broker killed twice in the middle: each of 100,000 readings reaches its worker, in order', {
  skip,
}, async (context) => {
  const here = await plant(context, 20)
  const { broker, store, batches } = here
  const relay = runningRelay({ ...here, brokers: broker.brokers, topics })
  here.later(() => relay.stop())
  const feeds = [0, 1].map(() =>
    kafkaVesselFeed({ brokers: broker.brokers, store, log: quietLog, topics, sessionTimeoutMs: 3_000 }),
  )
  const workers = feeds.map((feed) => recordingWorker(feed))
  here.later(() => Promise.allSettled(workers.map((one) => one.stop())))
  const processed = () => new Set(workers.flatMap((one) => one.seen.map((seen) => seen.id))).size
  const count = () => workers.reduce((sum, one) => sum + one.seen.length, 0)
  const each = 5_000
  const recording = record(here, each)
  for (let kill = 0; kill < 2; kill++) {
    const before = count()
    await until('events flow', () => count() > before + 1_000, patienceMs)
    await broker.kill()
    await broker.start()
  }
  await recording
  await until('all came', () => count() >= 20 * (each + 1) && processed() === 20 * (each + 1), patienceMs)
  for (const batch of batches) {
    const of = workers.map((one) => one.seen.filter((seen) => seen.vessel === batch.vessel))
    for (const seen of of)
      for (let index = 1; index < seen.length; index++) {
        const [one, next] = [seen[index - 1], seen[index]]
        assert.ok(one && next)
        // A lane that was away begins anew, from its last commit: the next run of positions may begin lower.
        if (next.position <= one.position) assert.ok(one.assignment < next.assignment)
      }
  }
})

function worker(here: Plant, settings: FeedWorkerSettings): ChildProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', feedWorkerFile, JSON.stringify(settings)], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  here.later(async () => child.kill('SIGKILL'))
  return child
}
