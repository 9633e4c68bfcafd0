/**
 * An offline OD600 meets the forecasts that were made for its time. Only forecasts of windows that closed before the sample
 * was recorded count: a later one may have looked at it. For each horizon the forecast whose target time lies
 * nearest, at most one window away (at µ 0.25 1/h OD600 changes by 0.2 % in 30 s); the earlier one of two.
 */
import { coversWithAssayError } from '../domain/models/assay-error.ts'
import { windowMs } from '../domain/process-windows/process-window.ts'
import type { ClientEvent } from '../schemas/event.ts'
import type { Horizon } from '../schemas/events/forecast-events.ts'
import { derivedId } from '../schemas/ids.ts'
import type { BatchRun, SampleStep } from './batch-run.ts'
import { forecastId, inferenceActor } from './events.ts'

export const horizonMs: Readonly<Record<Horizon, number>> = {
  PT0S: 0,
  PT30S: 30_000,
  PT30M: 1_800_000,
  PT1H: 3_600_000,
  PT2H: 7_200_000,
}

/** End of the window whose forecast of that horizon is judged by a sample; undefined where there can be none. */
export function judgedWindowEnd(
  sampledMs: number,
  horizon: Horizon,
  closedThroughMs: number | undefined,
): number | undefined {
  if (closedThroughMs === undefined) return undefined
  const ahead = horizonMs[horizon]
  // Horizons are whole windows, so windows and target times lie on one grid.
  const nearest = Math.ceil(sampledMs / windowMs - 0.5) * windowMs
  const end = Math.min(nearest - ahead, closedThroughMs)
  return Math.abs(end + ahead - sampledMs) <= windowMs ? end : undefined
}

/** The event of that id if it is an issued forecast, whatever holds it. */
export type FindForecast = (id: string) => Promise<ClientEvent | undefined>

/** One `ForecastScored` for each model that had forecast the sample's time. */
export async function scoreSample(
  run: BatchRun,
  step: SampleStep,
  modelHashes: readonly string[],
  find: FindForecast,
): Promise<readonly ClientEvent[]> {
  const events: ClientEvent[] = []
  for (const modelHash of modelHashes) {
    const scores: Record<string, unknown>[] = []
    for (const horizon of Object.keys(horizonMs) as Horizon[]) {
      const end = judgedWindowEnd(step.sampledMs, horizon, step.closedThroughMs)
      if (end === undefined) continue
      const score = scoreOf(step, horizon, await find(forecastId(run.batchId, end, modelHash)))
      if (score) scores.push(score)
    }
    if (scores.length > 0) events.push(scoredEvent(run, step, modelHash, scores))
  }
  return events
}

type IssuedData = {
  readonly phase: string | null
  readonly horizons: readonly {
    readonly horizon: Horizon
    readonly p5: number
    readonly p50: number
    readonly p95: number
  }[]
}

function scoreOf(
  { measured }: SampleStep,
  horizon: Horizon,
  forecast: ClientEvent | undefined,
): Record<string, unknown> | undefined {
  if (forecast?.type !== 'OdForecastIssued') return undefined
  const { phase, horizons } = forecast.data as IssuedData
  const found = horizons.find((one) => one.horizon === horizon)
  if (!found) return undefined
  const { p5, p50, p95 } = found
  return {
    horizon,
    forecastEventId: forecast.id,
    issuedAt: forecast.occurredAt,
    phase,
    p5,
    p50,
    p95,
    relativeError: Math.abs(p50 - measured) / measured,
    covered: p5 <= measured && measured <= p95,
    coveredWithAssayError: coversWithAssayError(found, measured),
  }
}

function scoredEvent(
  run: BatchRun,
  { event, sampledMs, measured }: SampleStep,
  modelHash: string,
  scores: readonly Record<string, unknown>[],
): ClientEvent {
  return {
    id: derivedId(sampledMs, 'score/v1', run.batchId, event.id, modelHash),
    type: 'ForecastScored',
    schemaVersion: 1,
    occurredAt: event.occurredAt,
    receivedAt: event.recordedAt,
    actor: inferenceActor,
    origin: run.origin,
    site: run.site,
    causationId: event.id,
    data: {
      batchId: run.batchId,
      vessel: run.vessel,
      modelHash,
      sampleEventId: event.id,
      sampledAt: event.occurredAt,
      measured,
      scores,
    },
  }
}
