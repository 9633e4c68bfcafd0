/** A relay in this process, with what it did so far. */
import type { EventStore } from '../../event-store/event-store.ts'
import { quietLog } from '../../feed/testing/feed-store.ts'
import { createPool } from '../../postgres/pool.ts'
import { type RelayDeps, type RelayState, runRelay } from '../relay.ts'
import type { Topics } from '../topics.ts'

export type RunningRelay = {
  readonly ended: Promise<void>
  state(): RelayState
  /** Records written by this relay. */
  records(): number
  stop(): Promise<void>
}

export function runningRelay(options: {
  readonly brokers: readonly string[]
  readonly store: EventStore
  readonly postgresUrl: string
  readonly topics: Topics
  readonly more?: Partial<RelayDeps>
}): RunningRelay {
  const abort = new AbortController()
  const pool = createPool(options.postgresUrl, { name: 'relay', max: 1 })
  let state: RelayState = { kind: 'standby' }
  let records = 0
  const ended = runRelay({
    brokers: options.brokers,
    store: options.store,
    topics: options.topics,
    pool,
    log: quietLog,
    partitions: 6,
    signal: abort.signal,
    ...options.more,
    onState: (now) => {
      state = now
      if (now.kind === 'relaying') records += now.records
    },
  }).finally(() => pool.end())
  ended.catch(() => {})
  return {
    ended,
    state: () => state,
    records: () => records,
    stop: async () => {
      abort.abort()
      await ended
    },
  }
}
