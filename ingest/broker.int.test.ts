/** Ingest behind a real Mosquitto, killed and started again: what a broker outside acknowledged is in the record once. */

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import mqtt from 'mqtt'
import { brokerSource } from '../infra/mqtt/broker-source.ts'
import { until } from '../infra/testing/until.ts'
import { skipUnless } from '../infra/toolchain/require.ts'
import { readingId } from '../schemas/ids.ts'
import { sensorTopic } from '../schemas/mqtt.ts'
import { mosquittoAvailable, startMosquitto } from '../tests/support/mosquitto.ts'
import { idleStream } from './lifecycle.ts'
import { balanceOf, bench, eventsOf, ofType, quietLog } from './testing/running-ingest.ts'

const skip = skipUnless('mosquitto', mosquittoAvailable, 'no mosquitto on this machine')
const world = await bench()
after(() => world.close())

const day = Date.UTC(2026, 10, 19, 8)
const iso = (ms: number) => new Date(ms).toISOString()

async function withBroker(
  protocolVersion: 4 | 5,
  work: (broker: {
    url: string
    startIngest(): Promise<ChildProcess>
    kill(child: ChildProcess): Promise<void>
  }) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bioledger-broker-'))
  await chmod(folder, 0o755)
  const broker = await startMosquitto(folder)
  const children = new Set<ChildProcess>()
  const kill = async (child: ChildProcess) => {
    const ended = new Promise((settle) => child.once('exit', settle))
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await ended
    children.delete(child)
  }
  try {
    await work({
      url: broker.url,
      kill,
      startIngest: async () => {
        const child = spawn(
          process.execPath,
          ['--import', 'tsx', fileURLToPath(new URL('./testing/ingest-process.ts', import.meta.url))],
          {
            stdio: ['ignore', 'pipe', 'inherit'],
            env: {
              ...process.env,
              BIOLEDGER_TEST_INGEST: JSON.stringify({
                appUrl: world.database.appUrl,
                brokerUrl: broker.url,
                protocolVersion,
              }),
            },
          },
        )
        children.add(child)
        await new Promise<void>((settle, fail) => {
          child.stdout.once('data', () => settle())
          child.once('exit', (code) => fail(new Error(`ingest ended with ${code}`)))
        })
        return child
      },
    })
  } finally {
    for (const child of children) await kill(child)
    await broker.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

for (const protocolVersion of [5, 4] as const)
  test(
    `over MQTT ${protocolVersion === 5 ? '5' : '3.1.1'} a killed ingest gets again from its session what it had not acknowledged, and what came meanwhile`,
    {
      skip,
      timeout: 60_000,
    },
    () =>
      withBroker(protocolVersion, async (broker) => {
        const vessel = `S-${protocolVersion}`
        const first = await broker.startIngest()
        const client = await mqtt.connectAsync(broker.url)
        const send = (seq: number) =>
          client.publishAsync(
            sensorTopic(vessel, 'pH'),
            JSON.stringify({ value: 5, at: iso(day + seq * 1000), seq }),
            { qos: 1 },
          )
        for (let seq = 0; seq < 50; seq++) await send(seq)
        await broker.kill(first)
        for (let seq = 50; seq < 100; seq++) await send(seq)
        await client.endAsync()
        const second = await broker.startIngest()
        const events = await until('all 100 are stored and stated', async () => {
          const found = await eventsOf(world.store, idleStream(vessel, day))
          return ofType(found, 'SensorReadingRecorded').length >= 100 && balanceOf(found).isLast && found
        })
        await broker.kill(second)
        const readings = ofType(events, 'SensorReadingRecorded')
        assert.equal(new Set(readings.map(({ id }) => id)).size, 100)
        assert.equal(readings.length, 100)
        const { stated } = balanceOf(events)
        assert.equal(stated.received, 100 + stated.duplicate)
      }),
  )

for (const protocolVersion of [5, 4] as const)
  test(
    `however many messages the broker has, a bounded number is under way (MQTT ${protocolVersion})`,
    {
      skip,
      timeout: 60_000,
    },
    () =>
      withBroker(protocolVersion, async (broker) => {
        const receiveMaximum = 20
        const source = brokerSource({
          url: broker.url,
          clientId: 'bounded',
          log: quietLog,
          protocolVersion,
          receiveMaximum,
        })
        let underWay = 0
        let most = 0
        let done = 0
        await source.start(async () => {
          most = Math.max(most, ++underWay)
          await new Promise((settle) => setImmediate(settle))
          underWay--
          done++
        })
        const client = await mqtt.connectAsync(broker.url)
        await Promise.all(
          Array.from({ length: 2_000 }, () => client.publishAsync(sensorTopic('B-1', 'pH'), '5', { qos: 1 })),
        )
        await until('all are delivered', () => done >= 2_000)
        assert.ok(most <= 2 * receiveMaximum, `${most} messages were under way`)
        await client.endAsync()
        await source.stop()
      }),
  )

test('retained messages are no readings', { skip, timeout: 60_000 }, () =>
  withBroker(4, async (broker) => {
    const client = await mqtt.connectAsync(broker.url)
    await client.publishAsync(sensorTopic('R-1', 'pH'), '4.2', { qos: 1, retain: true })
    const ingest = await broker.startIngest()
    await client.publishAsync(sensorTopic('R-1', 'pH'), '4.3', { qos: 1 })
    await client.endAsync()
    const events = await until('the new reading is stored', async () => {
      const found = await eventsOf(world.store, idleStream('R-1', Date.now()))
      return found.length > 0 && found
    })
    assert.deepEqual(
      ofType(events, 'SensorReadingRecorded').map(({ data }) => data.value),
      [4.3],
    )
    await broker.kill(ingest)
  }),
)

test(
  'kills at random moments under load lose nothing, store nothing twice, and leave every balance exact',
  {
    skip,
    timeout: 120_000,
  },
  () =>
    withBroker(5, async (broker) => {
      let ingest = await broker.startIngest()
      const client = await mqtt.connectAsync(broker.url, { protocolVersion: 5 })
      const tags = ['pH', 'DO', 'OD', 'Temp_Broth', 'Stir_SP']
      const acknowledged = new Set<string>()
      let sent = 0
      const timer = setInterval(() => {
        for (let index = 0; index < 10; index++, sent++) {
          const vessel = `K-${sent % 4}`
          const seq = Math.floor(sent / 4)
          const atMs = day + seq * 1000
          // Every twentieth carries a value that is refused, alone.
          const values = { pH: 5, DO: 60, OD: 3, Temp_Broth: 30, Stir_SP: sent % 20 === 0 ? 'stuck' : 500 }
          client.publish(
            sensorTopic(vessel),
            JSON.stringify({ at: iso(atMs), seq, values }),
            { qos: 1 },
            (error) => {
              if (error) return
              for (const tag of tags)
                if (tag !== 'Stir_SP' || typeof values.Stir_SP === 'number')
                  acknowledged.add(readingId({ vessel, tag, atMs, seq }))
            },
          )
        }
      }, 10)
      for (let kill = 0; kill < 3; kill++) {
        const target = acknowledged.size + 1_000 + Math.floor(Math.random() * 4_000)
        await until('readings flow', () => acknowledged.size >= target, 60_000)
        await broker.kill(ingest)
        ingest = await broker.startIngest()
      }
      clearInterval(timer)
      await client.endAsync()
      const streams = [0, 1, 2, 3].map((vessel) => idleStream(`K-${vessel}`, day))
      const records = await until(
        'all is stored and stated',
        async () => {
          const found = await Promise.all(streams.map((stream) => eventsOf(world.store, stream)))
          const stored = found.reduce(
            (sum, events) => sum + ofType(events, 'SensorReadingRecorded').length,
            0,
          )
          return stored >= acknowledged.size && found.every((events) => balanceOf(events).isLast) && found
        },
        60_000,
      )
      await broker.kill(ingest)
      const ids = records.flatMap((events) => ofType(events, 'SensorReadingRecorded').map(({ id }) => id))
      assert.equal(new Set(ids).size, ids.length, 'no reading is stored twice')
      const stored = new Set(ids)
      assert.deepEqual(
        [...acknowledged].filter((id) => !stored.has(id)),
        [],
        'no acknowledged reading is lost',
      )
      for (const events of records) {
        const { stated, held } = balanceOf(events)
        assert.deepEqual(
          { stored: stated.stored, quarantined: stated.quarantined },
          { stored: held.stored, quarantined: held.quarantined },
        )
        for (const [index, event] of events.entries()) {
          if (event.type !== 'IngressStated') continue
          const { stated: then, held: heldThen } = balanceOf(events.slice(0, index + 1))
          assert.equal(then.stored, heldThen.stored, 'every statement covers exactly what stands before it')
        }
      }
    }),
)
