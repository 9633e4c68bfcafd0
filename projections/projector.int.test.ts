import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { systemClock } from '../infra/clock.ts'
import type { EventPage, EventStore } from '../infra/event-store/event-store.ts'
import { createPool } from '../infra/postgres/pool.ts'
import { until } from '../infra/testing/until.ts'
import { appendProjectionAlarm } from './alarm.ts'
import { RebuildRunningError, rebuildReadModels } from './rebuild.ts'
import { openReadModels } from './tables/database.ts'
import { hashTables } from './tables/table-hashes.ts'
import {
  batchCreated,
  batchIds,
  gapClosed,
  gapDetected,
  histories,
  inoculated,
  reading,
  sampleTaken,
  testStartMs,
} from './testing/histories.ts'
import { readSide } from './testing/read-side.ts'

const [id, otherId] = batchIds
const readings = (count: number, offset = 0) =>
  Array.from({ length: count }, (_, index) =>
    reading(id, 'pH', testStartMs + (index + offset) * 1_000, index / 8),
  )

test('connections that break at any moment leave rows and checkpoint consistent', async (t) => {
  const side = await readSide(t)
  const pool = openReadModels(side.appUrl, { name: 'victim', max: 3 })
  t.after(() => pool.end())
  const admin = createPool(side.adminUrl, { name: 'killer', max: 1 })
  t.after(() => admin.end())
  const [history] = fc.sample(histories(400), 1)
  assert.ok(history)
  await side.startProjector({ pool, pageSize: 7 })
  let last = await side.append(history)
  let killed = 0
  for (let round = 0; killed < 4; round++) {
    assert.ok(round < 2_000, `only ${killed} connections could be killed at work`)
    last = await side.append(readings(20, 1_000 + round * 20))
    const { rowCount } = await admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bioledger-victim' AND state <> 'idle'`,
    )
    killed += rowCount ?? 0
  }
  await side.projected(last)
  const report = await rebuildReadModels({ store: side.store, adminUrl: side.adminUrl })
  assert.equal(report.comparedAt, last)
  assert.deepEqual(report.differences, [])
})

/** The store as a newer writer would have filled it: events with these ids are of a version not known here. */
function withNewerVersion(store: EventStore, isNewer: (id: string) => boolean): EventStore {
  const changed = (page: EventPage): EventPage => ({
    ...page,
    events: page.events.map((event) => (isNewer(event.id) ? { ...event, schemaVersion: 99 } : event)),
  })
  return {
    ...store,
    subscribe: async function* (options) {
      for await (const page of store.subscribe(options)) yield changed(page)
    },
  }
}

test('an event that cannot be applied stops its own stream only, is alarmed once, and a rebuild heals', async (t) => {
  const side = await readSide(t)
  const poison = sampleTaken(id, 1, testStartMs + 5_000)
  const projector = await side.startProjector({
    store: withNewerVersion(side.store, (eventId) => eventId === poison.event.id),
    raiseAlarm: appendProjectionAlarm({ store: side.store, clock: systemClock, site: 'test' }),
    pageSize: 3,
  })
  await side.append([
    batchCreated(id),
    batchCreated(otherId, 2),
    inoculated(id),
    poison,
    sampleTaken(id, 2, testStartMs + 9_000),
  ])
  await side.append([...readings(30), inoculated(otherId)])
  await until('one alarm', async () => {
    const alarms = []
    for await (const event of side.store.readStream('config')) alarms.push(event.data)
    return alarms.length === 1 && String(alarms[0]?.message).includes(`batch-${id}`)
  })
  const last = await side.append([sampleTaken(otherId, 1, testStartMs)])
  await side.projected(last)

  const stopped = await side.get(`/api/v1/batches/${id}`)
  assert.equal(stopped.status, 503)
  assert.equal(stopped.json().code, 'projection-stopped')
  const before = await side.get(`/api/v1/batches/${id}?asOfPosition=3`)
  assert.equal(before.json().status, 'running')
  const other = await side.get(`/api/v1/batches/${otherId}`)
  assert.equal(other.json().sampleCount, 1)
  assert.equal((await projector.readiness()).ok, false)
  const list = (await side.get('/api/v1/batches')).json()
  assert.deepEqual(list.stopped, [{ stream: `batch-${id}`, position: '4' }])
  const { rows: parked } = await side.pool.query('SELECT type FROM parked_event ORDER BY position')
  assert.deepEqual(
    parked.map((row) => row.type),
    ['SampleTaken', 'SampleTaken'],
  )

  const report = await rebuildReadModels({ store: side.store, adminUrl: side.adminUrl })
  assert.deepEqual(report.parked, [])
  assert.ok(report.differences.some((difference) => difference.table === 'batch' && difference.key === id))
  assert.equal((await side.get(`/api/v1/batches/${id}`)).json().sampleCount, 2)
  assert.equal((await projector.readiness()).ok, true)
})

