import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { EventStore } from '../event-store/event-store.ts'
import { ForeignFeedError } from '../feed/feed.ts'
import { feedStore, quietLog } from '../feed/testing/feed-store.ts'
import { type RecordingWorker, recordingWorker } from '../feed/testing/recording-worker.ts'
import {
  appendInOrder,
  type BatchOnVessel,
  measurements,
  modelActivation,
  openBatch,
  sample,
} from '../feed/testing/vessel-histories.ts'
import { until } from '../testing/until.ts'
import { disconnected, kafkaClient, orderedProducer } from './client.ts'
import { type KafkaFeedDeps, kafkaVesselFeed } from './kafka-feed.ts'
import { partitionOf } from './partition-of.ts'
import { encodeRecord } from './record.ts'
import { skipWithoutKafka, startTestBroker } from './testing/broker.ts'
import { headerOf, readTopic } from './testing/read-topic.ts'
import { runningRelay } from './testing/running-relay.ts'
import type { TestBroker } from './testing/test-broker.ts'
import { type Topics, topicNames } from './topics.ts'

const skip = skipWithoutKafka
let shared: Promise<TestBroker> | undefined
const broker = () => {
  shared ??= startTestBroker()
  return shared
}
after(async () => {
  await (await shared)?.stop()
})

type Plant = {
  readonly brokers: readonly string[]
  readonly store: EventStore
  readonly topics: Topics
  worker(options?: Parameters<typeof recordingWorker>[1], more?: Partial<KafkaFeedDeps>): RecordingWorker
}

async function plant(context: { after(work: () => Promise<void>): void }): Promise<Plant> {
  const { brokers } = await broker()
  const { database, store } = await feedStore()
  const topics = topicNames(`test-${randomBytes(4).toString('hex')}`)
  const relay = runningRelay({ brokers, store, postgresUrl: database.appUrl, topics })
  const workers: RecordingWorker[] = []
  context.after(async () => {
    await Promise.allSettled(workers.map((worker) => worker.stop()))
    await relay.stop()
    await store.close()
  })
  return {
    brokers,
    store,
    topics,
    worker: (options, more) => {
      const feed = kafkaVesselFeed({
        brokers,
        store,
        topics,
        log: quietLog,
        sessionTimeoutMs: 3_000,
        ...more,
      })
      const worker = recordingWorker(feed, options)
      workers.push(worker)
      return worker
    },
  }
}

const vesselNames = (count: number) =>
  Array.from({ length: count }, (_, index) => `V-${String(index + 1).padStart(2, '0')}`)

/** The positions of a vessel's events as the workers processed them, together. */
const processed = (workers: readonly RecordingWorker[], vessel: string) =>
  workers.flatMap((worker) => worker.seen.filter((seen) => seen.vessel === vessel))

test('a single worker gets the events of every vessel in store order, and those of models on each lane', {
  skip,
}, async (context) => {
  const { store, worker } = await plant(context)
  const batches: BatchOnVessel[] = []
  for (const vessel of vesselNames(5)) batches.push(await openBatch(store, vessel))
  await appendInOrder(store, [modelActivation()])
  for (const batch of batches) await appendInOrder(store, [measurements(batch, [1, 2, 3]), sample(batch)])
  const one = worker()
  await until('all came', () => one.seen.length === 5 * 5 + 6)
  assert.deepEqual([...one.lanes].toSorted(), ['0', '1', '2', '3', '4', '5'])
  for (const lane of one.lanes) {
    const positions = one.seen.filter((seen) => seen.lane === lane).map((seen) => seen.position)
    assert.deepEqual(
      positions,
      positions.toSorted((a, b) => (a < b ? -1 : 1)),
    )
    assert.equal(one.seen.filter((seen) => seen.lane === lane && seen.vessel === undefined).length, 1)
  }
  for (const { vessel } of batches) assert.equal(processed([one], vessel).length, 5)
})

