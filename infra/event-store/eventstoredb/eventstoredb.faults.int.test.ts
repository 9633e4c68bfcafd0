/**
 * What goes wrong between the adapter and its server, played by the stand-in: it shows what the adapter does about
 * such faults, and is no evidence about EventStoreDB.
 */

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { test } from 'node:test'
import pg from 'pg'
import type { RecordedEvent } from '../../../schemas/event.ts'
import { testDatabase } from '../../postgres/testing/test-database.ts'
import { until } from '../../testing/until.ts'
import { StoreReplacedError } from '../checkpoint.ts'
import type { AppendOutcome, EventStore } from '../event-store.ts'
import { StoreUnavailableError } from '../event-store.ts'
import { indexDatabase, openStore, sample, samples, temporaryFile } from './testing/open-store.ts'
import { startEventStoreDbStandIn } from './testing/stand-in-server.ts'

const stream = 'reading-b1'

async function readAll(store: EventStore): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = []
  for await (const page of store.readAll()) events.push(...page.events)
  return events
}

async function readStream(store: EventStore, name: string): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = []
  for await (const event of store.readStream(name)) events.push(event)
  return events
}

const ids = (events: readonly { id: string }[]) => events.map((event) => event.id)

async function appendOne(
  store: EventStore,
  request: Parameters<EventStore['append']>[0][number],
): Promise<AppendOutcome> {
  const [outcome] = await store.append([request])
  assert.ok(outcome)
  return outcome
}

/** As the port asks of its callers: sent again while the outcome is unknown. */
const appendAtLast = (
  store: EventStore,
  request: Parameters<EventStore['append']>[0][number],
): Promise<AppendOutcome> =>
  until(`an answer to an append to ${request.stream}`, () =>
    appendOne(store, request).catch((error: unknown) => {
      if (error instanceof StoreUnavailableError) return undefined
      throw error
    }),
  )

/** What a stand-in has stored in a stream. */
const storedIn = (records: readonly { stream: string; id: string }[], name: string) =>
  ids(records.filter((record) => record.stream === name))

test('an append whose acknowledgement is lost is stored once and answered as appended', async () => {
  const { store, standIn } = await openStore()
  const events = samples(3)
  standIn.loseAcknowledgements(2)
  const outcome = await appendOne(store, { stream, expectedRevision: 'noStream', events })
  assert.equal(outcome.kind, 'appended')
  assert.deepEqual(storedIn(standIn.records(), stream), ids(events))
})

test('an append that is never answered is found in the store at its own deadline', async () => {
  const { store, standIn } = await openStore({ appendTimeoutMs: 200, appendAttempts: 2 })
  const events = samples(3)
  standIn.neverAnswer(10)
  const outcome = await appendOne(store, { stream, expectedRevision: 'any', events })
  assert.equal(outcome.kind, 'appended')
  assert.deepEqual(storedIn(standIn.records(), stream), ids(events))
})

test('while the outcome cannot be known the caller hears so, and its retry is a duplicate', async () => {
  const { store, standIn } = await openStore({
    appendTimeoutMs: 200,
    readTimeoutMs: 200,
    appendAttempts: 2,
  })
  const before = sample()
  await appendAtLast(store, { stream, expectedRevision: 'noStream', events: [before] })
  const events = samples(2)
  standIn.freeze()
  await assert.rejects(
    store.append([{ stream, expectedRevision: 0n, events }]),
    (error) => error instanceof StoreUnavailableError,
  )
  standIn.thaw()
  await until('the late append arrives', () => storedIn(standIn.records(), stream).length === 3)
  const outcome = await appendAtLast(store, { stream, expectedRevision: 0n, events })
  assert.equal(outcome.kind, 'duplicate')
  assert.deepEqual(storedIn(standIn.records(), stream), ids([before, ...events]))
})

