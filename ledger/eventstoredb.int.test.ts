import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { systemClock } from '../infra/clock.ts'
import { openStore } from '../infra/event-store/eventstoredb/testing/open-store.ts'
import { readings, typed } from '../infra/event-store/testing/sample-events.ts'
import { createLogger } from '../infra/log.ts'
import { until } from '../infra/testing/until.ts'
import { buildLeaf } from './leaf/leaf.ts'
import { leafHash } from './log/tree-hash.ts'
import { startLedger } from './service.ts'
import { migrateLedger, openLedger } from './storage/database.ts'
import { postgresLogReader } from './storage/postgres-log-reader.ts'

test('a store whose positions have gaps is sealed like any other: index, position and salted leaves agree', async () => {
  const { store, database } = await openStore()
  await migrateLedger(database.adminUrl)
  const folder = await mkdtemp(join(tmpdir(), 'bioledger-ledger-'))
  after(() => rm(folder, { recursive: true, force: true }))
  const pool = openLedger(database.appUrl, { name: 'ledger-test', max: 6 })
  const reader = postgresLogReader(pool)
  for (let round = 0; round < 4; round++)
    await store.append([
      { stream: 'reading-b1', expectedRevision: 'any', events: readings(90) },
      { stream: 'batch-b1', expectedRevision: 'any', events: [typed()] },
      { stream: 'reading-b2', expectedRevision: 'any', events: readings(40) },
    ])
  const ledger = startLedger({
    store,
    pool,
    folder,
    log: createLogger('silent'),
    clock: systemClock,
    site: 'site-1',
    originPrefix: 'ledger.example/site-1',
    cadenceMs: 20,
    raiseAlarm: async (finding) => assert.fail(finding),
  })
  try {
    const end = await store.head()
    const head = await until('a checkpoint covers the store', async () => {
      const published = await reader.head()
      return published && end && published.position >= end.position && published
    })
    const origin = (await reader.origin()) as string
    const previous = new Map<string, Buffer>()
    let index = 0n
    let gaps = 0
    let lastPosition = -1n
    for await (const page of store.readAll({ until: head.position })) {
      const salts = await store.saltsOf(page.events)
      for (const event of page.events) {
        for await (const { leaf } of reader.entries(index, index + 1n)) {
          const prev = previous.get(event.stream) ?? null
          assert.deepEqual(leaf, buildLeaf(event, salts.get(event.id), prev, origin))
          previous.set(event.stream, leafHash(leaf))
        }
        assert.equal(await reader.positionOf(index), event.position)
        assert.equal(await reader.indexOf(event.position), index)
        if (event.position !== lastPosition + 1n) gaps++
        lastPosition = event.position
        index++
      }
    }
    assert.equal(index, head.size)
    assert.ok(gaps > 100, `only ${gaps} gaps between positions`)
  } finally {
    await ledger.stop()
    await pool.end()
  }
})
