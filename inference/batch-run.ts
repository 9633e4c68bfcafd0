/**
 * What one batch's events lead to, step by step: closed windows made ready for the model, offline samples that judge earlier
 * forecasts, the end. Pure fold over the batch's own streams in store order, begun at `BatchCreated`: the same events
 * give the same steps whatever the feed, the size of its deliveries, and the restarts in between.
 */
import { forecastFold } from '../domain/forecast/forecast-fold.ts'
import type { ForecastInput } from '../domain/forecast/outcome.ts'
import { windowFold } from '../domain/process-windows/fold-windows.ts'
import type { ProcessWindow } from '../domain/process-windows/process-window.ts'
import type { Origin, RecordedEvent } from '../schemas/event.ts'
import { streams } from '../schemas/streams.ts'

export type WindowStep = {
  readonly kind: 'window'
  readonly window: ProcessWindow
  /** Undefined: the window is none that a forecast belongs to (before inoculation). */
  readonly input: ForecastInput | undefined
  /** The event that closed the window: nothing later was looked at. */
  readonly closing: { readonly id: string; readonly position: bigint }
}

export type SampleStep = {
  readonly kind: 'sample'
  readonly event: RecordedEvent
  readonly sampledMs: number
  /** Offline OD600, AU, dilution applied. */
  readonly measured: number
  /** End of the last window that closed before the sample was recorded; undefined before the first. */
  readonly closedThroughMs: number | undefined
}

export type EndStep = { readonly kind: 'end'; readonly event: RecordedEvent }

export type BatchStep = WindowStep | SampleStep | EndStep

export type BatchRun = {
  readonly batchId: string
  readonly vessel: string
  readonly origin: Origin
  readonly site: string
  /** Position of the last event folded. */
  position(): bigint
  /** Events at or before `position()` and events of other streams lead to nothing. */
  apply(event: RecordedEvent): readonly BatchStep[]
}

const none: readonly BatchStep[] = []

/** Undefined unless the event is a `BatchCreated` of its own stream. */
export function batchRun(created: RecordedEvent): BatchRun | undefined {
  const { batchId, vessel } = created.data
  if (created.type !== 'BatchCreated' || typeof batchId !== 'string' || typeof vessel !== 'string')
    return undefined
  if (created.stream !== streams.batch(batchId)) return undefined
  const own = new Set([streams.batch(batchId), streams.reading(batchId)])
  const windows = windowFold({ vessel })
  const forecasts = forecastFold()
  let position = created.position
  let closedThroughMs: number | undefined
  let hasEnded = false
  windows.apply(created)

  return {
    batchId,
    vessel,
    origin: created.origin,
    site: created.site,
    position: () => position,
    apply(event) {
      if (hasEnded || event.position <= position || !own.has(event.stream)) return none
      position = event.position
      const closed = windows.apply(event)
      if (closed.length === 0 && event.type === 'SensorReadingRecorded') return none
      const steps: BatchStep[] = []
      for (const window of closed) {
        closedThroughMs = window.toMs
        steps.push({
          kind: 'window',
          window,
          input: forecasts.apply(window),
          closing: { id: event.id, position: event.position },
        })
      }
      if (event.type === 'SampleTaken') {
        const measured = Number(event.data.od600)
        if (measured > 0)
          steps.push({
            kind: 'sample',
            event,
            sampledMs: Date.parse(event.occurredAt),
            measured,
            closedThroughMs,
          })
      }
      if (event.type === 'BatchClosed' || event.type === 'BatchAborted') {
        hasEnded = true
        steps.push({ kind: 'end', event })
      }
      return steps
    },
  }
}
