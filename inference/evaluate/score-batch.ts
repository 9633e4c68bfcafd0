/** Runs the model over the windows of a simulated batch, as the service does, and scores each forecast. */

import { forecastFold } from '../../domain/forecast/forecast-fold.ts'
import type { ForecastInput, ForecastOutcome } from '../../domain/forecast/outcome.ts'
import { horizonHours } from '../../domain/forecast/roll-forward.ts'
import { windowMs } from '../../domain/process-windows/process-window.ts'
import { type Horizon, horizon } from '../../schemas/events/forecast-events.ts'
import type { LoadedModel } from '../model/load-model.ts'
import type { FoldedBatch } from './folded-batch.ts'
import type { ScoreRow } from './score-row.ts'

const hourMs = 3_600_000
const aheadHours: Readonly<Record<Horizon, number>> = { PT0S: 0, ...horizonHours }
/** From here on the time to depletion is judged. */
const nearMinutes = 240
/** Windows that are predicted together; the bits do not depend on it. */
const together = 500

/** Each forecast of the batch to `each`, in order of time. */
export async function scoreBatch(
  model: LoadedModel,
  batch: string,
  folded: FoldedBatch,
  each: (row: ScoreRow) => void,
): Promise<void> {
  const fold = forecastFold()
  const measured = measuredAt(folded)
  let waiting: ForecastInput[] = []
  const flush = async (): Promise<void> => {
    const outputs = await model.predict(waiting)
    waiting.forEach((input, index) => {
      const outcome = model.compose(input, outputs[index] ?? {})
      for (const row of rowsOf(batch, folded, input, outcome, measured)) each(row)
    })
    waiting = []
  }
  for (const window of folded.windows) {
    const input = fold.apply(window)
    if (input) waiting.push(input)
    if (waiting.length >= together) await flush()
  }
  await flush()
}

function* rowsOf(
  batch: string,
  folded: FoldedBatch,
  input: ForecastInput,
  outcome: ForecastOutcome,
  measured: (atMs: number) => number | null,
): Generator<ScoreRow> {
  const { window } = input
  const { odEvery30s, depletionHours } = folded.truth
  const hours = (window.toMs - folded.startMs) / hourMs
  const common = {
    batch,
    issuedAt: new Date(window.toMs).toISOString(),
    phase: window.phase ?? null,
    lastValue: input.lastValue,
    lastMu: input.lastMu,
    beforeDepletion: depletionHours === undefined || hours < depletionHours,
    hoursSinceInoculation: hours,
  }
  const withheld =
    outcome.kind === 'withheld'
      ? { p5: null, p50: null, p95: null, reason: outcome.reason, detail: outcome.detail }
      : undefined
  for (const name of horizon.options) {
    const forecast =
      outcome.kind === 'issued' ? outcome.horizons.find((one) => one.horizon === name) : undefined
    if (!forecast && !withheld) continue
    const targetMs = window.toMs + aheadHours[name] * hourMs
    yield {
      ...common,
      horizon: name,
      ...(forecast
        ? { p5: forecast.p5, p50: forecast.p50, p95: forecast.p95 }
        : { p5: null, p50: null, p95: null, ...withheld }),
      measured: measured(targetMs),
      trueValue: odEvery30s[Math.round((targetMs - folded.startMs) / windowMs)] ?? null,
      ...(name === 'PT0S' && forecast
        ? {
            p50GasAndBase: Math.exp(input.basis.gasAndBaseLnOd),
            p50GasOnly: Math.exp(input.basis.gasOnlyLnOd),
          }
        : {}),
    }
  }
  if (outcome.kind === 'withheld') return
  const minutes = outcome.depletionMinutes
  const trueMinutes = depletionHours === undefined ? null : (depletionHours - hours) * 60
  // Where it was near and no time was told, a row says so.
  if (!minutes && !(trueMinutes !== null && trueMinutes > 0 && trueMinutes <= nearMinutes)) return
  yield {
    ...common,
    horizon: 'depletion',
    ...(minutes
      ? { p5: minutes.p5, p50: minutes.p50, p95: minutes.p95 }
      : { p5: null, p50: null, p95: null, detail: 'no time to depletion was told' }),
    measured: null,
    trueValue: trueMinutes,
  }
}

/** Offline OD600 of the samples drawn within half a window of an instant, or null. */
function measuredAt(folded: FoldedBatch): (atMs: number) => number | null {
  const samples = folded.windows.at(-1)?.samples ?? []
  const atMs = samples.map(({ sampledMs }) => sampledMs)
  return (target) => {
    const hits = samples.filter((_, index) => Math.abs((atMs[index] ?? 0) - target) < windowMs / 2)
    return hits.length === 0 ? null : hits.reduce((sum, { od600 }) => sum + od600, 0) / hits.length
  }
}
