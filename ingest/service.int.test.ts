import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { until } from '../infra/testing/until.ts'
import { readingId } from '../schemas/ids.ts'
import { sensorTopic } from '../schemas/mqtt.ts'
import { idleStream } from './lifecycle.ts'
import { balanceOf, batchEvent, bench, eventsOf, ofType } from './testing/running-ingest.ts'

const world = await bench()
after(() => world.close())

const iso = (ms: number) => new Date(ms).toISOString()
let vesselNumber = 0
const newVessel = () => `V-${++vesselNumber}`
const day = Date.UTC(2026, 10, 20, 8)

const balanced = (stream: string) =>
  until(`the balance of ${stream} is stated`, async () => {
    const events = await eventsOf(world.store, stream)
    return balanceOf(events).isLast && events
  })

test('every reading of a many-tag message is one event with the three clocks, source and derived id', async () => {
  const running = await world.start()
  const client = await running.client()
  const vessel = newVessel()
  await client.publishAsync(
    sensorTopic(vessel),
    JSON.stringify({ at: iso(day), seq: 7, values: { pH: 5.01, DO: 64.2 }, origin: 'simulated' }),
    { qos: 1 },
  )
  const events = await eventsOf(world.store, idleStream(vessel, day))
  const readings = ofType(events, 'SensorReadingRecorded')
  assert.deepEqual(
    readings.map(({ data }) => data),
    [
      { vessel, tag: 'pH', value: 5.01, unit: '[pH]', quality: 'good', flags: ['late'] },
      { vessel, tag: 'DO', value: 64.2, unit: '%', quality: 'good', flags: ['late'] },
    ],
  )
  assert.equal(readings[0]?.id, readingId({ vessel, tag: 'pH', atMs: day, seq: 7 }))
  assert.equal(readings[0]?.occurredAt, iso(day))
  assert.equal(readings[0]?.origin, 'simulated')
  assert.deepEqual(readings[0]?.source, { topic: sensorTopic(vessel), seq: 7 })
  await running.stop()
})

test('the PUBACK comes after the append, so that what a sender knows as sent is in the store', async () => {
  const running = await world.start()
  const client = await running.client()
  const vessel = newVessel()
  for (let seq = 0; seq < 20; seq++) {
    await client.publishAsync(
      sensorTopic(vessel, 'pH'),
      JSON.stringify({ value: 5, at: iso(day + seq * 1000), seq }),
      { qos: 1 },
    )
    const id = readingId({ vessel, tag: 'pH', atMs: day + seq * 1000, seq })
    assert.ok(await world.store.readById(id), `reading ${seq} was acknowledged before it was stored`)
  }
  await running.stop()
})

test('a reading redelivered, also after a restart and flagged otherwise now, is stored once and counted as duplicate', async () => {
  const vessel = newVessel()
  const stream = idleStream(vessel, day)
  const send = async (seqs: number[]) => {
    const running = await world.start()
    const client = await running.client()
    for (const seq of seqs)
      await client.publishAsync(
        sensorTopic(vessel),
        JSON.stringify({ at: iso(day + seq * 1000), seq, values: { pH: 5, DO: 60, OD: 3 } }),
        { qos: 1 },
      )
    await running.stop()
  }
  await send([1, 2, 3, 4])
  await send([2, 1, 3, 5, 4])
  const events = await balanced(stream)
  assert.equal(ofType(events, 'SensorReadingRecorded').length, 15)
  assert.deepEqual(balanceOf(events).stated, { received: 27, stored: 15, duplicate: 12, quarantined: 0 })
  assert.equal(ofType(events, 'ReadingQuarantined').length, 0)
})

test('what a replaced ingest still brought in is counted as received, in statements and up to the seal', async () => {
  const vessel = newVessel()
  const batchId = randomUUID()
  const stream = `reading-${batchId}`
  const running = await world.start()
  const client = await running.client()
  const send = (seq: number) =>
    client.publishAsync(
      sensorTopic(vessel, 'pH'),
      JSON.stringify({ value: 5, at: iso(day + seq * 1000), seq }),
      { qos: 1 },
    )
  const bringIn = async (seq: number) => {
    const [first] = await eventsOf(world.store, stream)
    assert.ok(first)
    const { revision: _, position: __, recordedAt: ___, stream: ____, ...event } = first
    const atMs = day + seq * 1000
    await world.store.append([
      {
        stream,
        expectedRevision: 'any',
        events: [
          {
            ...event,
            id: readingId({ vessel, tag: 'pH', atMs, seq }),
            occurredAt: iso(atMs),
            source: { topic: sensorTopic(vessel, 'pH'), seq },
          },
        ],
      },
    ])
  }
  await batchEvent(world.store, 'BatchCreated', { batchId, vessel, atMs: day })
  await send(0)
  await bringIn(1)
  await send(2)
  // The sender of the replaced ingest's reading was never answered and delivers it again.
  await send(1)
  await bringIn(3)
  await batchEvent(world.store, 'BatchAborted', { batchId, vessel, atMs: day + 10_000 })
  const events = await until('the stream is sealed', async () => {
    const found = await eventsOf(world.store, stream)
    return found.at(-1)?.type === 'StreamSealed' && found
  })
  assert.deepEqual(balanceOf(events).stated, { received: 5, stored: 4, duplicate: 1, quarantined: 0 })
  assert.equal(events.at(-1)?.data.count, events.length - 1)
  await running.stop()
})

