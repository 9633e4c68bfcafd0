import assert from 'node:assert/strict'
import { test } from 'node:test'
import mqtt from 'mqtt'
import pg from 'pg'
import { sensorSubscription, sensorTopic } from '../../schemas/mqtt.ts'
import {
  skipWithoutDocker,
  startEventStoreDb,
  startKafka,
  startMosquitto,
  startPostgres,
} from './support/containers.ts'

const skip = await skipWithoutDocker()

test('EventStoreDB: the image of the stack starts and answers as live', { skip }, async () => {
  const server = await startEventStoreDb()
  try {
    const { host } = new URL(server.url)
    const answer = await fetch(`http://${host}/health/live`)
    assert.ok(answer.ok)
  } finally {
    await server.stop()
  }
})

test('Postgres: the image of the stack is version 18 and has the two roles', { skip }, async () => {
  const server = await startPostgres()
  try {
    for (const [url, role] of [
      [server.ownerUrl, 'bioledger_owner'],
      [server.appUrl, 'bioledger_app'],
    ] as const) {
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      const { rows } = await client.query(
        `SELECT current_user::text AS role, current_setting('server_version_num')::int / 10000 AS major`,
      )
      await client.end()
      assert.deepEqual(rows, [{ role, major: 18 }])
    }
  } finally {
    await server.stop()
  }
})

test('Kafka: the image of the stack keeps a message by its key, and makes no topic unasked', {
  skip,
}, async () => {
  const server = await startKafka()
  try {
    await server.script('topics', ['--create', '--topic', 'bioprocess.vessels.v1', '--partitions', '3'])
    const keyed = ['--reader-property', 'parse.key=true', '--reader-property', 'key.separator=:']
    await server.script('console-producer', ['--topic', 'bioprocess.vessels.v1', ...keyed], 'V-01:reading\n')
    const received = await server.script('console-consumer', [
      ...['--topic', 'bioprocess.vessels.v1', '--from-beginning', '--max-messages', '1'],
      ...['--formatter-property', 'print.key=true', '--timeout-ms', '30000'],
    ])
    assert.match(received, /V-01\treading/)
    assert.equal(
      (await server.script('topics', ['--list'])).includes('bioprocess.events.v1'),
      false,
      'no topic is made unasked',
    )
  } finally {
    await server.stop()
  }
})

test('Mosquitto: the image of the stack lets a device publish to ingest, and nobody in without a password', {
  skip,
}, async () => {
  const server = await startMosquitto(['ingest', 'V-01'])
  const connect = (user: string) =>
    mqtt.connectAsync(server.url, {
      username: user,
      password: server.passwordOf(user),
      protocolVersion: 5,
      reconnectPeriod: 0,
    })
  try {
    const ingest = await connect('ingest')
    const received = new Promise<string>((settle) => ingest.on('message', (topic) => settle(topic)))
    await ingest.subscribeAsync(sensorSubscription, { qos: 1 })
    const device = await connect('V-01')
    await device.publishAsync(sensorTopic('V-01', 'DO'), '42', { qos: 1 })
    assert.equal(await received, 'bioprocess/pichia/V-01/sensors/DO')
    await assert.rejects(connect('nobody'))
    await Promise.all([ingest.endAsync(true), device.endAsync(true)])
  } finally {
    await server.stop()
  }
})
