/**
 * Ingest. In: sensor messages from a `MessageSource`. Out: `SensorReadingRecorded`, `ReadingQuarantined`,
 * `SensorGapDetected`, `SensorGapClosed`, `SourceClockStepped`, `AlarmRaised`, `IngressStated`, `StreamSealed` in
 * the `reading-…` streams and `quarantine`, of which it is the only writer.
 *
 * A message is acknowledged when its readings are durable in the store and counted in the accounting; nothing that
 * was acknowledged is lost and nothing is stored twice, also over a kill at any moment.
 */
import { fileURLToPath } from 'node:url'
import { type Clock, systemClock } from '../infra/clock.ts'
import type { EventStore } from '../infra/event-store/event-store.ts'
import type { Logger } from '../infra/log.ts'
import type { MessageSource, SensorMessage } from '../infra/mqtt/message-source.ts'
import { migrate } from '../infra/postgres/migrate.ts'
import { createPool, type Pool } from '../infra/postgres/pool.ts'
import { offTracer, type Tracer } from '../infra/telemetry/tracer.ts'
import { streams } from '../schemas/streams.ts'
import { accounting } from './accounting.ts'
import { budget } from './budget.ts'
import { decodeMessage } from './decode.ts'
import type { DecodedMessage } from './decoded-message.ts'
import { idleStream, type Occupancy } from './lifecycle.ts'
import { lifecycleView } from './lifecycle-view.ts'
import type { WaitingMessage } from './message-queue.ts'
import { type IngestMetrics, ingestMetrics } from './metrics.ts'
import { type StreamWriter, streamWriter } from './stream-writer.ts'

export type IngestDeps = {
  readonly store: EventStore
  /** Database with the schema of `migrateIngest`; `bioledger_app` suffices. */
  readonly pool: Pool
  readonly source: MessageSource
  readonly site: string
  readonly log: Logger
  readonly clock?: Clock
  readonly tracer?: Tracer
  /** Readings in memory at most; default 20,000. Beyond it the source has to wait. */
  readonly readingsInFlight?: number
  /** Something that ingest cannot work on after: another ingest took over, the store was replaced. */
  readonly onFailure?: (error: unknown) => void
}

export type Ingest = {
  readonly metrics: IngestMetrics
  /** Takes no more, finishes what is under way (at most `withinMs`, default 10 s) and states the figures. */
  stop(withinMs?: number): Promise<void>
}

/** Creates or updates schema `ingest`. */
export async function migrateIngest(options: { readonly adminUrl: string }): Promise<void> {
  const pool = createPool(options.adminUrl, { name: 'ingest-migration', max: 1 })
  try {
    await migrate(pool, fileURLToPath(new URL('./migrations/', import.meta.url)), 'ingest')
  } finally {
    await pool.end()
  }
}

const tickMs = 100

