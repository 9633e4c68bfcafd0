/** What is fixed with a model to make its raw quantiles honest: shifts by phase, in standard deviations of the filter. */
import type { Horizon } from '../../schemas/events/forecast-events.ts'
import type { ProcessPhase } from '../../schemas/events/process-events.ts'

export type Target = Horizon | 'depletion'
export const targets: readonly Target[] = ['PT0S', 'PT30S', 'PT30M', 'PT1H', 'PT2H', 'depletion']

/** Subtracted from p5 and added to p95. */
export type Shift = { readonly lower: number; readonly upper: number }

export type Calibration = {
  /**
   * How much of the middle head's residual is put on the equations, 0 to 1: the share that served batches best which
   * the head had not seen.
   */
  readonly middle: Readonly<Record<Target, number>>
  /**
   * By how much the interval is stretched (or, below 1, drawn in) about its middle, 0.5 to 2: what batches show that
   * neither heads nor shifts had seen.
   */
  readonly widening: Readonly<Record<Target, Readonly<Record<ProcessPhase | 'all', number>>>>
  readonly offsets: Readonly<Record<Target, Readonly<Record<ProcessPhase | 'all', Shift>>>>
}

const headStem: Readonly<Record<Target, string>> = {
  PT0S: 'od-now',
  PT30S: 'od-30s',
  PT30M: 'od-30m',
  PT1H: 'od-1h',
  PT2H: 'od-2h',
  depletion: 'depletion',
}
export type Quantile = 'p5' | 'p50' | 'p95'
export const quantiles: readonly Quantile[] = ['p5', 'p50', 'p95']

/** Name of the head that predicts a quantile of a target, e.g. `od-30m-p50`. */
export const headName = (target: Target, quantile: Quantile): string => `${headStem[target]}-${quantile}`
export const headNames: readonly string[] = targets.flatMap((target) =>
  quantiles.map((quantile) => headName(target, quantile)),
)
