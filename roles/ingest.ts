/** The ingest role: from the broker (an outside one, or the embedded one) to durable events. */

import type { Config } from '../infra/config.ts'
import type { EventStore } from '../infra/event-store/event-store.ts'
import type { Logger } from '../infra/log.ts'
import { brokerSource } from '../infra/mqtt/broker-source.ts'
import { startEmbeddedBroker } from '../infra/mqtt/embedded-broker.ts'
import type { MessageSource } from '../infra/mqtt/message-source.ts'
import { createPool } from '../infra/postgres/pool.ts'
import type { Metric } from '../infra/telemetry/metric.ts'
import type { Telemetry } from '../infra/telemetry/telemetry.ts'
import { startIngest } from '../ingest/service.ts'
import type { Urls } from './foundations.ts'
import type { Part } from './part.ts'
import { UserError } from './user-error.ts'

export type IngestRole = Part & {
  /** Where devices publish. */
  readonly mqttUrl: string
  /** Rejects when ingest cannot go on. */
  readonly ended: Promise<never>
  stop(): Promise<void>
}

const stuckAfterMs = 10_000

/** Throws `UserError` when the embedded broker's port is taken. */
export async function startIngestRole(deps: {
  store: EventStore
  urls: Urls
  config: Config
  log: Logger
  telemetry: Telemetry
}): Promise<IngestRole> {
  const { store, config, log, telemetry } = deps
  const { source, mqttUrl } = await openSource(config, log)
  const pool = createPool(deps.urls.app, { name: 'ingest', max: 3 })
  try {
    let failure: unknown
    let fail: (error: unknown) => void = () => {}
    const ended = new Promise<never>((_, reject) => {
      fail = reject
    })
    // Told through `readiness` too; whoever waits for `ended` hears it there.
    ended.catch(() => {})
    const ingest = await startIngest({
      store,
      pool,
      source,
      site: config.site,
      log,
      tracer: telemetry.tracer,
      onFailure: (error) => {
        failure = error
        fail(error)
      },
    })
    const metrics = metricsOf(() => ingest.metrics)
    // A store that takes nothing shows as messages that wait while none is acknowledged.
    let progress = { acknowledged: -1, sinceMs: performance.now() }
    const isStuck = (): boolean => {
      const { messages, messagesInFlight } = ingest.metrics
      const acknowledged = messages - messagesInFlight
      if (messagesInFlight === 0 || acknowledged !== progress.acknowledged)
        progress = { acknowledged, sinceMs: performance.now() }
      return performance.now() - progress.sinceMs > stuckAfterMs
    }
    const watch = setInterval(isStuck, 1_000).unref()
    const unregister = telemetry.registerMetrics(metrics)
    return {
      name: 'ingest',
      mqttUrl,
      ended,
      metrics,
      readiness: async () =>
        failure !== undefined
          ? { ok: false, detail: failure instanceof Error ? failure.message : String(failure) }
          : !source.isConnected()
            ? { ok: false, detail: 'no subscription at the MQTT broker' }
            : isStuck()
              ? { ok: false, detail: `no message has become durable for ${stuckAfterMs / 1000} s` }
              : { ok: true },
      stop: async () => {
        clearInterval(watch)
        unregister()
        await ingest.stop()
        await pool.end()
      },
    }
  } catch (error) {
    await source.stop()
    await pool.end()
    throw error
  }
}

async function openSource(config: Config, log: Logger): Promise<{ source: MessageSource; mqttUrl: string }> {
  if (config.mqttUrl !== undefined)
    return {
      source: brokerSource({ url: config.mqttUrl, clientId: `bioledger-ingest-${config.site}`, log }),
      mqttUrl: config.mqttUrl,
    }
  try {
    const broker = await startEmbeddedBroker({ port: config.mqttPort, log })
    return { source: broker.source, mqttUrl: broker.url }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE')
      throw new UserError(
        `port ${config.mqttPort} is in use; choose another with BIOLEDGER_MQTT_PORT (0 takes any free one)`,
        1,
      )
    if (code === 'EACCES')
      throw new UserError(
        `port ${config.mqttPort} may not be opened by this user; choose another with BIOLEDGER_MQTT_PORT`,
        1,
      )
    throw error
  }
}

function metricsOf(
  read: () => Awaited<ReturnType<typeof startIngest>>['metrics'],
): Readonly<Record<string, Metric>> {
  const counter = (unit: string, description: string, value: () => ReturnType<Metric['read']>): Metric => ({
    kind: 'counter',
    unit,
    description,
    read: value,
  })
  const gauge = (unit: string, description: string, value: () => number): Metric => ({
    kind: 'gauge',
    unit,
    description,
    read: value,
  })
  return {
    bioledger_ingest_messages_total: counter(
      '{message}',
      'Messages handed over by the broker',
      () => read().messages,
    ),
    bioledger_ingest_readings_total: counter(
      '{reading}',
      'Readings by what became of them; received is counted at arrival',
      () => Object.entries(read().readings).map(([outcome, value]) => ({ value, attributes: { outcome } })),
    ),
    bioledger_ingest_retained_ignored_total: counter(
      '{message}',
      'Retained messages, which are no measurements',
      () => read().retainedIgnored,
    ),
    bioledger_ingest_alarms_total: counter('{alarm}', 'Alarms raised by ingest', () => read().alarms),
    bioledger_ingest_gaps_total: counter('{gap}', 'Gaps detected', () => read().gaps),
    bioledger_ingest_clock_steps_total: counter('{step}', 'Steps of source clocks', () => read().clockSteps),
    bioledger_ingest_append_retries_total: counter(
      '{append}',
      'Appends that had to be repeated',
      () => read().appendRetries,
    ),
    bioledger_ingest_messages_in_flight: gauge(
      '{message}',
      'Messages not acknowledged yet',
      () => read().messagesInFlight,
    ),
    bioledger_ingest_readings_in_flight: gauge(
      '{reading}',
      'Readings of messages not acknowledged yet',
      () => read().readingsInFlight,
    ),
    bioledger_ingest_open_streams: gauge(
      '{stream}',
      'Streams with a writer in memory',
      () => read().openStreams,
    ),
    bioledger_ingest_lag_seconds: gauge(
      's',
      'From arrival to acknowledgement of the message acknowledged last',
      () => read().lastLagMs / 1000,
    ),
  }
}
