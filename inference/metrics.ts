/** Figures of the inference service, counted since its start. */
import type { Metric } from '../infra/telemetry/metric.ts'

export type InferenceFigures = {
  windows: number
  issued: number
  withheldByReason: Map<string, number>
  scored: number
  rowsPredicted: number
  predictionSeconds: number
  slowestPredictionSeconds: number
  appendRetries: number
  collisions: number
  suspensions: number
  alarms: number
  telemetryDropped: number
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
  slowestPredictionSeconds: 0,
  appendRetries: 0,
  collisions: 0,
  suspensions: 0,
  alarms: 0,
  telemetryDropped: 0,
  lagSeconds: 0,
})

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
    bioledger_inference_append_retries_total: counter(
      '{append}',
      'Appends that had to be repeated',
      () => figures.appendRetries,
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