test('the same id with another value is quarantined as id-collision, the rest of its message is stored', async () => {
  const running = await world.start()
  const client = await running.client()
  const vessel = newVessel()
  const send = (values: Record<string, number>) =>
    client.publishAsync(sensorTopic(vessel), JSON.stringify({ at: iso(day), seq: 1, values }), { qos: 1 })
  await send({ pH: 5, DO: 60 })
  await send({ pH: 5.5, DO: 60, OD: 3 })
  const events = await balanced(idleStream(vessel, day))
  assert.deepEqual(
    ofType(events, 'SensorReadingRecorded').map(({ data }) => data.tag),
    ['pH', 'DO', 'OD'],
  )
  const [quarantined] = ofType(events, 'ReadingQuarantined')
  assert.equal(quarantined?.data.reason, 'id-collision')
  assert.equal(quarantined?.data.field, '/values/pH')
  assert.deepEqual(balanceOf(events).stated, { received: 5, stored: 3, duplicate: 1, quarantined: 1 })
  await running.stop()
})

test('whatever cannot be a reading is quarantined with its bytes and reason, and the balance closes', async () => {
  const running = await world.start()
  const client = await running.client()
  const vessel = newVessel()
  const cases: [string | undefined, string | Buffer, string][] = [
    ['pH', 'abc', 'not-json'],
    ['pH', '', 'not-json'],
    ['pH', 'NaN', 'not-finite'],
    ['pH', '{"value":1e999}', 'not-finite'],
    ['pH', '{"value":"NaN"}', 'not-finite'],
    ['pH', '{"value":"7,2"}', 'not-a-number'],
    ['pH', '{"value":5,"unit":"Cel"}', 'wrong-unit'],
    ['pH', '{"value":5,"at":"2026-02-30T00:00:00Z"}', 'bad-time'],
    ['pH', `{"value":5,"at":"${iso(Date.now() + 3_600_000)}"}`, 'time-in-future'],
    ['pH', '{"value":5,"recordedAt":"2026-01-01T00:00:00Z"}', 'schema'],
    ['pH', Buffer.from([0x22, 0xff, 0xfe, 0x22]), 'not-utf8'],
    ['glucose', '5', 'unknown-tag'],
    ['pH', ' '.repeat(70_000), 'payload-too-large'],
    [undefined, '{"values":{"pH":5}}', 'schema'],
  ]
  for (const [tag, payload] of cases) await client.publishAsync(sensorTopic(vessel, tag), payload, { qos: 1 })
  const events = await balanced(idleStream(vessel, Date.now()))
  const quarantined = ofType(events, 'ReadingQuarantined')
  assert.deepEqual(
    quarantined.map(({ data }) => data.reason),
    cases.map(([, , reason]) => reason),
  )
  assert.equal(Buffer.from(String(quarantined[0]?.data.raw), 'base64').toString(), 'abc')
  const large = quarantined.find(({ data }) => data.reason === 'payload-too-large')
  assert.equal(large?.data.truncated, true)
  assert.equal(large?.data.rawLength, 70_000)
  assert.equal(Buffer.from(String(large?.data.raw), 'base64').length, 16 * 1024)
  assert.deepEqual(balanceOf(events).stated, {
    received: cases.length,
    stored: 0,
    duplicate: 0,
    quarantined: cases.length,
  })
  await running.stop()
})

test('a topic without a possible vessel goes to the shared quarantine stream', async () => {
  const running = await world.start()
  const client = await running.client()
  await client.publishAsync('bioprocess/pichia/no vessel/sensors/pH', '5', { qos: 1 })
  const events = await balanced('quarantine')
  assert.equal(ofType(events, 'ReadingQuarantined')[0]?.data.reason, 'unknown-vessel')
  await running.stop()
})

