/** What ingest does when the store, the accounting or a second ingest get in its way; always with the real ones behind. */

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import {
  type EventStore,
  StoreOverloadedError,
  StoreUnavailableError,
} from '../infra/event-store/event-store.ts'
import { startEmbeddedBroker } from '../infra/mqtt/embedded-broker.ts'
import type { Deliver, MessageSource } from '../infra/mqtt/message-source.ts'
import { until } from '../infra/testing/until.ts'
import { sensorTopic } from '../schemas/mqtt.ts'
import { idleStream } from './lifecycle.ts'
import { startIngest } from './service.ts'
import { balanceOf, batchEvent, bench, eventsOf, ofType, quietLog } from './testing/running-ingest.ts'

const world = await bench()
after(() => world.close())

const day = Date.UTC(2026, 10, 18, 8)
const iso = (ms: number) => new Date(ms).toISOString()

/** A source without a network: hands over what the test wants to hand over. */
function directSource() {
  let deliver: Deliver | undefined
  const source: MessageSource = {
    start: async (taker) => {
      deliver = taker
    },
    isConnected: () => true,
    pause: () => {},
    stop: async () => {},
  }
  const send = (topic: string, payload: unknown, facts: { dup?: boolean; receivedAtMs?: number } = {}) => {
    assert.ok(deliver)
    return deliver({
      topic,
      payload: Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)),
      dup: facts.dup ?? false,
      retained: false,
      receivedAtMs: facts.receivedAtMs ?? Date.now(),
    })
  }
  return { source, send }
}

const withAppend = (append: EventStore['append']): EventStore => ({ ...world.store, append })

test('appends whose answers are lost, or that are refused for a while, are neither lost nor counted wrongly', async () => {
  let call = 0
  const store = withAppend(async (requests) => {
    call++
    if (call % 5 === 1) throw new StoreUnavailableError('not reached')
    if (call % 5 === 2) throw new StoreOverloadedError(1, 1)
    const outcomes = await world.store.append(requests)
    if (call % 5 === 3) throw new StoreUnavailableError('the answer was lost')
    return outcomes
  })
  const { source, send } = directSource()
  const running = await world.start({ source, store })
  const vessel = 'F-1'
  const sent: Promise<void>[] = []
  for (let seq = 0; seq < 200; seq++)
    sent.push(
      send(sensorTopic(vessel), {
        at: iso(day + seq * 1000),
        seq,
        values: { pH: 5, DO: seq % 10 ? 60 : 'x' },
      }),
    )
  await Promise.all(sent)
  await running.stop()
  const events = await eventsOf(world.store, idleStream(vessel, day))
  const { stated, held, isLast } = balanceOf(events)
  assert.ok(isLast)
  assert.deepEqual(stated, { received: 400, stored: 380, duplicate: 0, quarantined: 20 })
  assert.deepEqual({ ...held, received: 400 }, stated)
  assert.ok(running.ingest.metrics.appendRetries > 0)
})

test('a message is not acknowledged before its append, and ends unacknowledged when ingest is killed before it', async () => {
  let reached: () => void = () => {}
  const appended = new Promise<void>((settle) => {
    reached = settle
  })
  const store = withAppend(() => {
    reached()
    return new Promise(() => {})
  })
  const broker = await startEmbeddedBroker({ port: 0, log: quietLog })
  const running = await world.start({ store, source: broker.source })
  const { connectAsync } = await import('mqtt')
  const client = await connectAsync(broker.url, { reconnectPeriod: 0 })
  let isAcknowledged = false
  const ended = new Promise<void>((settle) => client.once('close', () => settle()))
  client.publish(
    sensorTopic('F-2', 'pH'),
    JSON.stringify({ value: 5, at: iso(day), seq: 1 }),
    { qos: 1 },
    (error) => {
      isAcknowledged = !error
    },
  )
  await appended
  // Another message's way through the broker and back shows that the PUBACK would have had its time.
  await client.publishAsync('plant/other', 'x', { qos: 0 })
  await client.subscribeAsync('plant/other')
  assert.equal(isAcknowledged, false)
  await running.ingest.stop(0)
  await ended
  await client.endAsync(true)
  assert.equal(isAcknowledged, false)
  assert.deepEqual(await eventsOf(world.store, idleStream('F-2', day)), [])
})

