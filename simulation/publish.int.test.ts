import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type Server, type Socket } from 'node:net'
import { test } from 'node:test'
import { Aedes } from 'aedes'
import { mqttPublisher } from './publish.ts'

/** A real MQTT broker on a TCP port; `cut` drops all connections and stops listening, `listen` opens the port again. */
async function broker() {
  const received: string[] = []
  const aedes = await Aedes.createBroker()
  aedes.authorizePublish = (_client, packet, done) => {
    received.push(packet.payload.toString())
    done(null)
  }
  const sockets = new Set<Socket>()
  let server: Server
  let port = 0
  const listen = async () => {
    server = createServer((socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      aedes.handle(socket)
    })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
  }
  const cut = async () => {
    const closed = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.destroy()
    await closed
  }
  await listen()
  return {
    url: () => `mqtt://127.0.0.1:${port}`,
    received,
    listen,
    cut,
    stop: async () => {
      await cut()
      await new Promise<void>((resolve) => aedes.close(() => resolve()))
    },
  }
}

test('what was published is acknowledged, in order and once, on a good connection', async () => {
  const running = await broker()
  try {
    const publisher = await mqttPublisher({ url: running.url(), inFlight: 50 })
    for (let index = 0; index < 2000; index++) await publisher.publish('a/b', String(index))
    await publisher.flush()
    assert.equal(publisher.acknowledged(), 2000)
    assert.deepEqual(
      running.received,
      Array.from({ length: 2000 }, (_, index) => String(index)),
    )
    await publisher.close()
  } finally {
    await running.stop()
  }
})

test('nothing is lost when the connection breaks again and again', { timeout: 60_000 }, async () => {
  const running = await broker()
  try {
    const publisher = await mqttPublisher({ url: running.url(), inFlight: 100 })
    const count = 3000
    for (let index = 0; index < count; index++) {
      await publisher.publish('a/b', String(index))
      if (index % 1000 === 500) {
        await running.cut()
        await running.listen()
      }
    }
    await publisher.flush()
    assert.equal(publisher.acknowledged(), count)
    assert.equal(new Set(running.received).size, count)
    await publisher.close()
  } finally {
    await running.stop()
  }
})

test('a broker that stops acknowledging stops the publisher: memory stays bounded', {
  timeout: 60_000,
}, async () => {
  const running = await broker()
  try {
    const publisher = await mqttPublisher({ url: running.url(), inFlight: 10 })
    await running.cut()
    let accepted = 0
    const filling = (async () => {
      for (let index = 0; index < 100; index++) {
        await publisher.publish('a/b', String(index))
        accepted++
      }
    })()
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(accepted, 10)
    await running.listen()
    await filling
    await publisher.flush()
    assert.equal(new Set(running.received).size, 100)
    await publisher.close()
  } finally {
    await running.stop()
  }
})

test('no broker at the address is one plain line', async () => {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  await assert.rejects(
    mqttPublisher({ url: `mqtt://user:secret@127.0.0.1:${port}` }),
    (error: Error & { code: string }) => {
      assert.equal(error.code, 'broker-unreachable')
      assert.match(error.message, /no MQTT broker answers at mqtt:\/\/user:…@127/)
      assert.doesNotMatch(error.message, /secret/)
      return true
    },
  )
})

test('a request to stop ends publishing, also while it waits for the broker', {
  timeout: 60_000,
}, async () => {
  const running = await broker()
  const controller = new AbortController()
  const publisher = await mqttPublisher({ url: running.url(), inFlight: 1, signal: controller.signal })
  await running.cut()
  await publisher.publish('a/b', '1')
  const waiting = publisher.publish('a/b', '2')
  controller.abort()
  await assert.rejects(waiting, { code: 'aborted' })
  await publisher.close()
  await running.listen()
  await running.stop()
})
