/**
 * Why a forecast says what it says: ln OD600 in 30 min taken apart by leaving sources of knowledge out, one after the
 * other. Each filter sees one source more than the last, so that the contributions add up to the forecast exactly.
 */
import type { ForecastInput } from './outcome.ts'

export type Attribution = { readonly feature: string; readonly contribution: number }

const mostShown = 5

/** Largest first; in ln OD600. */
export function attributionsOf(input: ForecastInput, forecastOd: number): readonly Attribution[] {
  const { basis } = input
  const growth = basis.outlook.lnRatio.PT30M
  const parts: Attribution[] = [
    { feature: 'inoculum and time', contribution: basis.blindLnOd },
    { feature: 'off-gas', contribution: basis.gasOnlyLnOd - basis.blindLnOd },
    { feature: 'ammonia feed', contribution: basis.gasAndBaseLnOd - basis.gasOnlyLnOd },
    { feature: 'offline OD600', contribution: basis.softLnOd - basis.gasAndBaseLnOd },
    { feature: 'online OD', contribution: basis.lnOd - basis.softLnOd },
    { feature: 'growth in 30 min', contribution: growth },
    { feature: 'learned residual', contribution: Math.log(forecastOd) - basis.lnOd - growth },
  ]
  return parts
    .toSorted(
      (a, b) => Math.abs(b.contribution) - Math.abs(a.contribution) || a.feature.localeCompare(b.feature),
    )
    .slice(0, mostShown)
}