test('a store that stands still stops the flow at the bound of readings in memory, and all comes through afterwards', async () => {
  let goOn: () => void = () => {}
  const standstill = new Promise<void>((settle) => {
    goOn = settle
  })
  const store = withAppend(async (requests) => {
    await standstill
    return world.store.append(requests)
  })
  const { source, send } = directSource()
  const running = await world.start({ source, store, readingsInFlight: 50 })
  const sent = Array.from({ length: 100 }, (_, seq) =>
    send(sensorTopic('F-3'), { at: iso(day + seq * 1000), seq, values: { pH: 5, DO: 60 } }),
  )
  let acknowledged = 0
  for (const one of sent) void one.then(() => acknowledged++)
  await until('the bound is reached', () => running.ingest.metrics.messagesInFlight === 100)
  assert.equal(acknowledged, 0)
  goOn()
  await Promise.all(sent)
  await running.stop()
  const events = await eventsOf(world.store, idleStream('F-3', day))
  assert.deepEqual(balanceOf(events).stated, { received: 200, stored: 200, duplicate: 0, quarantined: 0 })
  assert.deepEqual(
    ofType(events, 'SensorReadingRecorded').map(({ source: from }) => from?.seq),
    Array.from({ length: 200 }, (_, index) => Math.floor(index / 2)),
    'in the order of their arrival',
  )
})

test('what was appended but not accounted when the process died is counted at the next start', async () => {
  const { source, send } = directSource()
  const stream = idleStream('F-4', day)
  // The accounting stands still, as if the process had died between the append and the figures.
  const pool = { ...world.pool } as typeof world.pool
  Object.setPrototypeOf(pool, world.pool)
  const query = world.pool.query.bind(world.pool) as (...all: unknown[]) => unknown
  pool.query = ((first: unknown, ...rest: unknown[]) =>
    typeof first === 'object' && first !== null && 'name' in first && first.name === 'ingest-account'
      ? new Promise(() => {})
      : query(first, ...rest)) as typeof pool.query
  const dying = await startIngest({ store: world.store, pool, source, site: 'site-1', log: quietLog })
  let isAcknowledged = false
  const payload = { at: iso(day), seq: 1, values: { pH: 5, DO: 60, OD: 'x' } }
  void send(sensorTopic('F-4'), payload).then(() => {
    isAcknowledged = true
  })
  await until('the readings are in the store', async () => (await eventsOf(world.store, stream)).length === 3)
  assert.equal(isAcknowledged, false)
  await dying.stop(0)
  const next = directSource()
  const running = await world.start({ source: next.source })
  await next.send(sensorTopic('F-4'), payload, { dup: true })
  await running.stop()
  const events = await eventsOf(world.store, stream)
  assert.deepEqual(balanceOf(events).stated, { received: 6, stored: 2, duplicate: 3, quarantined: 1 })
  assert.equal(balanceOf(events).held.stored, 2)
})

test('a second ingest takes over, and the first stops instead of spoiling the figures', async () => {
  const first = directSource()
  let failure: unknown
  const old = await startIngest({
    store: world.store,
    pool: world.pool,
    source: first.source,
    site: 'site-1',
    log: quietLog,
    onFailure: (error) => {
      failure = error
    },
  })
  await first.send(sensorTopic('F-5'), { at: iso(day), seq: 1, values: { pH: 5 } })
  const second = directSource()
  const running = await world.start({ source: second.source })
  let isAcknowledged = false
  void first.send(sensorTopic('F-5'), { at: iso(day + 1000), seq: 2, values: { pH: 5 } }).then(() => {
    isAcknowledged = true
  })
  await until('the first stops', () => failure)
  assert.equal((failure as { code?: string }).code, 'ingest-replaced')
  assert.equal(isAcknowledged, false)
  await old.stop(0)
  await running.stop()
})

