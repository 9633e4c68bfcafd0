/** Time stamping end to end: real `openssl ts` authorities, real Postgres, real event store. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, afterEach, before, test } from 'node:test'
import type { EventStore } from '../../infra/event-store/event-store.ts'
import {
  migrateEventStore,
  postgresEventStore,
} from '../../infra/event-store/postgres/postgres-event-store.ts'
import { createLogger } from '../../infra/log.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import { testDatabase } from '../../infra/postgres/testing/test-database.ts'
import { skipUnless } from '../../infra/toolchain/require.ts'
import type { RecordedEvent } from '../../schemas/event.ts'
import { streams } from '../../schemas/streams.ts'
import { migrateLedger, openLedger } from '../storage/database.ts'
import { httpTimeStampAuthority } from './authority.ts'
import { postgresTimeStamps, type TimeStamps } from './stamped.ts'
import { type OpensslAuthority, opensslMissing, startOpensslAuthority } from './testing/openssl-authority.ts'
import { startTimeStamping, type TimeStampingDeps } from './time-stamping.ts'
import { verifyTimeStamp } from './token.ts'

const missing = opensslMissing()
const skip = skipUnless('openssl', missing === undefined, missing ?? '')
let authority: OpensslAuthority
let pool: Pool
let store: EventStore
let timeStamps: TimeStamps

before(async () => {
  if (missing !== undefined) return
  const database = await testDatabase()
  await migrateEventStore({ adminUrl: database.adminUrl })
  await migrateLedger(database.adminUrl)
  pool = openLedger(database.appUrl, { name: 'time-stamp-test', max: 2 })
  store = await postgresEventStore({ appUrl: database.appUrl })
  timeStamps = postgresTimeStamps(pool)
  authority = await startOpensslAuthority()
})
after(async () => {
  await authority?.stop()
  await store?.close()
  await pool?.end()
})

const textOf = (size: bigint) =>
  `ledger.example/site\n${size}\n${Buffer.alloc(32, Number(size)).toString('base64')}\n`

const started: ReturnType<typeof startTimeStamping>[] = []
// Also when a test failed half-way.
afterEach(async () => {
  for (const stamping of started.splice(0)) await stamping.stop()
})

function start(changes: Partial<TimeStampingDeps> & { size?: () => bigint }) {
  const stamping = startTimeStamping({
    authorities: [httpTimeStampAuthority({ url: authority.url, trusted: authority.root })],
    everyMs: 10,
    retryMs: 10,
    maximumGapMs: 3_600_000,
    timeStamps,
    store,
    site: 'site-1',
    nowMs: () => Date.now(),
    log: createLogger('silent'),
    published: async () => {
      const size = changes.size?.() ?? 1n
      return { size, text: textOf(size) }
    },
    hasNews: async () => true,
    ...changes,
  })
  started.push(stamping)
  return stamping
}

async function loggedStamps(): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = []
  for await (const event of store.readStream(streams.ledgerTimeStamps)) events.push(event)
  return events
}

test('each checkpoint is stamped once, kept with its chain, and logged as an event that names the answer by its hash', {
  skip,
}, async () => {
  let size = 5n
  const stamping = start({ size: () => size })
  try {
    await until(async () => (await loggedStamps()).length === 1)
    size = 9n
    await until(async () => (await loggedStamps()).length === 2)
    const asked = authority.requests.length
    await until(async () => (await timeStamps.unlogged()).length === 0)
    assert.equal(authority.requests.length, asked, 'nothing new, nothing asked')
  } finally {
    await stamping.stop()
  }
  const kept = await timeStamps.timeStampsFor(5n)
  assert.deepEqual(
    kept.map(({ size: stamped }) => stamped),
    [5n, 9n],
  )
  assert.deepEqual(
    (await timeStamps.timeStampsFor(6n)).map(({ size: stamped }) => stamped),
    [9n],
  )
  const events = await loggedStamps()
  for (const [at, stamped] of kept.entries()) {
    const verified = await verifyTimeStamp(stamped.response, {
      data: Buffer.from(textOf(stamped.size)),
      trusted: authority.root,
    })
    assert.equal(verified.chain, stamped.chain)
    assert.equal(events[at]?.id, stamped.eventId)
    assert.deepEqual(events[at]?.data, {
      size: String(stamped.size),
      imprint: createHash('sha256').update(textOf(stamped.size)).digest('base64'),
      tokenSha256: createHash('sha256').update(stamped.response).digest('base64'),
      authority: authority.url,
      stampedAt: new Date(verified.stampedAtMs).toISOString(),
    })
  }
})

test('a stamp that was kept before a crash gets its one event afterwards', { skip }, async () => {
  const before = (await loggedStamps()).length
  const failing: EventStore = {
    ...store,
    append: () => Promise.reject(new Error('the process died here')),
  }
  const dying = start({ size: () => 20n, store: failing })
  await until(async () => (await timeStamps.unlogged()).length === 1)
  await dying.stop()
  assert.equal((await loggedStamps()).length, before)
  for (let again = 0; again < 2; again++) {
    const stamping = start({ size: () => 20n })
    await until(async () => (await timeStamps.unlogged()).length === 0)
    await stamping.stop()
  }
  assert.equal((await loggedStamps()).length, before + 1)
})

test('a log that grew only by time stamps is not stamped again, so an idle log does not grow', {
  skip,
}, async () => {
  const asked: [bigint, bigint][] = []
  const before = authority.requests.length
  const stamping = start({
    size: () => 22n,
    hasNews: async (from, to) => {
      asked.push([from, to])
      return false
    },
  })
  await until(() => asked.length > 2)
  await stamping.stop()
  assert.deepEqual(asked[0], [20n, 22n])
  assert.equal(authority.requests.length, before)
})

test('one authority away is told and harmless while the other stamps; all away for longer than the bound is not ready', {
  skip,
}, async () => {
  let clockMs = Date.now()
  let isDown = true
  const flaky = await startOpensslAuthority({
    answer: async (_request, reply) => (isDown ? 503 : await reply()),
  })
  const gone = httpTimeStampAuthority({ url: flaky.url, trusted: flaky.root })
  let size = 30n
  try {
    const both = start({
      size: () => size,
      nowMs: () => clockMs,
      authorities: [gone, httpTimeStampAuthority({ url: authority.url, trusted: authority.root })],
    })
    await until(async () => (await timeStamps.timeStampsFor(30n)).length === 1)
    await until(async () => (await both.readiness()).detail !== undefined)
    await until(async () => (await timeStamps.unlogged()).length === 0)
    clockMs += 2 * 3_600_000
    // The one that stamps is enough, although the other has not for two hours.
    await until(async () => {
      const { ok, detail } = await both.readiness()
      return ok && detail?.startsWith(`${flaky.url}: `) === true && detail.includes('503')
    })
    await both.stop()

    size = 31n
    const alone = start({ size: () => size, nowMs: () => clockMs, authorities: [gone] })
    await until(async () => (await alone.readiness()).detail !== undefined)
    assert.equal((await alone.readiness()).ok, true)
    clockMs += 2 * 3_600_000
    assert.match((await alone.readiness()).detail ?? '', /^no time stamp for more than 1 h; .*503/)
    assert.equal((await alone.readiness()).ok, false)
    isDown = false
    await until(async () => (await alone.readiness()).ok)
    await alone.stop()
    assert.equal((await timeStamps.timeStampsFor(31n)).length, 1)
  } finally {
    await flaky.stop()
  }
})

test('a token that does not verify is neither kept nor logged', { skip }, async () => {
  const before = (await loggedStamps()).length
  const stranger = await startOpensslAuthority()
  try {
    const stamping = start({
      size: () => 40n,
      authorities: [httpTimeStampAuthority({ url: stranger.url, trusted: authority.root })],
    })
    await until(async () => (await stamping.readiness()).detail?.includes('certificate') ?? false)
    await stamping.stop()
  } finally {
    await stranger.stop()
  }
  assert.deepEqual(await timeStamps.timeStampsFor(40n), [])
  assert.equal((await loggedStamps()).length, before)
})

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('not within 30 s')
    await new Promise((settle) => setTimeout(settle, 10))
  }
}
