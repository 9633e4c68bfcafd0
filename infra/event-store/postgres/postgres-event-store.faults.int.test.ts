/** Connections that break, a full queue, a second process, a server that goes and comes back. */

import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import type { ClientEvent, RecordedEvent } from '../../../schemas/event.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../postgres/embedded.ts'
import { testDatabase } from '../../postgres/testing/test-database.ts'
import { until } from '../../testing/until.ts'
import { type EventStore, StoreOverloadedError, StoreUnavailableError } from '../event-store.ts'
import { appended, collect, eventsOf, idsOf, readStream } from '../testing/contract-store.ts'
import { again, alarm, reading, readings, typed } from '../testing/sample-events.ts'
import {
  migrateEventStore,
  type PostgresEventStoreOptions,
  postgresEventStore,
} from './postgres-event-store.ts'

// Begun outside the tests: the server it starts is for all of them.
const serverStarted = testDatabase()

async function openStore(options: Partial<PostgresEventStoreOptions> = {}) {
  await serverStarted
  const database = await testDatabase()
  await migrateEventStore({ adminUrl: database.adminUrl })
  const store = await postgresEventStore({ appUrl: database.appUrl, ...options })
  const admin = new pg.Client({ connectionString: database.adminUrl })
  admin.on('error', () => {})
  await admin.connect()
  const close = async () => {
    await store.close()
    await admin.end()
  }
  return { ...database, store, admin, close }
}

/** As a careful caller does: the same events and expectation again until the outcome is known. */
async function appendUntilKnown(
  store: EventStore,
  stream: string,
  expectedRevision: bigint | 'noStream' | 'any',
  events: readonly ClientEvent[],
): Promise<{ readonly retries: number; readonly last: bigint }> {
  for (let retries = 0; ; retries++) {
    try {
      const [outcome] = await store.append([
        { stream, expectedRevision, events: events.map((event) => again(event)) },
      ])
      if (outcome?.kind !== 'appended' && outcome?.kind !== 'duplicate')
        assert.fail(`answered ${outcome?.kind}`)
      return { retries, last: outcome.recorded.at(-1)?.revision as bigint }
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) && !(error instanceof StoreOverloadedError)) throw error
      await delay(5)
    }
  }
}

/** Writers with a stream each; every event must stand once, in its writer's order, whatever happens meanwhile. */
function startWriters(store: EventStore, writers: number) {
  let stopped = false
  let retries = 0
  const written = new Map<string, string[]>()
  const done = Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      const stream = `reading-w${writer}`
      const ids: string[] = []
      written.set(stream, ids)
      let expected: bigint | 'noStream' = 'noStream'
      while (!stopped) {
        const events = [reading(), writer % 2 === 0 ? alarm() : reading(), typed()]
        const answer = await appendUntilKnown(store, stream, expected, events)
        retries += answer.retries
        expected = answer.last
        ids.push(...idsOf(events))
      }
    }),
  )
  return {
    written: () => [...written.values()].reduce((sum, ids) => sum + ids.length, 0),
    async stop() {
      stopped = true
      await done
      return { retries, written }
    },
  }
}

async function assertWhole(
  store: EventStore,
  written: ReadonlyMap<string, readonly string[]>,
): Promise<void> {
  const all = eventsOf(await collect(store.readAll()))
  assert.deepEqual(
    all.map(({ position }) => position),
    all.map((_, at) => BigInt(at + 1)),
    'positions are gapless',
  )
  assert.equal(new Set(idsOf(all)).size, all.length)
  for (const [stream, ids] of written) {
    const events = await readStream(store, stream)
    assert.deepEqual(idsOf(events), ids)
    assert.ok(events.every(({ revision }, at) => revision === BigInt(at)))
  }
  assert.ok(
    all.every((event, at) => at === 0 || event.recordedAt >= (all[at - 1] as RecordedEvent).recordedAt),
  )
}

