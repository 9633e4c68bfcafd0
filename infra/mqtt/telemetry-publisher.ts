/**
 * Publishes telemetry over MQTT, QoS 1, not retained. It can name no other topics than a vessel's telemetry. A broker that is
 * away or slow costs messages, not forecasts: beyond the bound the newest are given up and counted.
 */
import mqtt from 'mqtt'
import { type TelemetryKind, type TelemetryPayload, telemetryTopic } from '../../schemas/mqtt.ts'
import type { Logger } from '../log.ts'

export type TelemetryPublisher = {
  /** Never throws and never waits. */
  publish(vessel: string, kind: TelemetryKind, payload: TelemetryPayload): void
  /** Messages given up so far. */
  dropped(): number
  /** Waits for what is under way, at most `withinMs` (default 2 s). */
  close(withinMs?: number): Promise<void>
}

export type TelemetryPublisherOptions = {
  readonly url: string
  readonly clientId: string
  readonly log: Logger
  /** Messages that may wait for their PUBACK; default 10,000. */
  readonly inFlight?: number
}

/** Connects in the background, and again whenever the connection breaks. */
export function mqttTelemetryPublisher(options: TelemetryPublisherOptions): TelemetryPublisher {
  const { log, inFlight = 10_000 } = options
  const client = mqtt.connect(options.url, {
    clientId: options.clientId,
    clean: true,
    protocolVersion: 4,
    reconnectPeriod: 500,
    connectTimeout: 10_000,
  })
  client.on('error', (error) => log.warn({ error: error.message }, 'MQTT broker for telemetry'))
  let waiting = 0
  let dropped = 0
  let settled = (): void => {}

  return {
    publish(vessel, kind, payload) {
      if (waiting >= inFlight) {
        dropped++
        return
      }
      waiting++
      client.publish(
        telemetryTopic(vessel, kind),
        JSON.stringify(payload),
        { qos: 1, retain: false },
        (error) => {
          waiting--
          if (error) dropped++
          if (waiting === 0) settled()
        },
      )
    },
    dropped: () => dropped,
    async close(withinMs = 2_000) {
      if (waiting > 0 && client.connected) {
        let timer: NodeJS.Timeout | undefined
        await Promise.race([
          new Promise<void>((resolve) => {
            settled = resolve
          }),
          new Promise<void>((resolve) => {
            timer = setTimeout(resolve, withinMs)
          }),
        ])
        clearTimeout(timer)
      }
      await client.endAsync(true)
    },
  }
}
