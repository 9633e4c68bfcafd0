import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { cpSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import { sensorSubscription, sensorTopic } from '../../../schemas/mqtt.ts'
import { freePort } from '../../free-port.ts'
import { skipUnless } from '../../toolchain/require.ts'

const here = new URL('./', import.meta.url).pathname
const users = ['ingest', 'inference', 'display', 'V-01', 'V-02']
const environment = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` }
const skip = skipUnless(
  'mosquitto',
  spawnSync('mosquitto_passwd', ['-U'], { env: environment }).error === undefined &&
    spawnSync('mosquitto', ['-h'], { env: environment }).error === undefined &&
    spawnSync('openssl', ['version']).error === undefined,
  'mosquitto and openssl are not both installed',
)

let folder: string
let port: number
let tlsPort: number
let broker: ChildProcess
const clients: MqttClient[] = []

/** The product's own configuration, in a folder and on ports of this test. */
before(async () => {
  if (skip) return
  folder = await mkdtemp(join(tmpdir(), 'bioledger-mosquitto-'))
  await chmod(folder, 0o755)
  port = await freePort()
  tlsPort = await freePort()
  await mkdir(join(folder, 'data'), { mode: 0o777 })
  await chmod(join(folder, 'data'), 0o777)
  await mkdir(join(folder, 'listeners'))
  await mkdir(join(folder, 'certificates'))
  cpSync(join(here, 'acl'), join(folder, 'acl'))
  await writeFile(join(folder, 'passwords'), '')
  for (const user of users)
    execFileSync('mosquitto_passwd', ['-b', join(folder, 'passwords'), user, `of-${user}`], {
      env: environment,
      stdio: 'pipe',
    })
  await chmod(join(folder, 'passwords'), 0o644)
  makeCertificates(join(folder, 'certificates'))
  await adapt('mosquitto.conf', 'mosquitto.conf', [['listener 1883', `listener ${port} 127.0.0.1`]])
  await adapt('listeners/tls.conf.example', 'listeners/tls.conf', [
    ['listener 8883', `listener ${tlsPort} 127.0.0.1`],
  ])
  broker = spawn('mosquitto', ['-c', join(folder, 'mosquitto.conf')], { stdio: 'ignore', env: environment })
})

after(async () => {
  if (skip) return
  await Promise.all(clients.map((client) => client.endAsync(true)))
  const ended = new Promise((settle) => broker.once('exit', settle))
  broker.kill()
  await ended
  await rm(folder, { recursive: true, force: true })
})

async function adapt(source: string, target: string, changes: readonly (readonly [string, string])[]) {
  let text = await readFile(join(here, source), 'utf8')
  for (const [from, to] of changes) {
    assert.ok(text.includes(`${from}\n`), `${source} holds ${from}`)
    text = text.replace(from, to)
  }
  await writeFile(
    join(folder, target),
    text.replaceAll('/mosquitto/config/', `${folder}/`).replaceAll('/mosquitto/data/', `${folder}/data/`),
  )
}

async function connected(user: string, options: IClientOptions = {}): Promise<MqttClient> {
  const deadline = Date.now() + 20_000
  for (;;) {
    try {
      const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, {
        username: user,
        password: `of-${user}`,
        protocolVersion: 5,
        reconnectPeriod: 0,
        ...options,
      })
      clients.push(client)
      return client
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED' || Date.now() > deadline) throw error
      await new Promise((settle) => setTimeout(settle, 50))
    }
  }
}

const publish = (client: MqttClient, topic: string) => client.publishAsync(topic, '1', { qos: 1 })

/** On a connection of its own: the client closes it after a PUBACK that says no (MQTT 5 reason code 0x87). */
async function assertNotAuthorised(user: string, topic: string): Promise<void> {
  await assert.rejects(
    publish(await connected(user), topic),
    (error) => (error as { code?: number }).code === 0x87,
    `${user} ${topic}`,
  )
}

test('a device publishes the readings of its own vessel, and ingest receives both forms', {
  skip,
}, async () => {
  const ingest = await connected('ingest')
  const received: string[] = []
  const both = new Promise<void>((settle) => {
    ingest.on('message', (topic) => {
      received.push(topic)
      if (received.length === 2) settle()
    })
  })
  await ingest.subscribeAsync(sensorSubscription, { qos: 1 })
  const device = await connected('V-01')
  await publish(device, sensorTopic('V-01', 'DO'))
  await publish(device, sensorTopic('V-01'))
  await both
  assert.deepEqual(received, ['bioprocess/pichia/V-01/sensors/DO', 'bioprocess/pichia/V-01/sensors'])
})

test("a device cannot publish another vessel's readings, telemetry, or anything that is no reading", {
  skip,
}, async () => {
  for (const topic of [
    sensorTopic('V-02', 'DO'),
    sensorTopic('V-02'),
    'bioprocess/pichia/V-01/telemetry/our',
    'bioprocess/pichia/V-01',
    'elsewhere',
  ])
    await assertNotAuthorised('V-01', topic)
})

test('nobody writes a control topic', { skip }, async () => {
  for (const user of users)
    for (const topic of ['bioprocess/pichia/V-01/control/stirrer', 'bioprocess/pichia/V-01/control'])
      await assertNotAuthorised(user, topic)
})

test('inference publishes telemetry, a display receives it and publishes nothing', { skip }, async () => {
  const display = await connected('display')
  const received = new Promise<string>((settle) => display.on('message', (topic) => settle(topic)))
  await display.subscribeAsync('bioprocess/pichia/+/telemetry/#', { qos: 1 })
  await publish(await connected('inference'), 'bioprocess/pichia/V-01/telemetry/prediction')
  assert.equal(await received, 'bioprocess/pichia/V-01/telemetry/prediction')
  await assertNotAuthorised('display', 'bioprocess/pichia/V-01/telemetry/our')
})

test('without a name, or with a wrong password, nobody comes in', { skip }, async () => {
  await connected('V-01')
  for (const options of [{ password: 'wrong' }, { username: '', password: '' }])
    await assert.rejects(connected('V-01', options), /Not authorized|Connection refused/i)
})

test('what a stopped ingest has not fetched waits for it, beyond the thousand messages of the default', {
  skip,
}, async () => {
  const session = { clientId: 'ingest-session', clean: false, properties: { sessionExpiryInterval: 3600 } }
  const first = await connected('ingest', session)
  await first.subscribeAsync(sensorSubscription, { qos: 1 })
  await first.endAsync()
  const device = await connected('V-02')
  const count = 2_500
  await Promise.all(
    Array.from({ length: count }, (_, seq) => publish(device, sensorTopic('V-02', `tag-${seq}`))),
  )
  const received = new Set<string>()
  const second = mqtt.connect(`mqtt://127.0.0.1:${port}`, {
    username: 'ingest',
    password: 'of-ingest',
    protocolVersion: 5,
    reconnectPeriod: 0,
    ...session,
  })
  clients.push(second)
  const deadline = Date.now() + 20_000
  second.on('message', (topic) => received.add(topic))
  while (received.size < count) {
    assert.ok(Date.now() < deadline, `${received.size} of ${count}`)
    await new Promise((settle) => setTimeout(settle, 20))
  }
})

test('the TLS listener of the example takes a device that trusts the plant CA, and no plain connection', {
  skip,
}, async () => {
  await connected('V-01')
  const ca = await readFile(join(folder, 'certificates', 'ca.crt'))
  const device = await mqtt.connectAsync(`mqtts://localhost:${tlsPort}`, {
    username: 'V-01',
    password: 'of-V-01',
    protocolVersion: 5,
    reconnectPeriod: 0,
    ca,
  })
  clients.push(device)
  await publish(device, sensorTopic('V-01', 'pH'))
  await assert.rejects(
    mqtt.connectAsync(`mqtt://localhost:${tlsPort}`, { reconnectPeriod: 0, connectTimeout: 5_000 }),
  )
})

/** One self-signed certificate stands for the CA and for the broker. */
function makeCertificates(into: string): void {
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'],
      ...['-addext', 'subjectAltName=DNS:localhost'],
      ...['-keyout', join(into, 'broker.key'), '-out', join(into, 'broker.crt')],
    ],
    { stdio: 'pipe' },
  )
  cpSync(join(into, 'broker.crt'), join(into, 'ca.crt'))
  execFileSync('chmod', ['-R', 'a+rX', into])
}