test('the same id with other content after an unknown outcome is a collision, not a success', async () => {
  const { store, another, standIn } = await openStore()
  const other = await another()
  for (const writer of [store, other])
    await appendOne(writer, { stream: 'batch-0', expectedRevision: 'any', events: samples(1) })
  const original = sample()
  const changed = { ...original, data: { ...original.data, value: 7 } }
  const known = standIn.counts.appends
  // Stored, and not yet in the index: the server takes the second append for the first one's retry.
  standIn.pauseSubscriptions()
  const first = appendOne(store, { stream, expectedRevision: 'noStream', events: [original] })
  await until('the first append arrives', () => standIn.counts.appends === known + 1)
  const second = appendOne(other, { stream, expectedRevision: 'noStream', events: [changed] })
  await until('the second append arrives', () => standIn.counts.appends === known + 2)
  standIn.resumeSubscriptions()
  assert.equal((await first).kind, 'appended')
  assert.deepEqual(await second, { kind: 'id-collision', ids: [original.id] })
  assert.equal(storedIn(standIn.records(), stream).length, 1)
})

test('appends refused while the server restarts are tried again with the same bytes', async () => {
  const { store, standIn } = await openStore()
  const events = samples(2)
  standIn.refuseAppends(2, 14)
  assert.equal((await appendOne(store, { stream, expectedRevision: 'noStream', events })).kind, 'appended')
  assert.deepEqual(storedIn(standIn.records(), stream), ids(events))
})

test('a subscriber receives appends of 300 events once and in order, however often the server drops it', async () => {
  const { store, standIn } = await openStore({ recentEvents: 500 })
  const received: RecordedEvent[] = []
  const done = new AbortController()
  const subscriber = (async () => {
    for await (const page of store.subscribe({ signal: done.signal, pageSize: 100 }))
      received.push(...page.events)
  })()
  const sent: string[] = []
  for (let round = 0; round < 10; round++) {
    const events = samples(300)
    sent.push(...ids(events))
    const expectedRevision = round === 0 ? 'noStream' : BigInt(round * 300 - 1)
    assert.equal((await appendOne(store, { stream, expectedRevision, events })).kind, 'appended')
    if (round % 3 === 2) standIn.dropSubscriptions(10)
    if (round === 5) standIn.dropSubscriptions(14)
  }
  await until(`${sent.length} events`, () => received.length >= sent.length)
  done.abort()
  await subscriber
  assert.deepEqual(ids(received), sent)
  assert.ok(standIn.counts.dropped > 0, 'the server dropped at least one live subscription')
  for (const [at, event] of received.entries()) {
    assert.equal(event.revision, BigInt(at))
    if (at > 0) assert.ok(event.position > received[at - 1]!.position)
  }
})

test('a subscription that falls silent without an error is given up for a new one', async () => {
  const { store, standIn } = await openStore()
  await appendOne(store, { stream, expectedRevision: 'any', events: samples(1) })
  standIn.muteSubscriptions()
  const events = samples(2)
  assert.equal((await appendOne(store, { stream, expectedRevision: 0n, events })).kind, 'appended')
})

test('a slow subscriber that memory no longer reaches reads on from the log without loss', async () => {
  const { store } = await openStore({ recentEvents: 50 })
  const first = samples(10)
  await appendOne(store, { stream, expectedRevision: 'noStream', events: first })
  const done = new AbortController()
  const received: RecordedEvent[] = []
  const sent = ids(first)
  for await (const page of store.subscribe({ signal: done.signal, pageSize: 7 })) {
    received.push(...page.events)
    if (sent.length < 510) {
      const events = samples(100)
      await appendOne(store, { stream, expectedRevision: 'streamExists', events })
      sent.push(...ids(events))
    }
    if (received.length >= sent.length) done.abort()
  }
  assert.deepEqual(ids(received), sent)
})

test('a filtered read over dropped subscriptions gives every match once', async () => {
  const { store, standIn } = await openStore()
  const wanted: string[] = []
  for (let round = 0; round < 6; round++) {
    await appendOne(store, { stream, expectedRevision: 'any', events: samples(200) })
    const events = samples(5)
    wanted.push(...ids(events))
    await appendOne(store, { stream: 'idle-V-01', expectedRevision: 'any', events })
  }
  const got: string[] = []
  const before = standIn.counts.dropped
  standIn.dropSubscriptionsAfter(3)
  for await (const page of store.readAll({ filter: { categories: ['idle'] }, pageSize: 4 }))
    got.push(...ids(page.events))
  assert.deepEqual(got, wanted)
  assert.ok(standIn.counts.dropped - before >= 9, 'dropped after every third event')
  standIn.dropSubscriptionsAfter(Number.POSITIVE_INFINITY)
  await until('only the follower stays subscribed', () => standIn.counts.openSubscriptions === 1)
})

