/**
 * One line of `evaluate --rows`: a forecast as it was issued or withheld, with what came true. Everything that
 * `evaluate` prints can be computed again from these lines alone.
 */
import type { Horizon, WithholdReason } from '../../schemas/events/forecast-events.ts'
import type { ProcessPhase } from '../../schemas/events/process-events.ts'

export type ScoreRow = {
  /** `<campaign seed>/<batch number>`. */
  readonly batch: string
  readonly issuedAt: string
  /** `PT0S` is the soft sensor; `depletion` is the time to depletion, its values in minutes. */
  readonly horizon: Horizon | 'depletion'
  /** As seen when it was issued. */
  readonly phase: ProcessPhase | null
  /** OD600 in AU; null when withheld. */
  readonly p5: number | null
  readonly p50: number | null
  readonly p95: number | null
  /** Offline OD600 at the time forecast (mean of replicates). */
  readonly measured: number | null
  /** True OD600 at the time forecast (or true minutes to depletion); null where the simulation has none. */
  readonly trueValue: number | null
  /** OD600 by the online probe and µ (1/h) when it was issued. */
  readonly lastValue: number | null
  readonly lastMu: number | null
  /** Issued before glycerol was depleted (S < 0.1 g/L). */
  readonly beforeDepletion: boolean
  readonly hoursSinceInoculation: number
  /** Why it was withheld. */
  readonly reason?: WithholdReason
  readonly detail?: string
  /** Of the soft sensor: OD600 from gas, ammonia and inoculum without offline samples, and from gas and inoculum. */
  readonly p50GasAndBase?: number
  readonly p50GasOnly?: number
}
