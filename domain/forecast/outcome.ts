/** What a forecaster says about a window: quantiles per horizon, or why it says nothing. */
import type { Horizon, WithholdReason } from '../../schemas/events/forecast-events.ts'
import type { ProcessWindow } from '../process-windows/process-window.ts'
import type { Outlook } from './roll-forward.ts'

export type Quantiles = { readonly p5: number; readonly p50: number; readonly p95: number }

/** A window made ready for the model: the features as the model was trained on them, and what was judged before it. */
export type ForecastInput = {
  readonly window: ProcessWindow
  /** In the order of the feature schema; NaN where a value is missing. */
  readonly features: Float32Array
  /** OD600 by the online probe and µ in 1/h: what persistence and last-µ extrapolation would start from. */
  readonly lastValue: number | null
  readonly lastMu: number | null
  readonly inDomainScore: number
  /** What the equations say, to which the model's heads add their residuals. */
  readonly basis: ForecastBasis
  /** Present: no model is asked. */
  readonly withhold?: { readonly reason: WithholdReason; readonly detail: string }
}

/** Natural logarithms of OD600 now, by what each estimate may look at, and the equations carried on. */
export type ForecastBasis = {
  readonly lnOd: number
  readonly softLnOd: number
  readonly gasAndBaseLnOd: number
  readonly gasOnlyLnOd: number
  readonly blindLnOd: number
  readonly outlook: Outlook
  /** The same with glycerol missing (`domainLimits.shortGlycerol`): lower bounds allow for it. */
  readonly shortOutlook: Outlook
  readonly depleted: boolean
  /** The filter's own standard deviations, in which the heads state their residuals; of `depletion` in minutes. */
  readonly scale: Readonly<Record<Horizon | 'depletion', number>>
}

export type ForecastOutcome =
  | {
      readonly kind: 'issued'
      readonly horizons: readonly ({ readonly horizon: Horizon } & Quantiles)[]
      readonly depletionMinutes?: Quantiles
      readonly attributions: readonly { readonly feature: string; readonly contribution: number }[]
    }
  | { readonly kind: 'withheld'; readonly reason: WithholdReason; readonly detail: string }

/** The raw outputs of the model's heads for one window, by head name (`od-30m-p50`, …). */
export type HeadOutputs = Readonly<Record<string, number>>
