import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import type { RecordedEvent } from '../../schemas/event.ts'
import { ForeignFeedError } from '../feed/feed.ts'
import { feedStore, quietLog } from '../feed/testing/feed-store.ts'
import {
  abortion,
  alarmOf,
  appendInOrder,
  idleMeasurements,
  measurements,
  modelActivation,
  openBatch,
  sample,
  sealing,
} from '../feed/testing/vessel-histories.ts'
import { vesselRouting } from '../feed/vessel-routing.ts'
import { until } from '../testing/until.ts'
import { disconnected, kafkaClient, orderedProducer } from './client.ts'
import { decodeRecord } from './record.ts'
import { type RelayRecord, relayRecords } from './relay-records.ts'
import { skipWithoutKafka, startTestBroker } from './testing/broker.ts'
import { headerOf, readTopic } from './testing/read-topic.ts'
import { runningRelay } from './testing/running-relay.ts'
import type { TestBroker } from './testing/test-broker.ts'
import { ensureTopics, topicNames } from './topics.ts'

let shared: Promise<TestBroker> | undefined
const broker = () => {
  shared ??= startTestBroker()
  return shared
}
after(async () => {
  await (await shared)?.stop()
})
const freshTopics = () => topicNames(`test-${randomBytes(4).toString('hex')}`)
const skip = skipWithoutKafka

async function everything(store: Awaited<ReturnType<typeof feedStore>>['store']): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = []
  for await (const page of store.readAll()) events.push(...page.events)
  return events
}

test('the vessel topic holds readings, records and seals by vessel, the event topic all that is no reading by stream', {
  skip,
}, async (context) => {
  const { brokers } = await broker()
  const { database, store } = await feedStore()
  context.after(() => store.close())
  const topics = freshTopics()
  const batch = await openBatch(store, 'V-01')
  await appendInOrder(store, [
    measurements(batch, [1, 2]),
    alarmOf('V-01'),
    modelActivation(),
    sample(batch),
    idleMeasurements('V-02', [3]),
    abortion(batch),
    sealing(batch, 2),
  ])
  const relay = runningRelay({ brokers, store, postgresUrl: database.appUrl, topics })
  context.after(() => relay.stop())
  const head = await store.head()
  await until('all is relayed', () => {
    const state = relay.state()
    return state.kind === 'relaying' && state.through >= (head?.position ?? 0n)
  })
  const stored = await everything(store)
  const decoded = async (topic: string) =>
    (await readTopic(brokers, topic)).map(({ message, partition }) => {
      const record = decodeRecord(message)
      if (record.kind !== 'event') throw new Error(record.rule)
      assert.equal(headerOf(message, 'event-id'), record.event.id)
      assert.equal(headerOf(message, 'position'), String(record.event.position))
      assert.equal(headerOf(message, 'type'), record.event.type)
      assert.equal(record.storeId, store.storeId)
      return { partition, key: record.key, event: record.event }
    })
  const events = await decoded(topics.events)
  assert.deepEqual(
    events.map(({ event }) => event).toSorted((a, b) => Number(a.position - b.position)),
    stored.filter((event) => event.type !== 'SensorReadingRecorded'),
  )
  for (const { key, event } of events) assert.equal(key, event.stream)
  const vessels = await decoded(topics.vessels)
  const forAll = vessels.filter(({ key }) => key === undefined)
  assert.deepEqual(
    forAll.map(({ partition, event }) => [partition, event.type]).toSorted(),
    [0, 1, 2, 3, 4, 5].map((partition) => [partition, 'ModelActivated']),
  )
  const ofVessel = (vessel: string) => vessels.filter(({ key }) => key === vessel).map(({ event }) => event)
  assert.deepEqual(
    ofVessel('V-02'),
    stored.filter((event) => event.stream.startsWith('reading-V-02-idle-')),
  )
  assert.deepEqual(
    ofVessel('V-01'),
    stored.filter((event) => event.stream.endsWith(batch.batchId)),
  )
})

