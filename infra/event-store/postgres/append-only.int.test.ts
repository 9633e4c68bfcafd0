/** What is recorded stays: by trigger, by role, and by what the functions themselves refuse. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { type TestDatabase, testDatabase } from '../../postgres/testing/test-database.ts'
import type { EventStore } from '../event-store.ts'
import { appended, readStream } from '../testing/contract-store.ts'
import { alarm, freshId, reading, seal, typed } from '../testing/sample-events.ts'
import { migrateEventStore, postgresEventStore } from './postgres-event-store.ts'

const opening = testDatabase()
let database: TestDatabase
let store: EventStore
let admin: pg.Client
let app: pg.Client

before(async () => {
  database = await opening
  await migrateEventStore({ adminUrl: database.adminUrl })
  store = await postgresEventStore({ appUrl: database.appUrl })
  admin = new pg.Client({ connectionString: database.adminUrl })
  app = new pg.Client({ connectionString: database.appUrl })
  // The server may be stopped before we have said goodbye.
  for (const client of [admin, app]) {
    client.on('error', () => {})
    await client.connect()
  }
  await appended(store, 'batch-1', [reading(), typed(), alarm(), reading({ correlationId: freshId() })])
})

after(async () => {
  await app.end()
  await admin.end()
  await store.close()
})

const changes = ['event', 'template', 'commit', 'store'].flatMap((table) => [
  `UPDATE event_store.${table} SET ${{ event: 'revision = 9', template: "content = '{}'", commit: 'last_position = 9', store: 'store_id = gen_random_uuid()' }[table]}`,
  `DELETE FROM event_store.${table}`,
  `TRUNCATE event_store.${table}`,
])
const removals = ['stream', 'head'].flatMap((table) => [
  `DELETE FROM event_store.${table}`,
  `TRUNCATE event_store.${table}`,
])

for (const change of [...changes, ...removals]) {
  test(`even a superuser is refused, in a replication session too: ${change}`, async () => {
    for (const role of ['origin', 'replica', 'local']) {
      await admin.query(`SET session_replication_role = ${role}`)
      await assert.rejects(admin.query(change), /refused: what is recorded is never changed/)
      await admin.query('RESET session_replication_role')
    }
  })

  test(`the owner is refused: ${change}`, async () => {
    await admin.query('SET ROLE bioledger_owner')
    await assert.rejects(admin.query(change), /refused: what is recorded is never changed/)
    await admin.query('RESET ROLE')
  })

  test(`the product's role may not even try: ${change}`, async () => {
    await assert.rejects(app.query(change), /permission denied/)
  })
}

test("the product's role can write no table and make or replace nothing", async () => {
  for (const statement of [
    "INSERT INTO event_store.template (content) VALUES ('{}')",
    'INSERT INTO event_store.commit VALUES (99, 99, now())',
    'UPDATE event_store.head SET position = 0',
    'UPDATE event_store.stream SET revision = 0',
    'CREATE TABLE event_store.mischief (id int)',
    'CREATE OR REPLACE FUNCTION event_store.lock_appends() RETURNS void LANGUAGE sql AS $$ $$',
    'ALTER TABLE event_store.event DISABLE TRIGGER refuse_change',
    'DROP TRIGGER refuse_change ON event_store.event',
    'DROP TABLE event_store.event',
  ])
    await assert.rejects(app.query(statement), /permission denied|must be owner/, statement)
})

test("everything belongs to a role that is neither the product's nor a superuser", async () => {
  const { rows } = await admin.query(
    `SELECT DISTINCT rolname, rolsuper FROM pg_class JOIN pg_roles ON pg_roles.oid = relowner
     WHERE relnamespace = 'event_store'::regnamespace
     UNION SELECT rolname, rolsuper FROM pg_proc JOIN pg_roles ON pg_roles.oid = proowner
     WHERE pronamespace = 'event_store'::regnamespace`,
  )
  assert.deepEqual(rows, [{ rolname: 'bioledger_owner', rolsuper: false }])
})

test('a flush that numbers its events with holes is refused whole', async () => {
  const flush = (
    order: readonly number[],
    nth: readonly number[],
    streams: readonly string[] = ['batch-2'],
  ) => {
    const none: never[] = []
    return app.query(
      'SELECT event_store.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)',
      [
        streams,
        streams.map(() => null),
        ...[none, none, none, none, none, none, none, none, none, none, none],
        order,
        order.map(() => 1),
        nth,
        order.map(() => freshId()),
        order.map(() => 'AlarmRaised'),
        order.map(() => '{}'),
        order.map(() => null),
        order.map(() => null),
      ],
    )
  }
  const before = await store.head()
  for (const [order, nth, streams] of [
    [
      [1, 3],
      [1, 2],
    ],
    [
      [1, 2],
      [1, 3],
    ],
    [
      [1, 2],
      [2, 3],
    ],
    [
      [2, 3],
      [1, 2],
    ],
    [[1], [1], ['batch-2', 'batch-3']],
  ] as const)
    await assert.rejects(flush(order, nth, streams), /with holes/)
  await assert.rejects(flush([1, 2], [1, 1]), /duplicate key|with holes/)
  await assert.rejects(flush([1, 1], [1, 2]), /duplicate key|with holes/)
  assert.deepEqual(await store.head(), before)
  assert.deepEqual(await readStream(store, 'batch-2'), [])
})

test('a reading of the usual shape lies in typed columns, anything else as its canonical bytes', async () => {
  const { rows } = await admin.query(
    `SELECT template_id IS NOT NULL AS typed, content IS NOT NULL AS text, length(salt) AS salt
     FROM event_store.event WHERE stream_key = (SELECT stream_key FROM event_store.stream WHERE name = 'batch-1')
     ORDER BY revision`,
  )
  assert.deepEqual(rows, [
    { typed: true, text: false, salt: null },
    { typed: false, text: true, salt: 32 },
    { typed: false, text: true, salt: null },
    { typed: false, text: true, salt: null },
  ])
})

test('a stream that was sealed in one commit stays sealed for another process', async () => {
  await appended(store, 'reading-9', [reading(), seal(1)])
  const other = await postgresEventStore({ appUrl: database.appUrl })
  const [outcome] = await other.append([
    { stream: 'reading-9', expectedRevision: 'any', events: [reading()] },
  ])
  assert.equal(outcome?.kind, 'sealed')
  await other.close()
})

test('a database without an event store says so', async () => {
  const { appUrl } = await testDatabase()
  await assert.rejects(postgresEventStore({ appUrl }), { code: 'store-unavailable' })
})

test('databases of one server are migrated at the same time, and again without effect', async () => {
  const databases = await Promise.all([testDatabase(), testDatabase(), testDatabase(), testDatabase()])
  await Promise.all(
    databases.flatMap(({ adminUrl }) => [migrateEventStore({ adminUrl }), migrateEventStore({ adminUrl })]),
  )
  const identities = await Promise.all(
    databases.map(async ({ adminUrl, appUrl }) => {
      await migrateEventStore({ adminUrl })
      const opened = await postgresEventStore({ appUrl })
      await appended(opened, 'batch-1', [alarm()])
      await opened.close()
      return opened.storeId
    }),
  )
  assert.equal(new Set(identities).size, databases.length)
})

test('migrations run as the owner, who may make no roles, and give the same store', async () => {
  const { name, adminUrl, appUrl } = await testDatabase()
  await admin.query(`ALTER DATABASE ${name} OWNER TO bioledger_owner`)
  const ownerUrl = new URL(adminUrl)
  ownerUrl.searchParams.set('options', '-c role=bioledger_owner')
  await migrateEventStore({ adminUrl: ownerUrl.toString() })
  await migrateEventStore({ adminUrl: ownerUrl.toString() })
  const opened = await postgresEventStore({ appUrl })
  await appended(opened, 'batch-1', [reading(), typed()])
  assert.equal((await readStream(opened, 'batch-1')).length, 2)
  await opened.close()
})
