/**
 * Sensor messages from a broker outside the process, over MQTT 5 or 3.1.1: QoS 1, a persistent session under a
 * fixed client id, so that the broker keeps for us what comes while we are away and delivers again what we had not
 * acknowledged.
 *
 * Acknowledging late, with many messages under way: mqtt.js (5.16, lib/handlers/publish.js) handles one PUBLISH at a
 * time and sends its PUBACK when `handleMessage` calls back without an error; an error makes it go on to the next
 * packet without a PUBACK. So `handleMessage` always answers with one, and the PUBACK is sent from here when
 * the message is durable, in the order of receipt. One that belongs to a former connection is not sent: after a
 * reconnection the broker delivers that message again, and packet identifiers are the broker's to reuse.
 *
 * Memory is bounded here too: reading stops while too many messages are under way, whatever the connection they came
 * by. MQTT 3.1.1 and QoS 0 know no Receive Maximum, and a broker may take it lightly (Mosquitto 2.0.11 was seen to
 * send 5,800 messages beyond 1,000 unacknowledged ones).
 */
import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt'
import { sensorSubscription } from '../../schemas/mqtt.ts'
import type { Logger } from '../log.ts'
import type { Deliver, MessageSource } from './message-source.ts'
import { orderedAcknowledgements } from './ordered-acknowledgements.ts'

export type BrokerSourceOptions = {
  readonly url: string
  /** Names the session at the broker: the same at every start, different for each ingest. */
  readonly clientId: string
  readonly log: Logger
  /** 5 (default) or 4 for MQTT 3.1.1. */
  readonly protocolVersion?: 4 | 5
  /** Messages that may wait for their acknowledgement; default 1,000. */
  readonly receiveMaximum?: number
  /** How long the broker keeps the session without us, seconds; default: it does not expire. MQTT 5 only. */
  readonly sessionExpirySeconds?: number
  /** User, password, TLS: as mqtt.js takes them. */
  readonly connection?: Pick<
    IClientOptions,
    'username' | 'password' | 'ca' | 'cert' | 'key' | 'rejectUnauthorized'
  >
  readonly nowMs?: () => number
}

const subscribeAgainMs = 2_000

export function brokerSource(options: BrokerSourceOptions): MessageSource {
  const { url, clientId, log, protocolVersion = 5, receiveMaximum = 1_000, nowMs = Date.now } = options
  // A broker that keeps to the Receive Maximum never comes to it, so that reading goes on and the connection lives.
  const readingBound = protocolVersion === 5 ? 2 * receiveMaximum : receiveMaximum
  let client: MqttClient | undefined
  let isPaused = false
  let isSubscribed = false

  const start = async (deliver: Deliver): Promise<void> => {
    const connected = mqtt.connect(url, {
      ...options.connection,
      clientId,
      clean: false,
      protocolVersion,
      reconnectPeriod: 500,
      connectTimeout: 10_000,
      resubscribe: false,
      ...(protocolVersion === 5
        ? {
            properties: {
              receiveMaximum,
              sessionExpiryInterval: options.sessionExpirySeconds ?? 0xffff_ffff,
            },
          }
        : {}),
    })
    client = connected
    takeFrom(connected, deliver)
    connected.on('error', (error) => log.warn({ error: error.message }, 'MQTT broker'))
    connected.on('close', () => log.debug('MQTT connection closed'))
    connected.on('close', () => {
      isSubscribed = false
    })
    await new Promise<void>((settle) => {
      const subscribe = (): void => {
        connected.subscribe(sensorSubscription, subscription(protocolVersion), (error, granted) => {
          // Below QoS 1 there is nothing to acknowledge, and above 2 stands a refusal.
          const isGranted = !error && granted?.every(({ qos }) => qos === 1 || qos === 2)
          if (isGranted) {
            isSubscribed = true
            return settle()
          }
          log.error(
            { topic: sensorSubscription, error: error?.message, granted: granted?.map(({ qos }) => qos) },
            'the MQTT broker refuses the subscription with QoS 1; trying again',
          )
          setTimeout(() => {
            if (connected.connected && !isSubscribed) subscribe()
          }, subscribeAgainMs).unref()
        })
      }
      connected.on('connect', subscribe)
      // Also a source that never came up can be stopped.
      connected.once('end', settle)
    })
  }

  const takeFrom = (from: MqttClient, deliver: Deliver): void => {
    let connection = 0
    let underWay = 0
    let goOn: (() => void) | undefined
    let waiting = orderedAcknowledgements()
    const settled = (): void => {
      underWay--
      if (!goOn || underWay >= readingBound) return
      const next = goOn
      goOn = undefined
      next()
    }
    from.on('connect', () => {
      connection++
      waiting = orderedAcknowledgements()
    })
    from.on('close', () => {
      goOn = undefined
    })
    from.handleMessage = (packet, done) => {
      const next = () => done(acknowledgedLater)
      if (isPaused) return next()
      const arrivedOn = connection
      const traceparent = traceparentOf(packet)
      underWay++
      const durable = deliver({
        topic: packet.topic,
        payload: typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload,
        dup: packet.dup,
        retained: packet.retain,
        receivedAtMs: nowMs(),
        ...(traceparent === undefined ? {} : { traceparent }),
      })
      waiting.add(durable, () => {
        if (packet.qos === 1 && arrivedOn === connection && from.connected) acknowledge(from, packet)
      })
      void durable.then(settled)
      if (underWay < readingBound) next()
      else goOn = next
    }
  }

  return {
    start,
    isConnected: () => (client?.connected ?? false) && isSubscribed,
    pause: () => {
      isPaused = true
    },
    stop: async () => {
      isPaused = true
      await client?.endAsync()
    },
  }
}

const acknowledgedLater = new Error('acknowledged when durable')

/** Retained messages are no measurements: an MQTT 5 broker need not send them. */
const subscription = (protocolVersion: 4 | 5) =>
  protocolVersion === 5 ? ({ qos: 1, rh: 2 } as const) : ({ qos: 1 } as const)

type PacketSender = { _sendPacket(packet: { cmd: 'puback'; messageId: number; reasonCode: number }): void }

function acknowledge(client: MqttClient, packet: IPublishPacket): void {
  if (packet.messageId === undefined) return
  const sender = client as unknown as PacketSender
  sender._sendPacket({ cmd: 'puback', messageId: packet.messageId, reasonCode: 0 })
}

function traceparentOf(packet: IPublishPacket): string | undefined {
  const given = packet.properties?.userProperties?.traceparent
  const first = Array.isArray(given) ? given[0] : given
  return typeof first === 'string' && first.length <= 200 ? first : undefined
}