test('content that the database refuses stops its stream at that event and loses nothing before it', async (t) => {
  const side = await readSide(t)
  await side.startProjector()
  const strange = gapDetected(id, 'pH', testStartMs)
  const before = await side.append([batchCreated(id), ...readings(5)])
  const last = await side.append([
    // Year 0 is in ISO 8601 and in JavaScript, but not in Postgres.
    {
      ...strange,
      event: { ...strange.event, data: { ...strange.event.data, lastReadingAt: '0000-01-01T00:00:00.000Z' } },
    },
    ...readings(3, 100),
    batchCreated(otherId, 2),
  ])
  await side.projected(last)
  const { rows } = await side.pool.query('SELECT stream, position FROM parked_key')
  assert.deepEqual(rows, [{ stream: `reading-${id}`, position: before + 1n }])
  assert.equal((await side.get(`/api/v1/batches/${otherId}`)).status, 200)
  const known = await side.get(`/api/v1/batches/${id}/series?tag=pH&asOfPosition=${before}`)
  assert.equal((known.json().points as unknown[]).length, 5)
})

test('a second projector ends itself instead of writing twice', async (t) => {
  const side = await readSide(t)
  const first = await side.startProjector({ pageSize: 2 })
  const second = await side.startProjector({ pageSize: 3 })
  const loser = Promise.race([
    first.ended.catch((error: unknown) => error),
    second.ended.catch((error: unknown) => error),
  ])
  const last = await side.append([batchCreated(id), ...readings(60)])
  assert.match(String(await loser), /another projector is active/)
  await side.projected(last)
  assert.deepEqual((await rebuildReadModels({ store: side.store, adminUrl: side.adminUrl })).differences, [])
})

test('read models of another store are noticed at the start', async (t) => {
  const side = await readSide(t)
  const projector = await side.startProjector()
  await side.projected(await side.append([batchCreated(id)]))
  await projector.stop()
  const stranger = await side.startProjector({ store: { ...side.store, storeId: 'another' } })
  await assert.rejects(stranger.ended, { code: 'store-replaced' })
  assert.equal((await stranger.readiness()).ok, false)
})

test('a projector with nothing to do is ready and reports no lag', async (t) => {
  const side = await readSide(t)
  const projector = await side.startProjector()
  const lag = () => projector.metrics.bioledger_projection_lag_seconds?.read()
  await until('no lag on an empty store', async () => lag() === 0)
  await side.projected(await side.append([batchCreated(id)]))
  await until('no lag after an event', async () => lag() === 0)
  assert.deepEqual(await projector.readiness(), { ok: true })
})

test('after a restart windows, gaps and counts go on as if there had been none', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      histories(60),
      fc.array(fc.nat(60), { minLength: 1, maxLength: 4 }),
      async (history, stops) => {
        await t.test('one history', async (t) => {
          const side = await readSide(t)
          const cuts = [...new Set(stops)].sort((one, other) => one - other)
          let start = 0
          for (const end of [...cuts, history.length]) {
            const last = await side.append(history.slice(start, end))
            const projector = await side.startProjector({ pageSize: 5 })
            if (end > start) await side.projected(last)
            await projector.stop()
            start = Math.max(start, end)
          }
          assert.deepEqual(
            (await rebuildReadModels({ store: side.store, adminUrl: side.adminUrl })).differences,
            [],
          )
        })
      },
    ),
    { numRuns: 4 },
  )
})

test('a gap that was open at a restart closes as the same gap, and stays open in the past', async (t) => {
  const side = await readSide(t)
  const first = await side.startProjector()
  const opened = await side.append([
    batchCreated(id),
    ...readings(3),
    gapDetected(id, 'pH', testStartMs + 2_000),
  ])
  await side.projected(opened)
  await first.stop()
  await side.startProjector()
  const end = testStartMs + 90_000
  await side.projected(await side.append([gapClosed(id, 'pH', testStartMs + 2_000, end)]))
  const gap = { tag: 'pH', from: new Date(testStartMs + 2_000).toISOString(), position: String(opened) }
  const now = (await side.get(`/api/v1/batches/${id}/gaps`)).json()
  assert.deepEqual(now.items, [{ ...gap, to: new Date(end).toISOString(), missing: 87 }])
  const then = (await side.get(`/api/v1/batches/${id}/gaps?asOfPosition=${opened}`)).json()
  assert.deepEqual(then.items, [{ ...gap, to: null, missing: null }])
})

