/**
 * Inference. In: each vessel's readings, lifecycle and samples in store order, and the events of models, from the vessel
 * feed. Out: `ProcessWindowDerived` in `derived-<batchId>`; `OdForecastIssued`, `ForecastWithheld` and `ForecastScored` in
 * `forecast-<batchId>`, of which it is the only writer; both end with `StreamSealed`. Telemetry over MQTT for displays.
 *
 * Promises: exactly one forecast event for each closed window and model, whatever is restarted or handed on; the same
 * events give the same bytes; nothing recorded after the event that closed a window was looked at.
 */
import { type Clock, systemClock } from '../infra/clock.ts'
import type { EventStore } from '../infra/event-store/event-store.ts'
import type { VesselFeed } from '../infra/feed/feed.ts'
import type { Logger } from '../infra/log.ts'
import type { TelemetryPublisher } from '../infra/mqtt/telemetry-publisher.ts'
import type { Metric } from '../infra/telemetry/metric.ts'
import { installModels } from './governance/install-models.ts'
import { watchFiles } from './governance/watch-files.ts'
import { countPrediction, inferenceFigures, inferenceMetrics } from './metrics.ts'
import type { ModelCatalogue } from './model-catalogue.ts'
import { monitorModels } from './monitoring/monitor-models.ts'
import { watchDrift } from './monitoring/watch-drift.ts'
import type { SettledWindow } from './settle.ts'
import { telemetryOutlet } from './telemetry.ts'
import { vesselsOf } from './vessels.ts'

export type InferenceDeps = {
  readonly store: EventStore
  readonly feed: VesselFeed
  readonly catalogue: ModelCatalogue
  readonly site: string
  readonly log: Logger
  readonly clock?: Clock
  /** Absent: no telemetry. */
  readonly telemetry?: TelemetryPublisher
  /** Workers of one group share the vessels; default `inference`. */
  readonly group?: string
  /** Between two checks of the models' files; default 24 h. */
  readonly checkFilesEveryMs?: number
}

export type Inference = {
  readonly readiness: () => Promise<{ readonly ok: boolean; readonly detail?: string }>
  readonly metrics: Readonly<Record<string, Metric>>
  /** Rejects when the service cannot go on; resolves after `stop`. */
  readonly ended: Promise<void>
  stop(): Promise<void>
}

const dayMs = 24 * 60 * 60 * 1000

/** Resolves when the installed models are registered and the feed is being followed. */
export async function startInference(deps: InferenceDeps): Promise<Inference> {
  const { store, feed, catalogue, log, site } = deps
  const clock = deps.clock ?? systemClock
  const stopping = new AbortController()
  const { signal } = stopping
  const figures = inferenceFigures()
  const telemetry = deps.telemetry && telemetryOutlet(deps.telemetry)
  let failure: unknown
  let wasRetrying = false

  const governed = { store, clock, site, log, signal, figures, catalogue }
  await installModels(governed, catalogue.installed())
  const files = await watchFiles(governed, deps.checkFilesEveryMs ?? dayMs)
  const monitor = monitorModels(governed)
  const drift = watchDrift({ ...governed, installed: catalogue.installed })

  const vessels = vesselsOf({
    store,
    feed,
    models: catalogue,
    log,
    signal,
    onRetry: () => {
      figures.retries++
      wasRetrying = true
    },
    onAppended: () => {
      wasRetrying = false
    },
    onCollision: (stream, ids) => {
      figures.collisions += ids.length
      log.error(
        { stream, ids: ids.slice(0, 5) },
        'the store holds these forecasts with other content; they stand',
      )
    },
    onPredicted: (rows, seconds) => countPrediction(figures, rows, seconds),
    onWindows: (settled) => {
      settled.forEach(told)
      drift.saw(settled)
    },
    onEnded: drift.ended,
    onScored: (events) => {
      figures.scored += events.length
    },
  })

  function told(settled: SettledWindow): void {
    figures.windows++
    const { forecast } = settled
    if (forecast?.type === 'OdForecastIssued') figures.issued++
    else if (forecast) {
      const reason = String(forecast.data.reason)
      figures.withheldByReason.set(reason, (figures.withheldByReason.get(reason) ?? 0) + 1)
    }
    figures.lagSeconds = Math.max(0, (clock.nowMs() - Date.parse(settled.step.window.closedAt)) / 1000)
    if (telemetry) {
      telemetry.take(settled)
      figures.telemetryDropped = telemetry.dropped()
    }
  }

  const running = feed
    .run({
      group: deps.group ?? 'inference',
      signal,
      onAssigned: async (lanes) => {
        log.info({ lanes }, 'these lanes of the vessel feed are ours')
      },
      onRevoked: async (lanes) => vessels.drop(lanes),
      onEvents: (delivery) => vessels.take(delivery),
    })
    .catch((error: unknown) => {
      if (signal.aborted) return
      failure = error
      log.fatal({ err: error }, 'inference stopped')
      throw error
    })
  running.catch(() => {})

  return {
    ended: running,
    metrics: inferenceMetrics(figures, vessels.counts),
    readiness: async () => {
      if (failure !== undefined) return { ok: false, detail: `inference stopped: ${messageOf(failure)}` }
      if (wasRetrying)
        return { ok: false, detail: 'the forecasts cannot be made durable at present; it is tried again' }
      const mismatch = files.mismatch()
      if (mismatch) return { ok: false, detail: mismatch }
      return { ok: true }
    },
    stop: async () => {
      stopping.abort()
      await running.catch(() => {})
      await files.stop()
      await monitor.stop()
      await drift.stop()
      telemetry?.flush()
    },
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
