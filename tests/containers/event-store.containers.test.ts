/**
 * The EventStoreDB adapter against a real server: the one of `BIOLEDGER_TEST_EVENTSTORE=esdb://…` where it is set,
 * else the stack's image in a container. This, unlike the stand-in of the plain test run, is evidence about
 * EventStoreDB. Streams are named anew in each run, so that a server may be used again.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { EventStore } from '../../infra/event-store/event-store.ts'
import {
  eventStoreDbEventStore,
  migrateEventStoreDbIndex,
} from '../../infra/event-store/eventstoredb/eventstoredb-event-store.ts'
import { samples } from '../../infra/event-store/eventstoredb/testing/open-store.ts'
import { createLogger } from '../../infra/log.ts'
import { testDatabase } from '../../infra/postgres/testing/test-database.ts'
import type { RecordedEvent } from '../../schemas/event.ts'
import { skipWithoutDocker, startEventStoreDb } from './support/containers.ts'

const given = process.env.BIOLEDGER_TEST_EVENTSTORE
const skip = given ? false : await skipWithoutDocker()
const run = randomBytes(4).toString('hex')

let stop: (() => Promise<void>) | undefined
let store: EventStore

before(async () => {
  if (skip) return
  const server = given ? { url: given, stop: async () => {} } : await startEventStoreDb()
  stop = server.stop
  const database = await testDatabase()
  await migrateEventStoreDbIndex({ adminUrl: database.adminUrl })
  store = await eventStoreDbEventStore({
    url: server.url,
    indexUrl: database.appUrl,
    log: createLogger('silent'),
  })
})

after(async () => {
  await store?.close()
  await stop?.()
})

async function streamOf(name: string): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = []
  for await (const event of store.readStream(name)) events.push(event)
  return events
}

const ids = (events: readonly { readonly id: string }[]) => events.map(({ id }) => id)

test('EventStoreDB: what was appended is read back in order, by stream and by id', { skip }, async () => {
  const stream = `reading-${run}-order`
  const events = samples(50)
  const [outcome] = await store.append([{ stream, expectedRevision: 'noStream', events }])
  assert.equal(outcome?.kind, 'appended')
  const read = await streamOf(stream)
  assert.deepEqual(ids(read), ids(events))
  assert.deepEqual(
    read.map(({ revision }) => revision),
    events.map((_, index) => BigInt(index)),
  )
  assert.deepEqual(await store.readById(events[49]?.id ?? ''), read[49])
})

test('EventStoreDB: the same events again are a duplicate, at whatever expected revision', {
  skip,
}, async () => {
  const stream = `reading-${run}-again`
  const events = samples(3)
  await store.append([{ stream, expectedRevision: 'noStream', events }])
  for (const expectedRevision of ['noStream', 'streamExists', 'any', 7n] as const) {
    const [outcome] = await store.append([{ stream, expectedRevision, events }])
    assert.equal(outcome?.kind, 'duplicate', String(expectedRevision))
  }
  assert.equal((await streamOf(stream)).length, 3)
})

test('EventStoreDB: a wrong revision is a conflict that names the actual one, and harms no other request', {
  skip,
}, async () => {
  const stream = `reading-${run}-conflict`
  await store.append([{ stream, expectedRevision: 'noStream', events: samples(2) }])
  const [wrong, right] = await store.append([
    { stream, expectedRevision: 0n, events: samples(1) },
    { stream: `${stream}-other`, expectedRevision: 'noStream', events: samples(1) },
  ])
  assert.deepEqual(wrong, { kind: 'conflict', actual: 1n })
  assert.equal(right?.kind, 'appended')
  assert.equal((await streamOf(stream)).length, 2)
})

test('EventStoreDB: a live subscriber gets every event once and in order, also when the server drops it', {
  skip,
}, async () => {
  const stream = `reading-${run}-live`
  const head = await store.head()
  const stopped = new AbortController()
  const received: RecordedEvent[] = []
  const total = 2_000
  const following = (async () => {
    for await (const page of store.subscribe({
      ...(head ? { after: head.position } : {}),
      signal: stopped.signal,
    })) {
      received.push(...page.events.filter((event) => event.stream === stream))
      if (received.length >= total) stopped.abort()
    }
  })()
  // Appends of 500 events make the real server drop its live subscribers.
  const events = samples(total)
  const deadline = setTimeout(() => stopped.abort(), 60_000)
  try {
    for (let from = 0; from < total; from += 500) {
      const [outcome] = await store.append([
        { stream, expectedRevision: 'any', events: events.slice(from, from + 500) },
      ])
      assert.equal(outcome?.kind, 'appended')
    }
  } catch (error) {
    stopped.abort()
    throw error
  } finally {
    await following
    clearTimeout(deadline)
  }
  assert.deepEqual(ids(received), ids(events))
})
