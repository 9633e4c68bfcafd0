/**
 * An MQTT broker inside the process (aedes, MQTT 3.1 and 3.1.1) for an installation without one. What it receives
 * on sensor topics goes to the message source before anybody else sees it, and the sender's PUBACK waits until the
 * message is durable; all other topics pass as in any broker. Control topics are refused: their sender is
 * disconnected, for MQTT 3.1.1 knows no other refusal.
 *
 * How: for QoS 1 aedes asks `authorizePublish` before it writes the PUBACK (aedes 1.2, lib/handlers/publish.js),
 * and it reads on from a socket only when all it has read before is handled, which bounds what a sender can have
 * waiting here. A publisher's retain flag asks the broker to keep a message that is new: it is a measurement.
 */
import { createServer, type Socket } from 'node:net'
import { Aedes, type Client } from 'aedes'
import type { Logger } from '../log.ts'
import type { Deliver, MessageSource, SensorMessage } from './message-source.ts'
import { type OrderedAcknowledgements, orderedAcknowledgements } from './ordered-acknowledgements.ts'
import { isControlTopic, isSensorTopic } from './sensor-topics.ts'

export type EmbeddedBroker = {
  readonly port: number
  readonly url: string
  /** Messages that come before it is started wait unacknowledged. Stopping it stops the broker. */
  readonly source: MessageSource
  stop(): Promise<void>
}

export type EmbeddedBrokerOptions = {
  /** 0 = any free one. */
  readonly port: number
  readonly log: Logger
  readonly nowMs?: () => number
}

/** What one sender may have waiting for its acknowledgement, about: some 1,300 single readings. */
const bytesWaitingOfSender = 128 * 1024

/** Rejects with the error of `listen` (`EADDRINUSE`, `EACCES`). */
export async function startEmbeddedBroker(options: EmbeddedBrokerOptions): Promise<EmbeddedBroker> {
  const { log, nowMs = Date.now } = options
  const acknowledgements = new WeakMap<Client, OrderedAcknowledgements>()
  const sockets = new Set<Socket>()
  let deliver: Deliver | undefined
  let isPaused = false
  let early: { message: SensorMessage; settle: () => void }[] = []

  const handOver = (message: SensorMessage): Promise<void> => {
    if (isPaused) return new Promise(() => {})
    if (deliver) return deliver(message)
    return new Promise((settle) => early.push({ message, settle }))
  }

  const aedes = new Aedes({
    authorizePublish: (client, packet, done) => {
      const { topic } = packet
      if (topic.startsWith('$SYS/')) return done(new Error('$SYS topics belong to the broker'))
      if (isControlTopic(topic)) {
        log.warn({ topic: topic.slice(0, 200) }, 'a publisher on a control topic was disconnected')
        return done(new Error('control topics are never written'))
      }
      if (!isSensorTopic(topic)) return done(null)
      const durable = handOver({
        topic,
        payload: typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload,
        dup: packet.dup,
        retained: false,
        receivedAtMs: nowMs(),
      })
      if (!client) return void durable.then(() => done(null))
      let order = acknowledgements.get(client)
      if (!order) {
        order = orderedAcknowledgements()
        acknowledgements.set(client, order)
      }
      order.add(durable, () => done(null))
    },
  })
  aedes.on('clientError', (client, error) =>
    log.debug({ client: client.id, error: error.message }, 'MQTT client'),
  )
  aedes.on('connectionError', (_, error) => log.debug({ error: error.message }, 'MQTT connection'))
  await aedes.listen()

  const server = createServer({ highWaterMark: bytesWaitingOfSender }, (socket) => {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.once('close', () => sockets.delete(socket))
    aedes.handle(socket)
  })
  await new Promise<void>((settle, fail) => {
    server.once('error', fail)
    server.listen(options.port, '127.0.0.1', settle)
  }).catch(async (error: unknown) => {
    await new Promise<void>((settle) => aedes.close(() => settle()))
    throw error
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : options.port

  const stop = async (): Promise<void> => {
    isPaused = true
    const closed = new Promise<void>((settle) => server.close(() => settle()))
    await new Promise<void>((settle) => aedes.close(() => settle()))
    for (const socket of sockets) socket.destroy()
    await closed
  }

  return {
    port,
    url: `mqtt://127.0.0.1:${port}`,
    source: {
      start: async (taker) => {
        deliver = taker
        const waiting = early
        early = []
        for (const { message, settle } of waiting) void taker(message).then(settle)
      },
      isConnected: () => server.listening,
      pause: () => {
        isPaused = true
      },
      stop,
    },
    stop,
  }
}