test('a server killed in the middle of an append comes back with each event stored once', async () => {
  const file = await temporaryFile()
  const first = await startEventStoreDbStandIn({ file })
  const { store, findings } = await openStore({ standIn: first, appendAttempts: 10 })
  const sent: string[] = []
  const append = async (round: number) => {
    const events = samples(20)
    sent.push(...ids(events))
    const expectedRevision = round === 0 ? 'noStream' : BigInt(round * 20 - 1)
    return await appendOne(store, { stream, expectedRevision, events })
  }
  for (let round = 0; round < 3; round++) assert.equal((await append(round)).kind, 'appended')
  first.loseAcknowledgements(1)
  const during = append(3)
  await until('the append is stored', () => storedIn(first.records(), stream).length === 80)
  await first.kill()
  const second = await startEventStoreDbStandIn({ file, port: first.port })
  try {
    assert.equal((await during).kind, 'appended')
    assert.equal((await append(4)).kind, 'appended')
    assert.deepEqual(ids(await readStream(store, stream)), sent)
    assert.deepEqual(ids(await readAll(store)), sent)
    assert.deepEqual(findings, [])
  } finally {
    await store.close()
    await second.kill()
  }
})

test('an event delivered again after both sides restarted is a duplicate, whatever revision is expected', async () => {
  const file = await temporaryFile()
  const first = await startEventStoreDbStandIn({ file })
  const { store, database } = await openStore({ standIn: first })
  const events = samples(3)
  const appended = await appendOne(store, { stream, expectedRevision: 'noStream', events })
  await store.close()
  await first.kill()
  const second = await startEventStoreDbStandIn({ file, port: first.port })
  const again = (await openStore({ standIn: second, database })).store
  try {
    assert.equal(again.storeId, store.storeId)
    for (const expectedRevision of ['any', 'streamExists', 'noStream', 2n, 77n] as const) {
      const redelivered = events.map((event) => ({ ...event, receivedAt: '2026-11-21T10:00:00.000Z' }))
      const outcome = await appendOne(again, { stream, expectedRevision, events: redelivered })
      assert.ok(outcome.kind === 'duplicate' && appended.kind === 'appended')
      assert.deepEqual(outcome.recorded, appended.recorded)
    }
    assert.equal(storedIn(second.records(), stream).length, 3)
  } finally {
    await again.close()
    await second.kill()
  }
})

test('nothing is answered before the index has passed it', async () => {
  const { store, standIn } = await openStore()
  await appendOne(store, { stream: 'batch-0', expectedRevision: 'any', events: samples(1) })
  standIn.pauseSubscriptions()
  const event = sample()
  let answered = false
  const answer = appendOne(store, { stream, expectedRevision: 'noStream', events: [event] }).then(
    (outcome) => {
      answered = true
      return outcome
    },
  )
  await until('the append is stored', () => storedIn(standIn.records(), stream).length === 1)
  const head = await Promise.race([answer, new Promise((settle) => setTimeout(settle, 50, 'waiting'))])
  assert.equal(head, 'waiting')
  assert.equal(answered, false)
  standIn.resumeSubscriptions()
  assert.equal((await answer).kind, 'appended')
})

test('an index that does not follow makes an answer unavailable instead of late for ever', async () => {
  const { store, standIn } = await openStore({ indexTimeoutMs: 200 })
  await appendAtLast(store, { stream: 'batch-0', expectedRevision: 'any', events: samples(1) })
  standIn.pauseSubscriptions()
  const event = sample()
  await assert.rejects(
    store.append([{ stream, expectedRevision: 'noStream', events: [event] }]),
    (error) => error instanceof StoreUnavailableError,
  )
  standIn.resumeSubscriptions()
  const outcome = await appendAtLast(store, { stream, expectedRevision: 'noStream', events: [event] })
  assert.equal(outcome.kind, 'duplicate')
})

