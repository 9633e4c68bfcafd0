import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StoreReplacedError } from '../event-store/checkpoint.ts'
import { createPool } from '../postgres/pool.ts'
import { until } from '../testing/until.ts'
import { writeFeedCheckpoint } from './checkpoints.ts'
import { storeVesselFeed } from './store-feed.ts'
import { feedStore, quietLog } from './testing/feed-store.ts'
import { recordingWorker } from './testing/recording-worker.ts'
import {
  abortion,
  alarmOf,
  appendInOrder,
  batchOn,
  creation,
  idleMeasurements,
  measurements,
  modelActivation,
  openBatch,
  reservation,
  sample,
  sealing,
} from './testing/vessel-histories.ts'

test('a worker gets the readings, records and seals of every vessel and the events of models in store order', async (context) => {
  const { database, store } = await feedStore()
  context.after(() => store.close())
  const feed = storeVesselFeed({ store, postgresUrl: database.appUrl, log: quietLog })
  context.after(() => feed.close())
  const batch = batchOn('V-01')
  await appendInOrder(store, [
    reservation(batch),
    creation(batch),
    measurements(batch, [1, 2]),
    alarmOf('V-01'),
  ])
  const worker = recordingWorker(feed)
  await until('what was there', () => worker.seen.length === 3)
  await appendInOrder(store, [
    modelActivation(),
    sample(batch),
    idleMeasurements('V-02', [3]),
    abortion(batch),
    sealing(batch, 2),
  ])
  await until('what came later', () => worker.seen.length === 8)
  await worker.stop()
  assert.deepEqual(
    worker.seen.map((seen) => seen.vessel),
    ['V-01', 'V-01', 'V-01', undefined, 'V-01', 'V-02', 'V-01', 'V-01'],
  )
  const positions = worker.seen.map((seen) => seen.position)
  assert.deepEqual(
    positions,
    positions.toSorted((a, b) => (a < b ? -1 : 1)),
  )
  assert.deepEqual(worker.history, ['+store', '-store'])
})

test('the next worker goes on after the last delivery that was processed', async (context) => {
  const { database, store } = await feedStore()
  context.after(() => store.close())
  const open = () => storeVesselFeed({ store, postgresUrl: database.appUrl, log: quietLog, pageSize: 2 })
  const batch = await openBatch(store, 'V-01')
  await appendInOrder(store, [measurements(batch, [1, 2, 3, 4, 5, 6, 7, 8])])
  const failing = open()
  context.after(() => failing.close())
  const first = recordingWorker(failing, {
    onEvents: () => {
      if (first.seen.length >= 4) throw new Error('the disk is full')
    },
  })
  await assert.rejects(first.ended, /the disk is full/)
  const next = open()
  context.after(() => next.close())
  const second = recordingWorker(next)
  await until('the rest', () => first.seen.length + second.seen.length >= 9)
  await second.stop()
  const ids = [...first.seen, ...second.seen].map((seen) => seen.id)
  assert.equal(ids.length, 9)
  assert.equal(new Set(ids).size, 9)
})

test('one worker of a group works, another takes over when it ends; a second group has its own progress', async (context) => {
  const { database, store } = await feedStore()
  context.after(() => store.close())
  const [one, two, other] = Array.from({ length: 3 }, () =>
    storeVesselFeed({ store, postgresUrl: database.appUrl, log: quietLog }),
  ) as [
    ReturnType<typeof storeVesselFeed>,
    ReturnType<typeof storeVesselFeed>,
    ReturnType<typeof storeVesselFeed>,
  ]
  for (const feed of [one, two, other]) context.after(() => feed.close())
  const batch = await openBatch(store, 'V-01')
  const first = recordingWorker(one)
  await until('the first works', () => first.seen.length === 1)
  const second = recordingWorker(two)
  const elsewhere = recordingWorker(other, { group: 'elsewhere' })
  await until('the other group works', () => elsewhere.seen.length === 1)
  assert.equal(second.lanes.size, 0)
  await first.stop()
  await appendInOrder(store, [measurements(batch, [1])])
  await until('the second took over', () => second.seen.length === 1)
  await second.stop()
  await elsewhere.stop()
  assert.equal(first.seen.length, 1)
})

test('a lost session hands the lane back and takes it again', async (context) => {
  const { database, store } = await feedStore()
  context.after(() => store.close())
  const feed = storeVesselFeed({ store, postgresUrl: database.appUrl, log: quietLog })
  context.after(() => feed.close())
  const batch = await openBatch(store, 'V-01')
  const worker = recordingWorker(feed)
  await until('it works', () => worker.seen.length === 1)
  const admin = createPool(database.adminUrl, { name: 'test', max: 1 })
  context.after(() => admin.end())
  await admin.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bioledger-feed' AND datname = current_database()",
  )
  await until('the lane came back', () => worker.history.length >= 3 && worker.history.at(-1) === '+store')
  await appendInOrder(store, [measurements(batch, [1])])
  await until('it goes on', () => worker.seen.length === 2)
  await worker.stop()
  // Taken and handed back in turn; more than twice when the second session was one that was just being ended.
  assert.deepEqual(
    worker.history,
    worker.history.map((_, index) => (index % 2 === 0 ? '+store' : '-store')),
  )
  assert.equal(worker.history.at(-1), '-store')
})

test('a checkpoint of another store is refused', async (context) => {
  const { database, store } = await feedStore()
  context.after(() => store.close())
  const feed = storeVesselFeed({ store, postgresUrl: database.appUrl, log: quietLog })
  context.after(() => feed.close())
  const pool = createPool(database.appUrl, { name: 'test', max: 1 })
  context.after(() => pool.end())
  await writeFeedCheckpoint(pool, 'test', {
    storeId: 'another',
    position: 1n,
    eventId: '01890000-0000-7000-8000-000000000001',
  })
  await assert.rejects(recordingWorker(feed).ended, StoreReplacedError)
})

test('the state of a vessel is read from its unsealed batches alone, in store order, up to a position', async (context) => {
  const { database, store } = await feedStore()
  context.after(() => store.close())
  const feed = storeVesselFeed({ store, postgresUrl: database.appUrl, log: quietLog })
  context.after(() => feed.close())
  const [old, ended, open] = [batchOn('V-01'), batchOn('V-01'), batchOn('V-01')]
  await appendInOrder(store, [
    reservation(old),
    creation(old),
    measurements(old, [1]),
    abortion(old),
    sealing(old, 1),
  ])
  const state = await appendInOrder(store, [
    reservation(ended),
    creation(ended),
    measurements(ended, [2]),
    abortion(ended),
    reservation(open),
    creation(open),
    measurements(open, [3]),
    measurements(ended, [4]),
    idleMeasurements('V-01', [5]),
    sample(open),
    measurements(open, [6]),
  ])
  const before = state.at(-1)?.position ?? 0n
  const read = async (range: { before: bigint; after?: bigint }) => {
    const found: bigint[] = []
    for await (const event of feed.readVessel('V-01', range)) found.push(event.position)
    return found
  }
  const wanted = [1, 2, 3, 5, 6, 7, 9].map((index) => state[index]?.position)
  assert.deepEqual(await read({ before }), wanted)
  assert.deepEqual(await read({ before, after: wanted[3] as bigint }), wanted.slice(4))
  const [sealed] = await appendInOrder(store, [sealing(ended, 2)])
  assert.deepEqual(
    await read({ before: (sealed?.position ?? 0n) + 1n }),
    [5, 6, 9, 10].map((index) => state[index]?.position),
  )
  assert.deepEqual(await read({ before }), wanted)
})