test('a relay that starts again writes nothing twice and goes on where the topics end', {
  skip,
}, async (context) => {
  const { brokers } = await broker()
  const { database, store } = await feedStore()
  context.after(() => store.close())
  const topics = freshTopics()
  const start = () => runningRelay({ brokers, store, postgresUrl: database.appUrl, topics })
  const through = async (relay: ReturnType<typeof start>) => {
    const head = await store.head()
    await until('all is relayed', () => {
      const state = relay.state()
      return state.kind === 'relaying' && state.through >= (head?.position ?? 0n)
    })
  }
  const batch = await openBatch(store, 'V-01')
  await appendInOrder(store, [measurements(batch, [1, 2, 3])])
  const first = start()
  await through(first)
  await first.stop()
  assert.equal(first.records(), 3 + 1 + 2)
  await appendInOrder(store, [measurements(batch, [4]), sample(batch)])
  const second = start()
  await through(second)
  await second.stop()
  assert.equal(second.records(), 3)
  const positions = (await readTopic(brokers, topics.vessels)).map(({ message }) =>
    Number(headerOf(message, 'position')),
  )
  assert.equal(positions.length, 6)
  assert.deepEqual(
    positions,
    [...new Set(positions)].toSorted((a, b) => a - b),
  )
})

test('what a relay that died left half written is completed and not repeated', { skip }, async (context) => {
  const { brokers } = await broker()
  const { database, store } = await feedStore()
  context.after(() => store.close())
  const topics = freshTopics()
  for (const vessel of ['V-01', 'V-02', 'V-03', 'V-04', 'V-05', 'V-06']) {
    const batch = await openBatch(store, vessel)
    await appendInOrder(store, [measurements(batch, [1, 2, 3]), sample(batch)])
  }
  const recordsOf = relayRecords({
    topics,
    storeId: store.storeId,
    routing: vesselRouting(store),
    vesselPartitions: 6,
    eventPartitions: 6,
  })
  const all: RelayRecord[] = []
  for (const event of await everything(store)) all.push(...(await recordsOf(event)))
  const kafka = kafkaClient({ brokers, log: quietLog }, 'dying-relay')
  await ensureTopics(kafka, topics, 6)
  const producer = orderedProducer(kafka)
  await producer.connect()
  const written = new Map<string, number>()
  for (const { topic, partition, message } of all) {
    const key = `${topic}/${partition}`
    const count = written.get(key) ?? 0
    // Some partitions have taken everything, some a part, some nothing.
    if (count >= partition * 2) continue
    written.set(key, count + 1)
    await producer.send({ topic, messages: [message] })
  }
  await disconnected(producer)
  const relay = runningRelay({ brokers, store, postgresUrl: database.appUrl, topics })
  context.after(() => relay.stop())
  const head = await store.head()
  await until('all is relayed', () => {
    const state = relay.state()
    return state.kind === 'relaying' && state.through >= (head?.position ?? 0n)
  })
  for (const topic of [topics.vessels, topics.events]) {
    const there = await readTopic(brokers, topic)
    for (let partition = 0; partition < 6; partition++)
      assert.deepEqual(
        there
          .filter((record) => record.partition === partition)
          .map(({ message }) => headerOf(message, 'position')),
        all
          .filter((record) => record.topic === topic && record.partition === partition)
          .map(({ message }) => message.headers?.position),
      )
  }
})

test('one relay is active; another takes over when it ends', { skip }, async (context) => {
  const { brokers } = await broker()
  const { database, store } = await feedStore()
  context.after(() => store.close())
  const topics = freshTopics()
  const start = () => runningRelay({ brokers, store, postgresUrl: database.appUrl, topics })
  const batch = await openBatch(store, 'V-01')
  const first = start()
  await until('the first is active', () => first.state().kind === 'relaying')
  const second = start()
  await appendInOrder(store, [measurements(batch, [1])])
  await until('the first relayed it', () => first.records() === 4)
  assert.equal(second.state().kind, 'standby')
  await first.stop()
  await appendInOrder(store, [measurements(batch, [2])])
  await until('the second relayed the next', () => second.records() === 1)
  await second.stop()
})

test('topics that hold the events of another store are refused', { skip }, async (context) => {
  const { brokers } = await broker()
  const [one, other] = [await feedStore(), await feedStore()]
  context.after(() => one.store.close())
  context.after(() => other.store.close())
  const topics = freshTopics()
  await openBatch(one.store, 'V-01')
  const relay = runningRelay({ brokers, store: one.store, postgresUrl: one.database.appUrl, topics })
  await until('it relays', () => relay.records() > 0)
  await relay.stop()
  await openBatch(other.store, 'V-01')
  const foreign = runningRelay({ brokers, store: other.store, postgresUrl: other.database.appUrl, topics })
  await assert.rejects(foreign.ended, ForeignFeedError)
})