test('streams shortened, deleted or opened to others are reported, and their records stay readable', async () => {
  const { store, standIn, findings } = await openStore()
  const events = samples(6)
  for (const name of ['batch-1', 'batch-2', 'batch-3', 'batch-4'])
    await appendOne(store, { stream: name, expectedRevision: 'any', events: samples(2) })
  await appendOne(store, { stream, expectedRevision: 'noStream', events })
  standIn.setStreamMetadata(stream, '{"$tb":4}')
  standIn.setStreamMetadata('batch-1', '{"$maxAge":1,"$maxCount":1}')
  standIn.setStreamMetadata('batch-2', '{"$acl":{"$d":"$all"}}')
  standIn.softDelete('batch-3')
  standIn.tombstone('batch-4')
  standIn.setStreamMetadata('$stats-stand-in', '{"$maxAge":1}')
  await until('six findings', () => findings.length >= 6)
  assert.deepEqual(
    findings.map(({ kind, stream: name }) => [kind, name]),
    [
      ['stream-truncated', stream],
      ['retention-set', 'batch-1'],
      ['retention-set', 'batch-1'],
      ['access-changed', 'batch-2'],
      ['stream-soft-deleted', 'batch-3'],
      ['stream-tombstoned', 'batch-4'],
    ],
  )
  assert.deepEqual(ids(await readStream(store, stream)), ids(events))
  const backwards: RecordedEvent[] = []
  for await (const event of store.readStream(stream, { direction: 'backwards' })) backwards.push(event)
  assert.deepEqual(ids(backwards), ids(events).reverse())
  for (const name of ['batch-1', 'batch-2', 'batch-3', 'batch-4'])
    assert.equal((await readStream(store, name)).length, 2, name)
  await assert.rejects(store.append([{ stream: 'batch-4', expectedRevision: 'any', events: samples(1) }]), {
    code: 'stream-tombstoned',
  })
  const continued = await appendOne(store, { stream: 'batch-3', expectedRevision: 1n, events: samples(1) })
  assert.ok(continued.kind === 'appended' && continued.recorded[0]?.revision === 2n)
  assert.equal((await readStream(store, 'batch-3')).length, 3)
})

test('an id stored twice and an event in another form are reported, and the latter is not given out', async () => {
  const { store, standIn, findings } = await openStore()
  const event = sample()
  await appendOne(store, { stream, expectedRevision: 'noStream', events: [event] })
  const stored = standIn.records().find((record) => record.id === event.id)!
  standIn.appendForeign('batch-x', [stored])
  standIn.appendForeign('batch-y', [{ ...stored, id: sample().id }])
  const unspeakable = sample()
  const text = JSON.stringify(unspeakable).replace('sensor-1', '\\ud800')
  standIn.appendForeign('batch-y', [{ ...stored, id: unspeakable.id, data: Buffer.from(text) }])
  await until('three findings', () => findings.length >= 3)
  assert.deepEqual(
    findings.map((finding) => [finding.kind, finding.stream]),
    [
      ['doubled-id', 'batch-x'],
      ['foreign-event', 'batch-y'],
      ['foreign-event', 'batch-y'],
    ],
  )
  assert.equal(
    (await appendOne(store, { stream, expectedRevision: 0n, events: samples(1) })).kind,
    'appended',
  )
})

test('another writer on the same stream costs a second look, never a lost or doubled event', async () => {
  const { store, another, standIn } = await openStore()
  const other = await another()
  const writers = [store, other]
  const sent: string[] = []
  await Promise.all(
    Array.from({ length: 20 }, async (_, at) => {
      const events = samples(2)
      sent.push(...ids(events))
      const outcome = await appendOne(writers[at % 2]!, { stream, expectedRevision: 'any', events })
      assert.equal(outcome.kind, 'appended')
    }),
  )
  assert.deepEqual(storedIn(standIn.records(), stream).sort(), sent.sort())
  assert.deepEqual(ids(await readAll(store)), ids(await readAll(other)))
})

