/** The relay's role: the store's events to Kafka, in order. */
import type { Config } from '../infra/config.ts'
import type { EventStore } from '../infra/event-store/event-store.ts'
import { type RelayState, runRelay } from '../infra/kafka/relay.ts'
import { topicNames } from '../infra/kafka/topics.ts'
import type { Logger } from '../infra/log.ts'
import { createPool } from '../infra/postgres/pool.ts'
import type { Metric } from '../infra/telemetry/metric.ts'
import type { Telemetry } from '../infra/telemetry/telemetry.ts'
import type { Urls } from './foundations.ts'
import type { Part } from './part.ts'

export type RelayRole = Part & { readonly ended: Promise<void>; stop(): Promise<void> }

const stuckAfterMs = 15_000
const headEveryMs = 1_000

export function startRelayRole(deps: {
  store: EventStore
  urls: Urls
  config: Config
  log: Logger
  telemetry: Telemetry
}): RelayRole {
  const { store, config, log } = deps
  const stopping = new AbortController()
  const pool = createPool(deps.urls.app, { name: 'relay', max: 1 })
  let state: RelayState = { kind: 'standby' }
  let turnedAtMs = performance.now()
  let records = 0
  let head: bigint | undefined
  let failure: unknown

  const ended = runRelay({
    brokers: config.kafkaBrokers,
    store,
    pool,
    log,
    signal: stopping.signal,
    topics: topicNames(config.kafkaTopicPrefix),
    partitions: config.kafkaPartitions,
    onState: (next) => {
      state = next
      turnedAtMs = performance.now()
      if (next.kind === 'relaying') records += next.records
    },
  }).catch((error: unknown) => {
    failure = error
    throw error
  })
  ended.catch(() => {})
  const looking = setInterval(() => {
    store.head().then(
      (now) => {
        head = now?.position
      },
      () => {},
    )
  }, headEveryMs)

  const metrics: Readonly<Record<string, Metric>> = {
    bioledger_relay_lag_positions: {
      kind: 'gauge',
      unit: '{position}',
      description: 'Positions of the store that are not in Kafka yet; absent while another relay is active',
      read: () => {
        if (state.kind !== 'relaying' || head === undefined) return undefined
        return head > state.through ? Number(head - state.through) : 0
      },
    },
    bioledger_relay_active: {
      kind: 'gauge',
      unit: '1',
      description: '1 where this relay is the active one',
      read: () => (state.kind === 'standby' ? 0 : 1),
    },
    bioledger_relay_records_total: {
      kind: 'counter',
      unit: '{record}',
      description: 'Records written to Kafka since the start',
      read: () => records,
    },
  }
  const unregister = deps.telemetry.registerMetrics(metrics)

  return {
    name: 'relay',
    metrics,
    ended,
    readiness: async () => {
      if (failure) return { ok: false, detail: failure instanceof Error ? failure.message : String(failure) }
      if (state.kind === 'standby') return { ok: true, detail: 'another relay is active' }
      if (state.kind === 'connecting') return { ok: false, detail: 'Kafka does not answer yet' }
      const isStuck = performance.now() - turnedAtMs > stuckAfterMs
      return isStuck ? { ok: false, detail: 'Kafka takes no records' } : { ok: true }
    },
    stop: async () => {
      unregister()
      clearInterval(looking)
      stopping.abort()
      await ended.catch(() => {})
      await pool.end()
    },
  }
}