test('a rebuild beside a live projector switches without a gap, and the projector goes on', async (t) => {
  const side = await readSide(t)
  const projector = await side.startProjector()
  await side.projected(await side.append([batchCreated(id), ...readings(300)]))
  let appended = 0n
  let more = true
  const appending = (async () => {
    for (let round = 0; more; round++) appended = await side.append(readings(5, 1_000 + round * 5))
  })()
  const report = await rebuildReadModels({ store: side.store, adminUrl: side.adminUrl, pageSize: 50 })
  more = false
  await appending
  const last = await side.append([sampleTaken(id, 1, testStartMs)])
  assert.ok(last > appended)
  assert.deepEqual(report.differences, [])
  await side.projected(last)
  assert.equal((await projector.readiness()).ok, true)
  assert.deepEqual((await rebuildReadModels({ store: side.store, adminUrl: side.adminUrl })).differences, [])
})

test('a rebuild reports which table and key differ, and can leave the live tables as they are', async (t) => {
  const side = await readSide(t)
  const projector = await side.startProjector()
  await side.projected(await side.append([batchCreated(id), batchCreated(otherId, 2), ...readings(40)]))
  await projector.stop()
  const admin = openReadModels(side.adminUrl, { name: 'tamper', max: 1 })
  t.after(() => admin.end())
  await admin.query(`UPDATE batch SET vessel = 'V-99' WHERE batch_id = $1`, [id])
  await admin.query(
    'DELETE FROM reading_chunk WHERE first_position = (SELECT min(first_position) FROM reading_chunk)',
  )
  const tampered = await hashTables(admin, 100n)
  const report = await rebuildReadModels({ store: side.store, adminUrl: side.adminUrl, switchWhen: 'equal' })
  assert.equal(report.switched, false)
  assert.deepEqual(
    report.differences.map(({ table, key }) => `${table} ${key}`),
    [`batch ${id}`, `reading reading-${id} pH [pH]`],
  )
  assert.deepEqual(await hashTables(admin, 100n), tampered)
  const mended = await rebuildReadModels({ store: side.store, adminUrl: side.adminUrl })
  assert.equal(mended.switched, true)
  assert.equal((await side.get(`/api/v1/batches/${id}`)).json().vessel, 'V-01')
})

test('an interrupted rebuild leaves the live tables alone and the next one starts clean', async (t) => {
  const side = await readSide(t)
  await side.startProjector()
  const last = await side.append([batchCreated(id), ...readings(200)])
  await side.projected(last)
  const stop = new AbortController()
  await assert.rejects(
    rebuildReadModels({
      store: side.store,
      adminUrl: side.adminUrl,
      pageSize: 20,
      signal: stop.signal,
      onProgress: ({ events }) => {
        if (events > 50) stop.abort()
      },
    }),
  )
  assert.equal((await side.get(`/api/v1/batches/${id}`)).status, 200)
  const report = await rebuildReadModels({ store: side.store, adminUrl: side.adminUrl })
  assert.equal(report.events, 201)
  assert.deepEqual(report.differences, [])
  const { rows } = await side.pool.query(
    `SELECT nspname FROM pg_namespace WHERE nspname LIKE 'projections\\_%'`,
  )
  assert.deepEqual(rows, [])
})

test('two rebuilds at once: the second is refused', async (t) => {
  const side = await readSide(t)
  await side.append([batchCreated(id), ...readings(100)])
  let second: Promise<unknown> | undefined
  await rebuildReadModels({
    store: side.store,
    adminUrl: side.adminUrl,
    onProgress: () => {
      second ??= rebuildReadModels({ store: side.store, adminUrl: side.adminUrl }).catch(
        (error: unknown) => error,
      )
    },
  })
  const refused = await second
  assert.ok(refused instanceof RebuildRunningError || (refused as { switched?: boolean }).switched)
})

test('the role of the product can neither change nor remove what is append-only', async (t) => {
  const side = await readSide(t)
  await side.startProjector()
  await side.projected(await side.append([batchCreated(id), ...readings(20)]))
  for (const statement of [
    'UPDATE timeline SET sentence = $$x$$',
    'DELETE FROM timeline',
    'DELETE FROM reading_chunk',
    'UPDATE reading_window SET mean = 0',
    'DELETE FROM batch',
    'TRUNCATE quarantine',
    'DELETE FROM parked_event',
  ])
    await assert.rejects(side.pool.query(statement), { code: '42501' }, statement)
})