test('a store reset behind a running product is noticed, and nothing is answered from it', async () => {
  const file = await temporaryFile()
  const first = await startEventStoreDbStandIn({ file })
  const { store } = await openStore({ standIn: first })
  await appendOne(store, { stream, expectedRevision: 'noStream', events: samples(3) })
  await first.kill()
  const empty = await startEventStoreDbStandIn({ port: first.port })
  try {
    await assert.rejects(
      async () => {
        for (;;) {
          await store.append([{ stream, expectedRevision: 'any', events: samples(1) }]).catch((error) => {
            if (!(error instanceof StoreUnavailableError)) throw error
          })
        }
      },
      (error) => error instanceof StoreReplacedError,
    )
  } finally {
    await store.close()
    await empty.kill()
  }
})

test('a store restored to an earlier state is refused at open, naming what it lacks', async () => {
  const file = await temporaryFile()
  const first = await startEventStoreDbStandIn({ file })
  const { store, database } = await openStore({ standIn: first })
  await appendOne(store, { stream, expectedRevision: 'noStream', events: samples(1) })
  const lost = sample()
  await appendOne(store, { stream, expectedRevision: 0n, events: [lost] })
  await store.close()
  const kept = first.records().filter((record) => record.id !== lost.id)
  await first.kill()
  await writeFile(
    file,
    `${JSON.stringify(
      kept.map((record) => ({
        ...record,
        position: String(record.position),
        revision: String(record.revision),
        data: record.data.toString('base64'),
        metadata: record.metadata.toString('base64'),
      })),
    )}\n`,
  )
  const restored = await startEventStoreDbStandIn({ file, port: first.port })
  try {
    await assert.rejects(openStore({ standIn: restored, database }), (error) => {
      assert.ok(error instanceof StoreReplacedError)
      assert.equal(error.checkpoint.eventId, lost.id)
      return true
    })
  } finally {
    await restored.kill()
  }
})

test('an index fed from another store is refused at open', async () => {
  const { store, database } = await openStore()
  const other = await startEventStoreDbStandIn()
  try {
    await assert.rejects(openStore({ standIn: other, database }), (error) => {
      assert.ok(error instanceof StoreReplacedError)
      assert.equal(error.checkpoint.storeId, store.storeId)
      return true
    })
  } finally {
    await other.kill()
  }
})

test('a lost index is built again from the store and answers the same', async () => {
  const { store, standIn } = await openStore()
  const events = samples(50)
  await appendOne(store, { stream, expectedRevision: 'noStream', events: events.slice(0, 20) })
  standIn.setClockOffset(-60_000)
  await appendOne(store, { stream, expectedRevision: 19n, events: events.slice(20) })
  const before = await readAll(store)
  const rebuilt = (await openStore({ standIn, database: await indexDatabase() })).store
  assert.deepEqual(await readAll(rebuilt), before)
  assert.equal((await appendOne(rebuilt, { stream, expectedRevision: 'any', events })).kind, 'duplicate')
})

test('a server clock that steps back never makes a record time step back, in any reading', async () => {
  const { store, standIn, database } = await openStore()
  await appendOne(store, { stream, expectedRevision: 'noStream', events: samples(2) })
  standIn.setClockOffset(-3_600_000)
  await appendOne(store, { stream, expectedRevision: 1n, events: samples(2) })
  await appendOne(store, { stream, expectedRevision: 3n, events: samples(2) })
  standIn.setClockOffset(3_600_000)
  await appendOne(store, { stream, expectedRevision: 5n, events: samples(2) })
  const times = (await readAll(store)).map((event) => event.recordedAt)
  assert.deepEqual(times, [...times].sort())
  assert.equal(times[2], times[1])
  assert.equal(times[5], times[1])
  assert.ok(times[6]! > times[5]!)
  await store.close()
  const reopened = (await openStore({ standIn, database })).store
  assert.deepEqual(
    (await readAll(reopened)).map((event) => event.recordedAt),
    times,
  )
  assert.deepEqual(
    (await readStream(reopened, stream)).map((event) => event.recordedAt),
    times,
  )
  for (const event of await readAll(reopened))
    assert.equal(await reopened.recordedAtOf(event.position), event.recordedAt)
})

