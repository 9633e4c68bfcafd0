/**
 * The projector: follows the event store and keeps the read models.
 *
 * In: every event, in store order. Out: the tables of schema `projections`, an alarm for each stream that had to stop,
 * and figures about its own state. Stops for good only when another projector is active or the store was replaced.
 */
import type { EventStore } from '../infra/event-store/event-store.ts'
import type { Logger } from '../infra/log.ts'
import type { Pool } from '../infra/postgres/pool.ts'
import type { Metric } from '../infra/telemetry/metric.ts'
import { offTracer, type Tracer } from '../infra/telemetry/tracer.ts'
import { type Applied, runProjector } from './projector.ts'
import { readCheckpoint } from './tables/checkpoint-row.ts'
import { loadParkedKeys, loadUnalarmed, markAlarmed, type ParkedKey } from './tables/parked.ts'
import type { Packing } from './tables/stream-write.ts'

export type StartProjectorDeps = {
  readonly store: EventStore
  /** From `openReadModels`. The caller ends it after `stop`. */
  readonly pool: Pool
  readonly log: Logger
  /** Puts an alarm about a stopped stream into the store; must be idempotent, it is repeated until it succeeds. */
  readonly raiseAlarm: (parked: ParkedKey) => Promise<void>
  /** Events a page at most; default 5,000. */
  readonly pageSize?: number
  /** When newest readings are packed by series; the default suits sensors at 1 Hz. */
  readonly packing?: Packing
  /** A span `projection.page` for each page, linked to the appends of its events; default: none. */
  readonly tracer?: Tracer
  /** After each durable page: what a process that also serves may want to know at once. */
  readonly onApplied?: (applied: Applied) => void
}

export type Projector = {
  readonly stop: () => Promise<void>
  /** Last projected position; undefined before the first event. */
  readonly position: () => bigint | undefined
  /** Resolves when the projector ended by `stop`; rejects with the reason when it ended by itself. */
  readonly ended: Promise<void>
  /** Not ok: it ended by itself, streams are parked, the database does not answer, or it is behind by more than 10 s. */
  readonly readiness: () => Promise<{ readonly ok: boolean; readonly detail?: string }>
  readonly metrics: Readonly<Record<string, Metric>>
}

const readyLagMs = 10_000

export async function startProjector(deps: StartProjectorDeps): Promise<Projector> {
  const { pool, store, log } = deps
  const stopping = new AbortController()
  const state = {
    position: (await readCheckpoint(pool)).checkpoint?.position,
    recordedAt: undefined as string | undefined,
    events: 0,
    pages: 0,
    caughtUp: false,
    caughtUpAt: performance.now(),
    parked: (await loadParkedKeys(pool)).length,
    trouble: undefined as unknown,
    troubles: 0,
    failure: undefined as unknown,
    alarmsDue: true,
  }
  const isCaughtUp = async () => {
    const head = await store.head()
    return head === undefined || (state.position !== undefined && state.position >= head.position)
  }
  const running = runProjector({
    store,
    pool,
    log,
    signal: stopping.signal,
    pageSize: deps.pageSize ?? 5_000,
    packing: deps.packing,
    tracer: deps.tracer ?? offTracer,
    onApplied: (applied) => {
      state.position = applied.position
      state.recordedAt = applied.recordedAt
      state.events += applied.events
      state.pages++
      state.trouble = undefined
      deps.onApplied?.(applied)
    },
    onParked: (parkings) => {
      state.alarmsDue = true
      state.parked += parkings.length
      for (const parking of parkings)
        log.error(
          {
            stream: parking.stream,
            position: String(parking.events[0]?.position),
            eventId: parking.events[0]?.id,
            type: parking.events[0]?.type,
            cause: parking.cause,
          },
          'a stream of events stopped: it cannot be projected from here on; everything else goes on',
        )
    },
    onTurn: async (isCaughtUp) => {
      state.caughtUp = isCaughtUp
      if (isCaughtUp) state.caughtUpAt = performance.now()
      if (!state.alarmsDue) return
      state.alarmsDue = !(await deliverAlarms(deps))
    },
    onTrouble: (error) => {
      state.trouble = error
      state.troubles++
    },
  })
  const ended = running.catch((error: unknown) => {
    if (stopping.signal.aborted) return
    state.failure = error
    log.fatal({ err: error }, 'the projector stopped')
    throw error
  })
  ended.catch(() => {})

  return {
    stop: async () => {
      stopping.abort()
      await ended.catch(() => {})
    },
    position: () => state.position,
    ended,
    readiness: async () => {
      if (state.failure) return { ok: false, detail: `the projector stopped: ${messageOf(state.failure)}` }
      if (state.trouble) return { ok: false, detail: `tries again: ${messageOf(state.trouble)}` }
      const parked = await loadParkedKeys(pool)
      if (parked.length > 0)
        return {
          ok: false,
          detail: `${parked.length} streams stopped: ${parked
            .slice(0, 10)
            .map((key) => `${key.stream} at position ${key.position} (${key.type}: ${key.message})`)
            .join('; ')}`,
        }
      if (await isCaughtUp()) return { ok: true }
      const behindMs = performance.now() - state.caughtUpAt
      return behindMs > readyLagMs
        ? { ok: false, detail: `behind the store for ${Math.round(behindMs / 1000)} s` }
        : { ok: true }
    },
    metrics: {
      bioledger_projection_events_total: {
        kind: 'counter',
        unit: '{event}',
        description: 'Events projected since the start',
        read: () => state.events,
      },
      bioledger_projection_pages_total: {
        kind: 'counter',
        unit: '{page}',
        description: 'Transactions since the start',
        read: () => state.pages,
      },
      bioledger_projection_retries_total: {
        kind: 'counter',
        unit: '{retry}',
        description: 'Attempts that had to be repeated since the start',
        read: () => state.troubles,
      },
      bioledger_projection_lag_seconds: {
        kind: 'gauge',
        unit: 's',
        description: 'Time since the projection last stood at the end of the store; 0 while it does',
        read: () => (state.caughtUp ? 0 : (performance.now() - state.caughtUpAt) / 1000),
      },
      bioledger_projection_parked_streams: {
        kind: 'gauge',
        unit: '{stream}',
        description: 'Streams that stopped at an event that cannot be projected',
        read: () => state.parked,
      },
    },
  }
}

/** True when no alarm is due any more; whatever fails is tried again at the next turn. */
async function deliverAlarms(deps: StartProjectorDeps): Promise<boolean> {
  try {
    for (const parked of await loadUnalarmed(deps.pool)) {
      await deps.raiseAlarm(parked)
      await markAlarmed(deps.pool, parked.stream)
    }
    return true
  } catch (error) {
    deps.log.error({ err: error }, 'an alarm about a stopped stream is not in the store yet')
    return false
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
