/** Figures of the inference service, counted since its start. */
import type { DriftJudgement } from '../domain/models/input-drift.ts'
import type { Metric } from '../infra/telemetry/metric.ts'

export type InferenceFigures = {
  windows: number
  issued: number
  withheldByReason: Map<string, number>
  scored: number
  rowsPredicted: number
  predictionSeconds: number
  /** The newest calls of the model, in any order. */
  recentPredictions: { readonly endedMs: number; readonly seconds: number }[]
  predictionCalls: number
  retries: number
  collisions: number
  suspensions: number
  alarms: number
  telemetryDropped: number
  /** Of the last judgement of the inputs. */
  drift: readonly DriftJudgement[]
  /** From the store's clock of the closing event to the durable forecast, the last one. */
  lagSeconds: number
}

export const inferenceFigures = (): InferenceFigures => ({
  windows: 0,
  issued: 0,
  withheldByReason: new Map(),
  scored: 0,
  rowsPredicted: 0,
  predictionSeconds: 0,
  recentPredictions: [],
  predictionCalls: 0,
  retries: 0,
  collisions: 0,
  suspensions: 0,
  alarms: 0,
  telemetryDropped: 0,
  drift: [],
  lagSeconds: 0,
})

const callsRemembered = 2_000
const recentMs = 2 * 60_000

export function countPrediction(figures: InferenceFigures, rows: number, seconds: number): void {
  const call = { endedMs: performance.now(), seconds }
  figures.recentPredictions[figures.predictionCalls++ % callsRemembered] = call
  figures.rowsPredicted += rows
  figures.predictionSeconds += seconds
}

/** Nearest rank over the last 2 min; undefined without a call in them. */
function recentP99(figures: InferenceFigures): number | undefined {
  const sinceMs = performance.now() - recentMs
  const recent = figures.recentPredictions
    .filter(({ endedMs }) => endedMs >= sinceMs)
    .map(({ seconds }) => seconds)
    .sort((a, b) => a - b)
  return recent[Math.ceil(0.99 * recent.length) - 1]
}

export function inferenceMetrics(
  figures: InferenceFigures,
  counts: () => { readonly vessels: number; readonly openBatches: number },
): Readonly<Record<string, Metric>> {
  const counter = (unit: string, description: string, read: Metric['read']): Metric => ({
    kind: 'counter',
    unit,
    description,
    read,
  })
  const gauge = (unit: string, description: string, read: Metric['read']): Metric => ({
    kind: 'gauge',
    unit,
    description,
    read,
  })
  return {
    bioledger_inference_windows_total: counter(
      '{window}',
      'Closed windows made durable',
      () => figures.windows,
    ),
    bioledger_inference_forecasts_issued_total: counter(
      '{forecast}',
      'Forecasts issued',
      () => figures.issued,
    ),
    bioledger_inference_forecasts_withheld_total: counter('{forecast}', 'Forecasts withheld, by reason', () =>
      [...figures.withheldByReason].map(([reason, value]) => ({ value, attributes: { reason } })),
    ),
    bioledger_inference_samples_scored_total: counter(
      '{sample}',
      'Offline samples that met forecasts',
      () => figures.scored,
    ),
    bioledger_inference_rows_predicted_total: counter(
      '{row}',
      'Rows that the model was asked for',
      () => figures.rowsPredicted,
    ),
    bioledger_inference_prediction_seconds_total: counter(
      's',
      'Time spent in the model',
      () => figures.predictionSeconds,
    ),
    bioledger_inference_prediction_calls_total: counter(
      '{call}',
      'Calls of the model, each with the rows of many windows',
      () => figures.predictionCalls,
    ),
    bioledger_inference_prediction_p99_seconds: gauge(
      's',
      '99th percentile of the calls of the model in the last 2 min, the newest 2,000 at most',
      () => recentP99(figures),
    ),
    bioledger_inference_retries_total: counter(
      '{attempt}',
      'Attempts to forecast or to append that had to be repeated',
      () => figures.retries,
    ),
    bioledger_inference_collisions_total: counter(
      '{event}',
      'Forecasts that the store holds with other content; the stored ones stand',
      () => figures.collisions,
    ),
    bioledger_inference_telemetry_dropped_total: counter(
      '{message}',
      'Telemetry messages given up because the broker did not take them',
      () => figures.telemetryDropped,
    ),
    bioledger_inference_input_drift_psi: gauge(
      '1',
      'Population stability index of an input against training, by phase',
      () => figures.drift.map(({ phase, feature, psi }) => ({ value: psi, attributes: { phase, feature } })),
    ),
    bioledger_inference_suspensions_total: counter(
      '{suspension}',
      'Models suspended by the monitoring',
      () => figures.suspensions,
    ),
    bioledger_inference_alarms_total: counter('{alarm}', 'Alarms about models', () => figures.alarms),
    bioledger_inference_vessels: gauge('{vessel}', 'Vessels known', () => counts().vessels),
    bioledger_inference_open_batches: gauge(
      '{batch}',
      'Batches whose state is held in memory',
      () => counts().openBatches,
    ),
    bioledger_inference_lag_seconds: gauge(
      's',
      'From the recording of the event that closed the last window to its durable forecast',
      () => figures.lagSeconds,
    ),
  }
}