test('an instant passes on a quiet store, and the ticks that show it are seen by no reader', async () => {
  const { store, standIn } = await openStore()
  const appended = await appendOne(store, { stream, expectedRevision: 'noStream', events: samples(3) })
  assert.ok(appended.kind === 'appended')
  const last = appended.recorded.at(-1)!
  assert.deepEqual(await store.positionAt(last.recordedAt), { passed: true, position: last.position })
  const ticks = () => storedIn(standIn.records(), 'store-tick').length
  assert.ok(ticks() >= 1)
  const before = ticks()
  assert.equal((await store.positionAt(last.recordedAt)).passed, true)
  assert.equal(ticks(), before, 'a passed instant needs no further tick')
  assert.deepEqual(await store.positionAt('2020-01-01T00:00:00.000Z'), { passed: true, position: undefined })
  const future = new Date(Date.now() + 3_600_000).toISOString()
  assert.equal((await store.positionAt(future)).passed, false)
  assert.equal(ticks(), before, 'no tick makes the future pass')
  assert.equal((await readAll(store)).length, 3)
  assert.deepEqual(await store.head(), { position: last.position, recordedAt: last.recordedAt })
  assert.deepEqual(await readStream(store, 'store-tick'), [])
})

test('many askers about the same instant share a tick', async () => {
  const { store, standIn } = await openStore()
  await appendOne(store, { stream, expectedRevision: 'noStream', events: samples(1) })
  const now = new Date(Date.now()).toISOString()
  await Promise.all(Array.from({ length: 30 }, () => store.positionAt(now)))
  assert.ok(storedIn(standIn.records(), 'store-tick').length <= 2)
})

test('a server that is still starting is waited for at open, one that is not there is an error', async () => {
  const standIn = await startEventStoreDbStandIn()
  standIn.setReady(false)
  const database = await indexDatabase()
  const opening = openStore({ standIn, database })
  await new Promise((settle) => setTimeout(settle, 100))
  standIn.setReady(true)
  const { store } = await opening
  await store.close()
  await standIn.kill()
  await assert.rejects(openStore({ standIn, database, openTimeoutMs: 300, readTimeoutMs: 300 }), (error) => {
    return error instanceof StoreUnavailableError
  })
})

test('closing the store ends its subscriptions without an error', async () => {
  const { store } = await openStore()
  await appendOne(store, { stream, expectedRevision: 'any', events: samples(3) })
  let received = 0
  for await (const page of store.subscribe({ signal: new AbortController().signal })) {
    received += page.events.length
    if (received === 3) void store.close()
  }
  assert.equal(received, 3)
  await assert.rejects(
    store.append([{ stream, expectedRevision: 'any', events: samples(1) }]),
    (error) => error instanceof StoreUnavailableError,
  )
})

test('an index set back behind a running product makes answers unavailable until it is opened again', async () => {
  const { store, another, database } = await openStore()
  const events = samples(2)
  await appendOne(store, { stream, expectedRevision: 'noStream', events })
  const client = new pg.Client({ connectionString: database.adminUrl })
  await client.connect()
  await client.query('TRUNCATE eventstoredb_index.event, eventstoredb_index.stream')
  await client.query('UPDATE eventstoredb_index.progress SET position = -1, recorded_at = to_timestamp(0)')
  await client.end()
  const later = sample()
  await assert.rejects(
    store.append([{ stream, expectedRevision: 1n, events: [later] }]),
    (error) => error instanceof StoreUnavailableError,
  )
  const again = await another()
  assert.equal((await appendOne(again, { stream, expectedRevision: 1n, events: [later] })).kind, 'duplicate')
  assert.deepEqual(ids(await readAll(again)), ids([...events, later]))
})

test('an index whose tables are missing is one clear error at open', async () => {
  const { standIn } = await openStore()
  await assert.rejects(openStore({ standIn, database: await testDatabase() }), /eventstoredb_index/)
})
