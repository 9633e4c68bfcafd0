/**
 * Devices at full speed: MQTT 3.1.1, QoS 1, several connections with a bounded number of messages under way on each.
 * Packets are built and read with mqtt-packet on bare sockets: a full client would take from the product the CPU
 * that is being measured. A reading counts once its PUBACK is here.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import mqttPacket from 'mqtt-packet'

export type Message = { readonly topic: string; readonly payload: string; readonly readings: number }

/** The next message of a connection; a vessel belongs to one connection, as a device does. */
export type NextMessage = (connection: number) => Message

/** Undefined: this connection has nothing more to send. */
export type NextMessageIfAny = (connection: number) => Message | undefined

export type Publisher = {
  /** Readings sent and readings acknowledged so far. */
  published(): number
  acknowledged(): number
  /** Sends as fast as acknowledgements come until `untilMs` (performance.now) or nothing is left, then waits for those under way. */
  flood(next: NextMessageIfAny, untilMs: number): Promise<void>
  /** Sends at a steady rate, whatever the acknowledgements do, until `untilMs`, then waits for them. */
  steady(next: NextMessage, messagesPerSecond: number, untilMs: number): Promise<void>
  /** One message; resolves with its PUBACK. */
  send(message: Message): Promise<void>
  close(): Promise<void>
}

type Connection = {
  readonly send: (message: Message, acknowledged: () => void) => void
  readonly close: () => Promise<void>
  underWay: number
}

export async function openPublisher(
  url: string,
  options: { connections: number; underWay: number; name: string },
): Promise<Publisher> {
  const { port, hostname } = new URL(url)
  let published = 0
  let acknowledged = 0
  let failure: Error | undefined
  let wake: () => void = () => {}
  const fail = (error: Error) => {
    failure = error
    wake()
  }
  const connections = await Promise.all(
    Array.from({ length: options.connections }, (_, index) =>
      openConnection(Number(port), hostname, `${options.name}-${index}`, fail),
    ),
  )
  const sendOn = (connection: Connection, message: Message, then?: () => void) => {
    published += message.readings
    connection.underWay++
    connection.send(message, () => {
      connection.underWay--
      acknowledged += message.readings
      then?.()
      wake()
    })
  }
  const drained = async () => {
    while (failure === undefined && acknowledged < published)
      await new Promise<void>((settle) => {
        wake = settle
      })
    if (failure) throw failure
  }
  return {
    published: () => published,
    acknowledged: () => acknowledged,
    async flood(next, untilMs) {
      const pump = (connection: Connection, index: number) => {
        while (
          failure === undefined &&
          connection.underWay < options.underWay &&
          performance.now() < untilMs
        ) {
          const message = next(index)
          if (!message) return
          sendOn(connection, message, () => pump(connection, index))
        }
      }
      connections.forEach(pump)
      await drained()
    },
    async steady(next, messagesPerSecond, untilMs) {
      const startedMs = performance.now()
      let sent = 0
      while (failure === undefined && performance.now() < untilMs) {
        const due = ((performance.now() - startedMs) / 1000) * messagesPerSecond
        for (; sent < due; sent++) {
          const index = sent % connections.length
          sendOn(connections[index]!, next(index))
        }
        await new Promise((settle) => setTimeout(settle, 5))
      }
      await drained()
    },
    send: (message) =>
      new Promise((settle, reject) => {
        if (failure) reject(failure)
        else sendOn(connections[0]!, message, settle)
      }),
    close: async () => {
      await Promise.all(connections.map((connection) => connection.close()))
    },
  }
}

async function openConnection(
  port: number,
  host: string,
  clientId: string,
  fail: (error: Error) => void,
): Promise<Connection> {
  const socket: Socket = connect(port, host)
  await once(socket, 'connect')
  socket.setNoDelay(true)
  let isClosing = false
  let nextId = 1
  const waiting = new Map<number, () => void>()
  const parser = mqttPacket.parser({ protocolVersion: 4 })
  const connected = new Promise<void>((settle, reject) => {
    parser.on('packet', (packet) => {
      if (packet.cmd === 'connack')
        if (packet.returnCode === 0) settle()
        else reject(new Error(`the broker refused the connection: ${packet.returnCode}`))
      if (packet.cmd !== 'puback' || packet.messageId === undefined) return
      const acknowledged = waiting.get(packet.messageId)
      waiting.delete(packet.messageId)
      acknowledged?.()
    })
  })
  socket.on('data', (bytes: Buffer) => parser.parse(bytes))
  socket.on('error', (error) => fail(error))
  socket.on('close', () => {
    if (!isClosing) fail(new Error('the broker closed the connection'))
  })
  socket.write(
    mqttPacket.generate({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clientId,
      clean: true,
      keepalive: 0,
    }),
  )
  await connected
  return {
    underWay: 0,
    send: ({ topic, payload }, acknowledged) => {
      while (waiting.has(nextId)) nextId = (nextId % 65_535) + 1
      const messageId = nextId
      nextId = (nextId % 65_535) + 1
      waiting.set(messageId, acknowledged)
      socket.write(
        mqttPacket.generate({ cmd: 'publish', topic, payload, qos: 1, messageId, dup: false, retain: false }),
      )
    },
    close: async () => {
      isClosing = true
      const closed = once(socket, 'close')
      socket.end(mqttPacket.generate({ cmd: 'disconnect' }))
      socket.destroySoon()
      await closed
    },
  }
}