test('figures counted for another event store are refused at start', async () => {
  const store = { ...world.store, storeId: randomUUID() }
  await assert.rejects(
    startIngest({ store, pool: world.pool, source: directSource().source, site: 's', log: quietLog }),
    { code: 'store-replaced' },
  )
})

test('gaps, clock steps and late readings of a stream are told apart, also over a restart', async () => {
  const vessel = 'F-6'
  let from = directSource()
  let running = await world.start({ source: from.source })
  const send = (seq: number, second: number) =>
    from.send(sensorTopic(vessel), { at: iso(day + second * 1000), seq, values: { pH: 5 } })
  for (let second = 0; second < 20; second++) await send(second, second)
  await send(30, 30)
  await send(25, 25)
  await running.stop()
  from = directSource()
  running = await world.start({ source: from.source })
  await send(45, 45)
  await send(46, 10)
  await send(47, 11)
  await running.stop()
  const events = await eventsOf(world.store, idleStream(vessel, day))
  assert.deepEqual(
    ofType(events, 'SensorGapClosed').map(({ data }) => [data.from, data.to, data.missing]),
    [
      [iso(day + 19_000), iso(day + 30_000), 10],
      [iso(day + 30_000), iso(day + 45_000), 14],
    ],
  )
  assert.equal(ofType(events, 'SensorGapDetected').length, 2)
  assert.deepEqual(
    ofType(events, 'SourceClockStepped').map(({ data }) => data.stepSeconds),
    [-35],
  )
  const flagged = ofType(events, 'SensorReadingRecorded')
    .filter(({ data }) => (data.flags as string[]).length > 1)
    .map(({ source, data }) => [source?.seq, data.flags])
  assert.deepEqual(flagged, [
    [25, ['late', 'out-of-order']],
    [46, ['clock-stepped', 'late']],
  ])
})

test('a live source that falls silent is on record as a gap while it is silent', async () => {
  const vessel = 'F-7'
  const { source, send } = directSource()
  let nowMs = Date.now()
  const running = await world.start({ source, clock: { nowMs: () => nowMs } })
  const stream = idleStream(vessel, nowMs)
  for (let seq = 0; seq < 10; seq++) {
    nowMs += 1000
    await send(sensorTopic(vessel, 'pH'), { value: 5, at: iso(nowMs), seq }, { receivedAtMs: nowMs })
  }
  nowMs += 6_000
  await until('the gap is on record', async () =>
    (await eventsOf(world.store, stream)).some(({ type }) => type === 'SensorGapDetected'),
  )
  nowMs += 1_000
  await send(sensorTopic(vessel, 'pH'), { value: 5, at: iso(nowMs), seq: 20 }, { receivedAtMs: nowMs })
  await running.stop()
  const events = await eventsOf(world.store, stream)
  assert.equal(ofType(events, 'SensorGapDetected').length, 1)
  assert.deepEqual(
    ofType(events, 'SensorGapClosed').map(({ data }) => data.missing),
    [6],
  )
})

test('a bare number delivered again is stored again, flagged, for nothing says that it is the same', async () => {
  const { source, send } = directSource()
  const running = await world.start({ source })
  await send(sensorTopic('F-8', 'pH'), '5.01')
  await send(sensorTopic('F-8', 'pH'), '5.01', { dup: true })
  await running.stop()
  const events = await eventsOf(world.store, idleStream('F-8', Date.now()))
  assert.deepEqual(
    ofType(events, 'SensorReadingRecorded').map(({ data }) => data.flags),
    [undefined, ['possibly-duplicate']],
  )
})

