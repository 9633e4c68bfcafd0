/**
 * From the heads' raw outputs to what is said: residuals put back on the equations (the middle one by the share that
 * proved itself), quantiles in order, bounds
 * shifted by the conformal calibration of the phase, lower bounds widened by what missing glycerol
 * would take away (nothing shows that before it is used up), and withheld where the interval says too little.
 */
import type { Horizon } from '../../schemas/events/forecast-events.ts'
import { attributionsOf } from './attributions.ts'
import { type Calibration, headName, type Target } from './calibration.ts'
import { domainLimits } from './domain-limits.ts'
import { featureNames } from './feature-schema.ts'
import type { ForecastInput, ForecastOutcome, HeadOutputs, Quantiles } from './outcome.ts'
import { horizons } from './roll-forward.ts'

/** Above this ratio of p95 to p5 at 30 min nobody can act on the number. */
export const widestRatio = 1.6
const farthestDepletionMinutes = 360

/** Throws RangeError when a head is missing from the outputs of an input that is not withheld. */
export function composeOutcome(
  input: ForecastInput,
  outputs: HeadOutputs,
  calibration: Calibration,
): ForecastOutcome {
  if (input.withhold) return { kind: 'withheld', ...input.withhold }
  const { basis } = input
  const residuals = (target: Target): Quantiles => {
    const raw = (['p5', 'p50', 'p95'] as const).map((quantile) =>
      outputOf(outputs, headName(target, quantile)),
    )
    const shifts = calibration.offsets[target]
    const shift = shifts[input.window.phase ?? 'all']
    const p50 = calibration.middle[target] * (raw[1] ?? Number.NaN)
    return { p5: Math.min(...raw) - shift.lower, p50, p95: Math.max(...raw) + shift.upper }
  }
  const stretch = (target: Target): number => calibration.widening[target][input.window.phase ?? 'all']
  const doubt = probeDoubt(input)
  const od = (horizon: Horizon, lnBase: number, lnLowerBase = lnBase): { horizon: Horizon } & Quantiles => {
    const z = residuals(horizon)
    const at = (base: number, residual: number): number => base + basis.scale[horizon] * residual
    const ln = stretched(
      inOrder({
        p5: at(Math.min(lnBase, lnLowerBase), z.p5),
        p50: at(lnBase, z.p50),
        p95: at(lnBase, z.p95),
      }),
      stretch(horizon) * (horizon === 'PT0S' ? 1 : doubt),
    )
    return { horizon, p5: Math.exp(ln.p5), p50: Math.exp(ln.p50), p95: Math.exp(ln.p95) }
  }
  const forecasts = horizons.map((horizon) =>
    od(
      horizon,
      basis.lnOd + basis.outlook.lnRatio[horizon],
      basis.lnOd + basis.shortOutlook.lnRatio[horizon],
    ),
  )
  const half = forecasts.find(({ horizon }) => horizon === 'PT30M')
  if (!half || !(half.p95 / half.p5 <= widestRatio))
    return {
      kind: 'withheld',
      reason: 'interval-too-wide',
      detail: `90 % interval at 30 min from ${half?.p5.toFixed(2)} to ${half?.p95.toFixed(2)}, a ratio above ${widestRatio}`,
    }
  const depletion = depletionOf(input, residuals, stretch('depletion'))
  return {
    kind: 'issued',
    horizons: [od('PT0S', basis.softLnOd), ...forecasts],
    ...(depletion ? { depletionMinutes: depletion } : {}),
    attributions: attributionsOf(input, half.p50),
  }
}

/** Minutes to depletion; none after it, nor farther ahead than was trained. */
function depletionOf(
  input: ForecastInput,
  residuals: (target: Target) => Quantiles,
  widening: number,
): Quantiles | undefined {
  const { basis } = input
  const minutes = basis.outlook.depletionMinutes
  if (basis.depleted || minutes === undefined || minutes > farthestDepletionMinutes) return undefined
  const z = residuals('depletion')
  const at = (base: number, residual: number): number => base + basis.scale.depletion * residual
  const short = Math.min(minutes, basis.shortOutlook.depletionMinutes ?? 0)
  const { p5, p50, p95 } = stretched(
    inOrder({ p5: at(short, z.p5), p50: at(minutes, z.p50), p95: at(minutes, z.p95) }),
    widening,
  )
  return { p5: Math.max(0, p5), p50: Math.max(0, p50), p95: Math.max(0, p95) }
}

const odGainColumn = featureNames.indexOf('lnOdGain')

/** A probe gain that few batches have may be one that none should have: the forecast is less sure of itself then. */
function probeDoubt({ features }: ForecastInput): number {
  const beyond = Math.abs(features[odGainColumn] ?? 0) - domainLimits.doubtedOdGain
  return Math.min(domainLimits.mostDoubt, 1 + Math.max(0, beyond) / domainLimits.doubtPerGain)
}

const stretched = ({ p5, p50, p95 }: Quantiles, by: number): Quantiles => ({
  p5: p50 + by * (p5 - p50),
  p50,
  p95: p50 + by * (p95 - p50),
})

const inOrder = ({ p5, p50, p95 }: Quantiles): Quantiles => ({
  p5: Math.min(p5, p50),
  p50,
  p95: Math.max(p95, p50),
})

function outputOf(outputs: HeadOutputs, name: string): number {
  const value = outputs[name]
  if (value === undefined || !Number.isFinite(value)) throw new RangeError(`head ${name}: no output`)
  return value
}