test('a batch created before a reading is published gets it; readings of other times go to the idle stream', async () => {
  const running = await world.start()
  const client = await running.client()
  for (let round = 0; round < 10; round++) {
    const vessel = newVessel()
    const batchId = randomUUID()
    await batchEvent(world.store, 'BatchCreated', { batchId, vessel, atMs: day })
    for (const [seq, atMs] of [day - 1, day, day + 1000].entries())
      await client.publishAsync(sensorTopic(vessel, 'pH'), JSON.stringify({ value: 5, at: iso(atMs), seq }), {
        qos: 1,
      })
    const readings = ofType(await eventsOf(world.store, `reading-${batchId}`), 'SensorReadingRecorded')
    assert.deepEqual(
      readings.map(({ occurredAt }) => occurredAt),
      [iso(day), iso(day + 1000)],
    )
    assert.equal((await eventsOf(world.store, idleStream(vessel, day - 1)))[0]?.occurredAt, iso(day - 1))
  }
  await running.stop()
})

test('after its end a batch stream gets a last statement and its seal; what comes later is kept, flagged and alarmed', async () => {
  const vessel = newVessel()
  const batchId = randomUUID()
  const stream = `reading-${batchId}`
  let running = await world.start()
  let client = await running.client()
  const send = (seq: number) =>
    client.publishAsync(
      sensorTopic(vessel, 'pH'),
      JSON.stringify({ value: 5, at: iso(day + seq * 1000), seq }),
      { qos: 1 },
    )
  await batchEvent(world.store, 'BatchCreated', { batchId, vessel, atMs: day })
  await send(0)
  await batchEvent(world.store, 'BatchAborted', { batchId, vessel, atMs: day + 10_000 })
  const events = await until('the stream is sealed', async () => {
    const found = await eventsOf(world.store, stream)
    return found.at(-1)?.type === 'StreamSealed' && found
  })
  assert.deepEqual(
    events.map(({ type }) => type),
    [
      'SensorReadingRecorded',
      ...events.slice(1, -2).map(() => 'IngressStated'),
      'IngressStated',
      'StreamSealed',
    ],
  )
  assert.equal(events.at(-1)?.data.count, events.length - 1)
  await send(3)
  await running.stop()
  running = await world.start()
  client = await running.client()
  await send(4)
  await send(0)
  await running.stop()
  const idle = await balanced(idleStream(vessel, day))
  assert.deepEqual(
    ofType(idle, 'SensorReadingRecorded').map(({ data }) => data.flags),
    [
      ['late', 'stream-sealed'],
      ['late', 'stream-sealed'],
    ],
  )
  assert.equal(ofType(idle, 'AlarmRaised').length, 1, 'one alarm a batch')
  assert.deepEqual(balanceOf(idle).stated, { received: 3, stored: 2, duplicate: 1, quarantined: 0 })
  assert.equal((await eventsOf(world.store, stream)).length, events.length, 'nothing follows a seal')
})

test('an impossible value is a reading of quality bad, with one alarm an episode', async () => {
  const running = await world.start()
  const client = await running.client()
  const vessel = newVessel()
  const values = [5, 14, 14, 5, 14, ...new Array<number>(62).fill(5), 14]
  for (const [seq, value] of values.entries())
    client.publish(sensorTopic(vessel, 'pH'), JSON.stringify({ value, at: iso(day + seq * 1000), seq }), {
      qos: 1,
    })
  const events = await until('all are stored', async () => {
    const found = await eventsOf(world.store, idleStream(vessel, day))
    return ofType(found, 'SensorReadingRecorded').length === values.length && found
  })
  const bad = ofType(events, 'SensorReadingRecorded').filter(({ data }) => data.quality === 'bad')
  assert.deepEqual(
    bad.map(({ data }) => data.value),
    [14, 14, 14, 14],
  )
  assert.deepEqual(bad[0]?.data.flags, ['late', 'out-of-hard-bounds'])
  const alarms = ofType(events, 'AlarmRaised')
  assert.deepEqual(
    alarms.map(({ data }) => [data.name, data.category, data.level]),
    [
      ['physical_bounds_violation', 'sensor_failure', 'critical'],
      ['physical_bounds_violation', 'sensor_failure', 'critical'],
    ],
  )
  await running.stop()
})

test('control topics are refused and other topics pass like in any broker', async () => {
  const running = await world.start()
  const listener = await running.client()
  await listener.subscribeAsync('plant/#', { qos: 1 })
  const heard = new Promise<string>((settle) => listener.on('message', (topic) => settle(topic)))
  const client = await running.client()
  await client.publishAsync('plant/hello', 'x', { qos: 1 })
  assert.equal(await heard, 'plant/hello')
  const gone = new Promise((settle) => client.once('close', () => settle(undefined)))
  client.publish('bioprocess/pichia/V-1/control/stirrer', '900', { qos: 1 })
  await gone
  await running.stop()
})