test('a series keeps the unit of its first reading, also over a restart', async () => {
  const at = (seq: number) => ({ at: iso(day + seq * 1000), seq })
  let from = directSource()
  let running = await world.start({ source: from.source })
  await from.send(sensorTopic('F-9', 'offgas/flow_in'), { value: 60, unit: 'L/h', ...at(1) })
  await running.stop()
  from = directSource()
  running = await world.start({ source: from.source })
  await from.send(sensorTopic('F-9', 'offgas/flow_in'), { value: 1, unit: 'L/min', ...at(2) })
  await from.send(sensorTopic('F-9', 'offgas/flow_in'), { value: 1, ...at(3) })
  await from.send(sensorTopic('F-9', 'offgas/flow_in'), { value: 61, unit: 'L/h', ...at(4) })
  await running.stop()
  const events = await eventsOf(world.store, idleStream('F-9', day))
  assert.deepEqual(
    ofType(events, 'SensorReadingRecorded').map(({ data }) => [data.value, data.unit]),
    [
      [60, 'L/h'],
      [61, 'L/h'],
    ],
  )
  assert.deepEqual(
    ofType(events, 'ReadingQuarantined').map(({ data }) => data.reason),
    ['wrong-unit', 'wrong-unit'],
  )
})

test('a batch that ended while ingest was down gets its seal at the next start, and only once', async () => {
  const batchId = randomUUID()
  const stream = `reading-${batchId}`
  let from = directSource()
  let running = await world.start({ source: from.source })
  await batchEvent(world.store, 'BatchCreated', { batchId, vessel: 'F-10', atMs: day })
  await from.send(sensorTopic('F-10'), { at: iso(day), seq: 1, values: { pH: 5 } })
  await running.stop()
  await batchEvent(world.store, 'BatchAborted', { batchId, vessel: 'F-10', atMs: day + 5_000 })
  for (let start = 0; start < 2; start++) {
    from = directSource()
    running = await world.start({ source: from.source })
    await until(
      'the seal is there',
      async () => (await eventsOf(world.store, stream)).at(-1)?.type === 'StreamSealed',
    )
    await running.stop()
  }
  const events = await eventsOf(world.store, stream)
  assert.equal(ofType(events, 'StreamSealed').length, 1)
  assert.equal(events.at(-1)?.data.count, events.length - 1)
})

test('a message of the largest size with nothing but bad values is quarantined value by value, within one append', async () => {
  const { source, send } = directSource()
  const running = await world.start({ source })
  const values = Object.fromEntries(
    Array.from({ length: 256 }, (_, index) => [`x${index}`.padEnd(200, 'y'), 1]),
  )
  await send(sensorTopic('F-11'), { at: iso(day), seq: 1, values })
  await running.stop()
  const events = await eventsOf(world.store, idleStream('F-11', day))
  assert.deepEqual(balanceOf(events).stated, { received: 256, stored: 0, duplicate: 0, quarantined: 256 })
})

test('a stream that was not heard of for a while is let go, and picked up again with its figures', async () => {
  const { source, send } = directSource()
  let nowMs = Date.now()
  const running = await world.start({ source, clock: { nowMs: () => nowMs } })
  const stream = idleStream('F-12', day)
  const message = (seq: number) =>
    send(sensorTopic('F-12'), { at: iso(day + seq * 1000), seq, values: { pH: 5 } })
  await message(1)
  nowMs += 1_000
  await until('the figures are stated', async () => balanceOf(await eventsOf(world.store, stream)).isLast)
  nowMs += 6 * 60_000
  await until('the stream is let go', async () => {
    const { rows } = await world.pool.query('SELECT is_open FROM ingest.stream WHERE stream = $1', [stream])
    return rows[0]?.is_open === false && running.ingest.metrics.openStreams === 0
  })
  await message(2)
  await message(1)
  const { rows } = await world.pool.query('SELECT is_open FROM ingest.stream WHERE stream = $1', [stream])
  assert.equal(rows[0]?.is_open, true)
  await running.stop()
  const events = await eventsOf(world.store, stream)
  assert.deepEqual(balanceOf(events).stated, { received: 3, stored: 2, duplicate: 1, quarantined: 0 })
})
