/**
 * Control stays off: no path leads from a forecast to a control topic. Shown three ways: by what the modules on that path can
 * import, by who can publish at all and where to, and by a broker that would take anything and sees nothing.
 */

import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { Aedes } from 'aedes'
import fc from 'fast-check'
import mqtt from 'mqtt'
import { inferencePlant } from '../inference/testing/running-inference.ts'
import { appendHistory, reservationOf, simulatedHistory } from '../inference/testing/stored-batch.ts'
import { quietLog } from '../infra/feed/testing/feed-store.ts'
import { isControlTopic, isSensorTopic } from '../infra/mqtt/sensor-topics.ts'
import { mqttTelemetryPublisher } from '../infra/mqtt/telemetry-publisher.ts'
import { until } from '../infra/testing/until.ts'
import { actuators, controlSubscription, controlTopic } from '../schemas/control-topics.ts'
import { telemetryKinds, telemetryPayload, telemetryTopic } from '../schemas/mqtt.ts'
import { vesselIdPattern } from '../schemas/streams.ts'
import { root } from './support/product.ts'

const productFolders = [
  'commands',
  'domain',
  'inference',
  'infra',
  'ingest',
  'ledger',
  'projections',
  'roles',
  'schemas',
  'simulation',
]

async function productFiles(): Promise<readonly string[]> {
  const files = ['main.ts']
  for (const folder of productFolders)
    for (const entry of await readdir(join(root, folder), { recursive: true, withFileTypes: true })) {
      const path = relative(root, join(entry.parentPath, entry.name))
      if (entry.isFile() && path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.includes('/testing/'))
        files.push(path)
    }
  return files
}

async function importsOf(file: string): Promise<readonly string[]> {
  const source = await readFile(join(root, file), 'utf8')
  return [...source.matchAll(/(?:\bfrom\s+|\bimport\s*\(?\s*)'([^']+)'/g)].map(([, name = '']) =>
    name.startsWith('.') ? relative(root, join(root, dirname(file), name)) : name,
  )
}

test('nothing that a forecast can reach knows a control topic, and the telemetry publisher is its only way to a broker', async () => {
  const reached = new Set<string>()
  const packages = new Map<string, string[]>()
  const visit = async (file: string): Promise<void> => {
    if (reached.has(file)) return
    reached.add(file)
    for (const name of await importsOf(file))
      if (name.endsWith('.ts')) await visit(name)
      else packages.set(name, [...(packages.get(name) ?? []), file])
  }
  await visit('inference/service.ts')
  await visit('roles/inference.ts')
  assert.ok(reached.size > 50 && reached.has('domain/forecast/forecast-fold.ts'), 'the path was walked')
  assert.ok(!reached.has('schemas/control-topics.ts'))
  assert.deepEqual(packages.get('mqtt'), ['infra/mqtt/telemetry-publisher.ts'])
  assert.equal(packages.get('aedes'), undefined)
  for (const file of reached) {
    const source = await readFile(join(root, file), 'utf8')
    assert.doesNotMatch(source, /['"`/]control\//, `${file} names no control topic`)
  }
})

test('of the product only the telemetry publisher and the simulated sensors publish, and neither can name a control topic', async () => {
  const publishers: string[] = []
  for (const file of await productFiles()) {
    const imports = await importsOf(file)
    const source = await readFile(join(root, file), 'utf8')
    if (imports.includes('mqtt') && /\.publish(Async)?\(/.test(source)) publishers.push(file)
  }
  assert.deepEqual(publishers.toSorted(), ['infra/mqtt/telemetry-publisher.ts', 'simulation/publish.ts'])
  const source = await readFile(join(root, 'infra/mqtt/telemetry-publisher.ts'), 'utf8')
  const calls = [...source.matchAll(/client\s*\.publish\(\s*([^,]+),/g)].map(([, topic]) => topic)
  assert.equal(calls.length, 1)
  assert.match(calls[0] ?? '', /^telemetryTopic\(vessel$/)
  fc.assert(
    fc.property(fc.stringMatching(vesselIdPattern), fc.constantFrom(...telemetryKinds), (vessel, kind) => {
      const topic = telemetryTopic(vessel, kind)
      assert.ok(!isControlTopic(topic))
      assert.ok(!isSensorTopic(topic), 'ingest takes no telemetry for a reading')
      assert.ok(isControlTopic(controlTopic(vessel, actuators[0])))
    }),
  )
})

test('a broker that takes anything sees the telemetry of a whole run and nothing on a control topic', async () => {
  const aedes = new Aedes()
  await aedes.listen()
  const server = createServer((socket) => aedes.handle(socket))
  await new Promise<void>((settle) => server.listen(0, '127.0.0.1', settle))
  const address = server.address()
  const url = `mqtt://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  const observer = await mqtt.connectAsync(url)
  const seen = new Map<string, unknown[]>()
  const control: string[] = []
  observer.on('message', (topic, payload, packet) => {
    if (isControlTopic(topic)) control.push(topic)
    assert.equal(packet.retain, false)
    seen.set(topic, [...(seen.get(topic) ?? []), JSON.parse(payload.toString('utf8'))])
  })
  await observer.subscribeAsync([controlSubscription, 'bioprocess/#'], { qos: 1 })
  const telemetry = mqttTelemetryPublisher({ url, clientId: 'telemetry-test', log: quietLog })
  const plant = await inferencePlant()
  try {
    await plant.start({ telemetry })
    const history = simulatedHistory('V-01', 0.3)
    await plant.store.append([reservationOf(history)])
    await appendHistory(plant.store, [...history.events, history.closed])
    await plant.untilSealed(history.batchId)
    const topics = telemetryKinds.map((kind) => telemetryTopic('V-01', kind))
    await until('telemetry of every kind', async () =>
      topics.every((topic) => (seen.get(topic)?.length ?? 0) >= 20),
    )
    assert.deepEqual([...seen.keys()].toSorted(), topics.toSorted())
    assert.deepEqual(control, [])
    for (const message of [...seen.values()].flat()) telemetryPayload.parse(message)
    assert.equal(telemetry.dropped(), 0)
  } finally {
    await plant.close()
    await telemetry.close()
    await observer.endAsync()
    await new Promise<void>((settle) => aedes.close(() => settle()))
    await new Promise<void>((settle) => server.close(() => settle()))
  }
})