test('while connections are killed nothing is lost, doubled or skipped, and a subscription sees it all', async () => {
  const { store, admin, name, close } = await openStore()
  const end = new AbortController()
  const seen: string[] = []
  const following = (async () => {
    for await (const page of store.subscribe({ signal: end.signal, pageSize: 50 }))
      seen.push(...idsOf(page.events))
  })()
  const writers = startWriters(store, 6)
  for (let kill = 0; kill < 12; kill++) {
    const before = writers.written()
    await until('more is written', () => writers.written() > before + 12)
    await admin.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = $1 AND application_name LIKE 'bioledger-event-%'`,
      [name],
    )
  }
  const { retries, written } = await writers.stop()
  assert.ok(retries > 0, 'some outcomes were unknown')
  await assertWhole(store, written)
  const total = [...written.values()].flat().length
  await until('everything is seen', () => seen.length >= total)
  end.abort()
  await following
  assert.deepEqual(seen, idsOf(eventsOf(await collect(store.readAll()))))
  await close()
})

test('two processes that write the same streams disturb each other only by conflicts', async () => {
  const { store, appUrl, close } = await openStore()
  const other = await postgresEventStore({ appUrl })
  const repeated = readings(3)
  const written = await Promise.all(
    [store, other, store, other].map(async (writer) => {
      const ids: string[] = []
      let expected: bigint | 'noStream' = 'noStream'
      while (ids.length < 40) {
        const event = reading()
        const [one, two] = await writer.append([
          { stream: 'reading-shared', expectedRevision: expected, events: [event] },
          { stream: 'reading-repeated', expectedRevision: 'any', events: repeated },
        ])
        assert.ok(two?.kind === 'appended' || two?.kind === 'duplicate', two?.kind)
        if (one?.kind === 'appended') {
          ids.push(event.id)
          expected = one.recorded[0]?.revision as bigint
        } else if (one?.kind === 'conflict') expected = one.actual
        else assert.fail(one?.kind)
      }
      return ids
    }),
  )
  const shared = await readStream(store, 'reading-shared')
  assert.deepEqual(idsOf(shared).sort(), written.flat().sort())
  assert.deepEqual(idsOf(await readStream(store, 'reading-repeated')), idsOf(repeated))
  await assertWhole(other, new Map([['reading-shared', idsOf(shared)]]))
  await other.close()
  await close()
})

test('a full queue refuses whole calls at once, forgets nothing it took, and takes more when there is room', async () => {
  const { store, admin, close } = await openStore({ queueLimitEvents: 100 })
  await admin.query('BEGIN')
  await admin.query('SELECT event_store.lock_appends()')
  const taken = Array.from({ length: 5 }, () => readings(20))
  const pending = taken.map((events) => appended(store, 'reading-1', events))
  await assert.rejects(
    store.append([{ stream: 'reading-2', expectedRevision: 'any', events: [reading()] }]),
    (error) => error instanceof StoreOverloadedError && error.queuedEvents === 100 && error.limit === 100,
  )
  await admin.query('COMMIT')
  await Promise.all(pending)
  assert.deepEqual(idsOf(await readStream(store, 'reading-1')), idsOf(taken.flat()))
  assert.deepEqual(await readStream(store, 'reading-2'), [])
  await appended(store, 'reading-2', readings(20))
  await assert.rejects(
    store.append(
      Array.from({ length: 6 }, () => ({
        stream: 'reading-3',
        expectedRevision: 'any',
        events: readings(20),
      })),
    ),
    { code: 'invalid-append', field: 'requests' },
  )
  await close()
})

test('large events fill the queue by their size', async () => {
  const { store, admin, close } = await openStore({ queueLimitEvents: 1_000 })
  await admin.query('BEGIN')
  await admin.query('SELECT event_store.lock_appends()')
  const large = () => [alarm({}, 'x'.repeat(1024 * 1024))]
  const pending = Array.from({ length: 7 }, () => appended(store, 'batch-1', large()))
  await assert.rejects(appended(store, 'batch-1', large()), { code: 'store-overloaded' })
  await admin.query('COMMIT')
  await Promise.all(pending)
  await close()
})

test('a store that does not answer in time leaves the outcome unknown and recovers', async () => {
  const { store, admin, close } = await openStore({ timeoutMs: 300 })
  await admin.query('BEGIN')
  await admin.query('SELECT event_store.lock_appends()')
  const event = reading()
  const plain = () => store.append([{ stream: 'reading-1', expectedRevision: 'noStream', events: [event] }])
  const decided = () =>
    store.append([
      { stream: 'reading-1', expectedRevision: 'any', events: [event] },
      { stream: 'reading-1', expectedRevision: 'noStream', events: [again(event)] },
    ])
  for (const append of [plain, decided, plain]) await assert.rejects(append(), { code: 'store-unavailable' })
  await admin.query('COMMIT')
  await appendUntilKnown(store, 'reading-1', 'noStream', [event])
  assert.deepEqual(
    (await decided()).map(({ kind }) => kind),
    ['duplicate', 'duplicate'],
  )
  assert.deepEqual(idsOf(await readStream(store, 'reading-1')), [event.id])
  await close()
})

test('when the machine’s clock steps back, record times stand still until it has caught up', async () => {
  const { store, admin, close } = await openStore()
  await admin.query(
    "UPDATE event_store.head SET passed_until = date_trunc('milliseconds', now() + interval '1 hour')",
  )
  const { rows } = await admin.query('SELECT passed_until FROM event_store.head')
  const ahead = (rows[0].passed_until as Date).toISOString()
  const recorded = [
    ...(await appended(store, 'reading-1', [reading()])),
    ...(await appended(store, 'reading-1', [alarm()])),
  ]
  assert.deepEqual(
    recorded.map(({ recordedAt }) => recordedAt),
    [ahead, ahead],
  )
  assert.equal((await store.positionAt(ahead)).passed, false)
  await close()
})

test('closing answers what was taken before, and takes nothing more', async () => {
  const { store, appUrl, close } = await openStore()
  const pending = Array.from({ length: 20 }, (_, at) => appended(store, `reading-${at}`, readings(5)))
  await Promise.all([store.close(), store.close()])
  assert.equal((await Promise.all(pending)).flat().length, 100)
  await assert.rejects(appended(store, 'reading-1', [reading()]), { code: 'store-unavailable' })
  const anew = await postgresEventStore({ appUrl })
  assert.equal((await anew.head())?.position, 100n)
  await anew.close()
  await close()
})

test('a server that was away under load: memory stays bounded, everything is taken up again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bioledger-outage-'))
  await chmod(folder, 0o755)
  after(() => rm(folder, { recursive: true, force: true }))
  let server: EmbeddedPostgres = await startEmbeddedPostgres({ folder: join(folder, 'postgres') })
  await server.createDatabase('bioledger')
  await migrateEventStore({ adminUrl: server.adminUrl() })
  const door = await openDoor(() => server.port)
  const appUrl = new URL(server.appUrl())
  appUrl.port = String(door.port)
  const store = await postgresEventStore({ appUrl: appUrl.toString(), queueLimitEvents: 500 })
  const end = new AbortController()
  const seen: string[] = []
  const following = (async () => {
    for await (const page of store.subscribe({ signal: end.signal })) seen.push(...idsOf(page.events))
  })()
  try {
    const writers = startWriters(store, 5)
    await until('the load runs', () => writers.written() > 100)
    await server.stop()
    const before = writers.written()
    const refusals = await Promise.all(
      Array.from({ length: 200 }, () =>
        store.append([{ stream: 'reading-x', expectedRevision: 'any', events: readings(10) }]).then(
          () => 'taken',
          (error: { code: string }) => error.code,
        ),
      ),
    )
    assert.ok(refusals.includes('store-overloaded'), 'the queue is bounded while nothing moves')
    assert.ok(refusals.every((code) => code === 'store-overloaded' || code === 'store-unavailable'))
    await assert.rejects(store.head(), { code: 'store-unavailable' })
    server = await startEmbeddedPostgres({ folder: join(folder, 'postgres') })
    await until('the load goes on', () => writers.written() > before + 100)
    const { retries, written } = await writers.stop()
    assert.ok(retries > 0)
    await assertWhole(store, written)
    const all = idsOf(eventsOf(await collect(store.readAll())))
    await until('everything is seen', () => seen.length >= all.length)
    end.abort()
    await following
    assert.deepEqual(seen, all)
  } finally {
    end.abort()
    await store.close()
    await server.stop()
    await door.close()
  }
})

/** An address that stays the same while the server behind it stops and starts on another port. */
async function openDoor(port: () => number): Promise<{ readonly port: number; close(): Promise<void> }> {
  const door = createServer((visitor) => {
    const inside = connect(port(), '127.0.0.1')
    for (const [one, other] of [
      [visitor, inside],
      [inside, visitor],
    ] as const) {
      one.on('error', () => other.destroy())
      one.on('close', () => other.destroy())
      one.pipe(other)
    }
  })
  await new Promise<void>((settle) => door.listen(0, '127.0.0.1', settle))
  const address = door.address()
  if (address === null || typeof address === 'string') throw new Error('no address')
  return { port: address.port, close: () => new Promise((settle) => door.close(() => settle())) }
}
