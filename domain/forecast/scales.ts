/**
 * How uncertain each forecast is by the filter's own reckoning: standard deviations of ln OD600 at each horizon and
 * of the minutes to depletion, by linear propagation of the filter's covariance through exponential growth.
 */
import type { Horizon } from '../../schemas/events/forecast-events.ts'
import { horizonHours, horizons } from './roll-forward.ts'
import type { VesselEstimate } from './vessel-estimate.ts'

const smallest = 0.003
const smallestMinutes = 0.5

export function scales(estimate: VesselEstimate): Record<Horizon | 'depletion', number> {
  const { filters, outlook } = estimate
  const { all, soft } = filters
  const now = all.rates()
  const mu = estimate.depletedAtHours === undefined ? (now?.mu ?? 0) : 0
  const untilDepletion =
    estimate.depletedAtHours === undefined ? (outlook.depletionMinutes ?? Number.POSITIVE_INFINITY) / 60 : 0
  const scale: Record<Horizon | 'depletion', number> = {
    PT0S: Math.max(smallest, soft.sdLnOd()),
    PT30S: smallest,
    PT30M: smallest,
    PT1H: smallest,
    PT2H: smallest,
    depletion: smallestMinutes,
  }
  for (const horizon of horizons) {
    const growing = mu * Math.min(horizonHours[horizon], untilDepletion)
    scale[horizon] = Math.max(smallest, all.sdOf({ lnBiomass: 1, lnDcwPerOd: -1, lnMuMax: growing }))
  }
  if (now && mu > 0.01 && Number.isFinite(untilDepletion)) {
    // S = (X/Y)(exp(µT) − 1), solved for small changes of T.
    const glycerol = all.value('glycerol')
    const perHour = Math.max(0.1, now.uptake + mu * glycerol)
    scale.depletion = Math.max(
      smallestMinutes,
      60 *
        all.sdOf({
          glycerol: 1 / perHour,
          lnBiomass: -glycerol / perHour,
          lnYield: glycerol / perHour,
          lnMuMax: -untilDepletion,
        }),
    )
  }
  return scale
}