test('three workers share thirty vessels, each event processed once and each vessel in order; one that leaves hands its vessels on', {
  skip,
}, async (context) => {
  const { store, worker } = await plant(context)
  const batches: BatchOnVessel[] = []
  for (const vessel of vesselNames(30)) batches.push(await openBatch(store, vessel))
  const workers = [worker(), worker(), worker()]
  await until('each has its third', () => workers.every((one) => one.lanes.size === 2))
  for (let round = 0; round < 5; round++)
    await store.append(batches.map((batch) => measurements(batch, [round, round + 100])))
  const count = () => workers.reduce((sum, one) => sum + one.seen.length, 0)
  await until('all was processed', () => count() >= 30 * 11)
  const [leaving, ...staying] = workers as [RecordingWorker, RecordingWorker, RecordingWorker]
  const kept = staying.map((one) => [...one.lanes])
  await leaving.stop()
  await until('the others took over', () => staying.every((one) => one.lanes.size === 3))
  staying.forEach((one, index) => {
    for (const lane of kept[index] ?? []) assert.ok(one.lanes.has(lane), 'a worker keeps what it has')
  })
  for (let round = 5; round < 10; round++)
    await store.append(batches.map((batch) => measurements(batch, [round, round + 100])))
  await until('all was processed', () => count() >= 30 * 21)
  assert.equal(count(), 30 * 21)
  for (const { vessel } of batches) {
    const positions = processed(workers, vessel).map((seen) => seen.position)
    assert.equal(new Set(positions).size, 21)
    assert.deepEqual(
      positions.toSorted((a, b) => (a < b ? -1 : 1)),
      await positionsOf(store, vessel),
    )
    for (const one of workers) {
      const own = one.seen.filter((seen) => seen.vessel === vessel).map((seen) => seen.position)
      assert.deepEqual(
        own,
        own.toSorted((a, b) => (a < b ? -1 : 1)),
      )
    }
  }
})

test('what cannot be read goes to the dead letters with its reason and its bytes, and nothing waits for it', {
  skip,
}, async (context) => {
  const { brokers, store, topics, worker } = await plant(context)
  const one = worker()
  const batch = await openBatch(store, 'V-01')
  await until('the batch came', () => one.seen.length === 1)
  const [created] = await eventsOf(store, batch)
  if (!created) throw new Error('no event')
  const good = encodeRecord(created, store.storeId)
  const partition = partitionOf(6)('V-01')
  const poisons: readonly [string, { value: Buffer | null; headers: Record<string, string | Buffer> }][] = [
    ['not-json', { ...good, value: Buffer.from('{"half":') }],
    ['not-an-envelope', { ...good, value: Buffer.from('{"id":"x"}') }],
    [
      'unknown-type',
      { ...good, value: Buffer.from(good.value.toString().replace('BatchCreated', 'NoSuchThing')) },
    ],
    ['missing-header', { value: good.value, headers: {} }],
    ['not-utf8', { ...good, value: Buffer.from([0xff, 0xfe]) }],
    ['empty', { ...good, value: null }],
    ['header-differs', { ...good, headers: { ...good.headers, position: '99' } }],
  ].map((entry) => entry as [string, { value: Buffer | null; headers: Record<string, string | Buffer> }])
  const producer = orderedProducer(kafkaClient({ brokers, log: quietLog }, 'vandal'))
  await producer.connect()
  for (const [, { value, headers }] of poisons)
    await producer.send({ topic: topics.vessels, messages: [{ key: 'V-01', partition, value, headers }] })
  await disconnected(producer)
  await appendInOrder(store, [measurements(batch, [1, 2])])
  await until('the readings behind them came', () => one.seen.length === 3)
  await until(
    'they are dead letters',
    async () => (await readTopic(brokers, topics.deadLetter)).length === poisons.length,
  )
  const letters = await readTopic(brokers, topics.deadLetter)
  letters.forEach(({ message }, index) => {
    const [reason, poison] = poisons[index] ?? []
    assert.equal(headerOf(message, 'reason'), reason)
    assert.ok(headerOf(message, 'rule'))
    assert.equal(headerOf(message, 'topic'), topics.vessels)
    assert.equal(headerOf(message, 'partition'), String(partition))
    assert.equal(headerOf(message, 'offset'), String(index + 1))
    assert.deepEqual(message.value, poison?.value)
    assert.equal(message.key?.toString(), 'V-01')
  })
})

