/** What the forecaster knows of a vessel after a window: features, scales and checks are made of it. */
import type { ProcessWindow } from '../process-windows/process-window.ts'
import type { Outlook } from './roll-forward.ts'
import type { StateFilter } from './state-filter.ts'
import type { WindowSignals } from './window-signals.ts'

export type Filters = {
  readonly all: StateFilter
  readonly soft: StateFilter
  readonly gasAndBase: StateFilter
  readonly gasOnly: StateFilter
  /** The inoculum and the equations alone. */
  readonly blind: StateFilter
}

export type VesselEstimate = {
  readonly window: ProcessWindow
  readonly hours: number
  readonly signals: WindowSignals
  readonly filters: Filters
  readonly outlook: Outlook
  readonly oxygenFactor: number
  readonly enrichmentLPerMin: number
  readonly kLa500: number
  readonly volumeL: number
  readonly samples: number
  readonly hoursSinceSample: number
  readonly depletedAtHours: number | undefined
  /** Ammonia feed over what growth without glycerol limitation would take. */
  readonly baseShare: number | undefined
  /** ln kLa of this window against the vessel's own so far; 0 where unknown. */
  readonly transferChange: number
  /** The equations carried on with glycerol missing (`domainLimits.shortGlycerol`): no signal shows that before it is used up. */
  readonly shortOutlook: Outlook
}