/** Resolves when messages flow. Rejects when the store is not the one that the figures were counted for. */
export async function startIngest(deps: IngestDeps): Promise<Ingest> {
  const { store, source, site, log } = deps
  const clock = deps.clock ?? systemClock
  const tracer = deps.tracer ?? offTracer
  const abort = new AbortController()
  const { signal } = abort
  const metrics = ingestMetrics()
  const account = accounting({
    pool: deps.pool,
    log,
    signal,
    onCommit: () => {
      metrics.accountings++
    },
  })
  const view = lifecycleView({ store, log, signal })
  const room = budget(deps.readingsInFlight ?? 20_000)
  const writers = new Map<string, StreamWriter>()
  let failure: unknown
  const fail = (error: unknown): void => {
    if (failure !== undefined || signal.aborted) return
    failure = error
    log.fatal({ error: error instanceof Error ? error.message : String(error) }, 'ingest stopped')
    source.pause()
    abort.abort()
    deps.onFailure?.(error)
  }

  await account.takeOver(store.storeId)
  const sealedStreams = new Set(await account.sealedStreams())

  const writerOf = (stream: string): StreamWriter => {
    let writer = writers.get(stream)
    if (!writer) {
      writer = streamWriter(
        {
          store,
          accounting: account,
          log,
          signal,
          metrics,
          tracer,
          site,
          nowMs: clock.nowMs,
          onRetry: () => {
            metrics.appendRetries++
          },
          reroute: (messages) => {
            for (const waiting of messages) assign(waiting)
          },
          onSealed: (sealed) => sealedStreams.add(sealed),
          onFailure: fail,
        },
        stream,
      )
      writers.set(stream, writer)
    }
    return writer
  }

  const isTaking = (stream: string): boolean =>
    !sealedStreams.has(stream) && (writers.get(stream)?.isTaking() ?? true)

  const route = (
    vessel: string | undefined,
    atMs: number,
  ): { stream: string; lateFor: Occupancy | undefined } => {
    if (vessel === undefined) return { stream: streams.quarantine, lateFor: undefined }
    const occupancy = view.lifecycle.occupancyAt(vessel, atMs)
    if (!occupancy) return { stream: idleStream(vessel, atMs), lateFor: undefined }
    const stream = streams.reading(occupancy.batchId)
    if (isTaking(stream)) return { stream, lateFor: undefined }
    return { stream: idleStream(vessel, atMs), lateFor: occupancy }
  }

  const assign = ({ message, acknowledge }: Pick<WaitingMessage, 'message' | 'acknowledge'>): void => {
    const { stream, lateFor } = route(message.vessel, message.atMs)
    writerOf(stream).enqueue({ message, lateFor, acknowledge })
  }

  type Unassigned = { readonly message: DecodedMessage; readonly acknowledge: () => void }
  let unassigned: Unassigned[] = []
  let isAssigning = false
  /** Nothing is assigned before the batches are known as they were in the store when it arrived. */
  const assignAll = async (): Promise<void> => {
    isAssigning = true
    try {
      while (unassigned.length > 0) {
        const group = unassigned
        unassigned = []
        await view.refresh()
        for (const one of group) assign(one)
      }
    } catch (error) {
      fail(error)
    } finally {
      isAssigning = false
    }
  }

  const deliver = async (message: SensorMessage): Promise<void> => {
    metrics.messages++
    if (message.retained) {
      metrics.retainedIgnored++
      return
    }
    const span = tracer.startSpan('ingest.message', { parentTraceparent: message.traceparent })
    const traceparent = tracer === offTracer ? message.traceparent : tracer.traceparentOf(span)
    const decoded = decodeMessage(message, traceparent)
    const { claims } = decoded
    metrics.readings.received += claims
    if (claims === 0) return tracer.endSpan(span)
    metrics.messagesInFlight++
    metrics.readingsInFlight += claims
    const wait = room.take(claims)
    if (wait) await wait
    await new Promise<void>((acknowledge) => {
      unassigned.push({ message: decoded, acknowledge })
      if (!isAssigning) void assignAll()
    })
    room.give(claims)
    tracer.endSpan(span)
    metrics.messagesInFlight--
    metrics.readingsInFlight -= claims
    metrics.lastLagMs = clock.nowMs() - decoded.receivedAtMs
  }

  const sealEnded = (): void => {
    for (const occupancy of view.lifecycle.ended()) {
      const stream = streams.reading(occupancy.batchId)
      if (!sealedStreams.has(stream)) writerOf(stream).sealAfter(occupancy, clock.nowMs())
    }
  }

  await view.refresh()
  for (const { stream } of await account.openStreams()) {
    await writerOf(stream).opened()
    if (failure !== undefined) throw failure
  }
  sealEnded()
  const following = view.follow(sealEnded).catch((error: unknown) => {
    if (!signal.aborted) fail(error)
  })

  const timer = setInterval(() => {
    const now = clock.nowMs()
    const isListening = source.isConnected() && !room.isSpent() && unassigned.length === 0
    for (const [stream, writer] of writers) {
      const vessel = writer.vessel()
      writer.tick(now, isListening && vessel !== undefined && route(vessel, now).stream === stream)
      if (writer.isDormant()) writers.delete(stream)
    }
    metrics.openStreams = writers.size
  }, tickMs)

  await source.start(deliver)

  return {
    metrics,
    stop: async (withinMs = 10_000) => {
      clearInterval(timer)
      source.pause()
      const deadline = new Promise<void>((settle) => {
        const giveUp = setTimeout(() => settle(), withinMs)
        signal.addEventListener('abort', () => {
          clearTimeout(giveUp)
          settle()
        })
      })
      const finished = (async () => {
        while (metrics.messagesInFlight > 0 && !signal.aborted)
          await new Promise((settle) => setTimeout(settle, 10))
        await Promise.all([...writers.values()].map((writer) => writer.finish()))
      })().catch((error: unknown) => {
        if (!signal.aborted) log.warn({ error: String(error) }, 'ingest could not finish')
      })
      await Promise.race([finished, deadline])
      await source.stop()
      abort.abort()
      await following
    },
  }
}