test('records that come again are dropped by position', { skip }, async (context) => {
  const { brokers, store, topics, worker } = await plant(context)
  const one = worker()
  const batch = await openBatch(store, 'V-01')
  await appendInOrder(store, [measurements(batch, [1, 2])])
  await until('all came', () => one.seen.length === 3)
  const producer = orderedProducer(kafkaClient({ brokers, log: quietLog }, 'second-relay'))
  await producer.connect()
  for (const event of await eventsOf(store, batch))
    await producer.send({
      topic: topics.vessels,
      messages: [{ key: 'V-01', partition: partitionOf(6)('V-01'), ...encodeRecord(event, store.storeId) }],
    })
  await disconnected(producer)
  await appendInOrder(store, [measurements(batch, [3])])
  await until('the next came', () => one.seen.length === 4)
  assert.equal(new Set(one.seen.map((seen) => seen.id)).size, 4)
})

test('an event that the worker could not process ends its feed and comes to the next one', {
  skip,
}, async (context) => {
  const { store, worker } = await plant(context)
  const batch = await openBatch(store, 'V-01')
  await appendInOrder(store, [measurements(batch, [1, 2])])
  const failing = worker({
    onEvents: () => {
      throw new Error('the disk is full')
    },
  })
  await assert.rejects(failing.ended, /the disk is full/)
  assert.equal(failing.lanes.size, 0)
  const next = worker()
  await until('all came', () => next.seen.length === 3)
})

test('a delivery in hand is called off when its lanes are shared anew, and comes again', {
  skip,
}, async (context) => {
  const { store, worker } = await plant(context)
  const batches: BatchOnVessel[] = []
  for (const vessel of vesselNames(8)) batches.push(await openBatch(store, vessel))
  const calledOff = Promise.withResolvers<void>()
  let isFirst = true
  const one = worker({
    onEvents: async ({ signal }) => {
      if (!isFirst) return
      isFirst = false
      await new Promise<void>((settle) => {
        signal.addEventListener('abort', () => settle(), { once: true })
      })
      calledOff.resolve()
      throw signal.reason
    },
  })
  await until('it has a delivery in hand', () => !isFirst)
  const two = worker()
  await calledOff.promise
  await until('both have their share', () => one.lanes.size === 3 && two.lanes.size === 3)
  await until('all was processed', () => one.seen.length + two.seen.length >= 8)
  assert.deepEqual(
    [...one.seen, ...two.seen].map((seen) => seen.vessel).toSorted(),
    batches.map(({ vessel }) => vessel),
  )
})

test('a worker keeps its lanes through a delivery that takes longer than a session', {
  skip,
}, async (context) => {
  const { store, worker } = await plant(context)
  const sessionTimeoutMs = 1_500
  const slow = worker({ onEvents: () => delay(3 * sessionTimeoutMs) }, { sessionTimeoutMs })
  const other = worker({}, { sessionTimeoutMs })
  await until('both have their share', () => slow.lanes.size === 3 && other.lanes.size === 3)
  const vessel = vesselNames(30).find((name) => slow.lanes.has(String(partitionOf(6)(name))))
  assert.ok(vessel)
  const batch = await openBatch(store, vessel)
  await until('the event was processed', () => slow.seen.length === 1)
  await appendInOrder(store, [measurements(batch, [1])])
  await until('so was the next', () => slow.seen.length === 2)
  assert.deepEqual(other.seen, [])
})

test('a worker refuses events of another store', { skip }, async (context) => {
  const { store, worker } = await plant(context)
  await openBatch(store, 'V-01')
  const other = await feedStore()
  context.after(() => other.store.close())
  await assert.rejects(worker({}, { store: other.store }).ended, ForeignFeedError)
})

async function eventsOf(store: EventStore, { batchId }: BatchOnVessel) {
  const events = []
  for (const stream of [`batch-${batchId}`, `reading-${batchId}`])
    for await (const event of store.readStream(stream)) events.push(event)
  return events
}

async function positionsOf(store: EventStore, vessel: string): Promise<bigint[]> {
  const positions: bigint[] = []
  const head = await store.head()
  const feed = kafkaVesselFeed({ brokers: [], store, log: quietLog })
  for await (const event of feed.readVessel(vessel, { before: (head?.position ?? 0n) + 1n }))
    positions.push(event.position)
  return positions
}
