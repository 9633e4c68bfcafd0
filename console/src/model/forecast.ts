/**
 * Forecasts as drawn and said. A forecast is never drawn as a measured line: its path begins where it was issued, its
 * interval is what it promises (90 %), and where none was issued the reason stands in its place.
 */
import type { Forecast, HorizonCoverage, IssuedForecast, WithheldSpan } from '../api/answers.ts'
import { clockTime, type Zone } from './time.ts'
import type { StatusWord } from './value.ts'

export type HorizonName = IssuedForecast['horizons'][number]['horizon']
export type WithholdReason = WithheldSpan['reason']

export const horizonMs: Readonly<Record<HorizonName, number>> = {
  PT0S: 0,
  PT30S: 30_000,
  PT30M: 1_800_000,
  PT1H: 3_600_000,
  PT2H: 7_200_000,
}
export const horizonWords: Readonly<Record<HorizonName, string>> = {
  PT0S: 'now (soft sensor)',
  PT30S: '30 s',
  PT30M: '30 min',
  PT1H: '1 h',
  PT2H: '2 h',
}
export const longestHorizonMs = horizonMs.PT2H

export type PathPoint = {
  readonly at: number
  readonly p5: number
  readonly p50: number
  readonly p95: number
}

/** Where the forecast starts (the online value it starts from, when there was one) and each horizon ahead. */
export function pathOf(forecast: IssuedForecast): PathPoint[] {
  const origin = Date.parse(forecast.issuedAt)
  const ahead = forecast.horizons
    .filter(({ horizon }) => horizon !== 'PT0S')
    .map(({ horizon, p5, p50, p95 }) => ({ at: origin + horizonMs[horizon], p5, p50, p95 }))
    .sort((one, other) => one.at - other.at)
  const { lastValue } = forecast
  return lastValue === null || ahead.length === 0
    ? ahead
    : [{ at: origin, p5: lastValue, p50: lastValue, p95: lastValue }, ...ahead]
}

/** OD600 of each window as the soft sensor saw it, without the online probe. */
export function softSensorPath(items: readonly Forecast[]): PathPoint[] {
  return items.flatMap((item) => {
    const now = item.kind === 'issued' ? item.horizons.find(({ horizon }) => horizon === 'PT0S') : undefined
    return now ? [{ at: Date.parse(item.issuedAt), p5: now.p5, p50: now.p50, p95: now.p95 }] : []
  })
}

export const isIssued = (item: Forecast | undefined): item is IssuedForecast => item?.kind === 'issued'

/** Past forecasts, evenly chosen, so that a fan stays legible; the one in force is drawn by itself. */
export function fanOf(
  items: readonly Forecast[],
  inForce: Forecast | undefined,
  limit: number,
): IssuedForecast[] {
  const issued = items.filter(isIssued).filter((item) => item.eventId !== inForce?.eventId)
  const stride = Math.max(1, Math.ceil(issued.length / limit))
  return issued.filter((_, index) => index % stride === 0)
}

/** In order of their windows; an item that is there already is not repeated. */
export function addForecasts(items: readonly Forecast[], arrived: readonly Forecast[]): Forecast[] {
  const byId = new Map(items.map((item) => [item.eventId, item]))
  for (const item of arrived) byId.set(item.eventId, item)
  return [...byId.values()].sort(
    (one, other) =>
      Date.parse(one.issuedAt) - Date.parse(other.issuedAt) ||
      (BigInt(one.position) < BigInt(other.position) ? -1 : 1),
  )
}

/** The outcome of the newest window. */
export function newestOf(one: Forecast | undefined, items: readonly Forecast[]): Forecast | undefined {
  return addForecasts(one ? [one] : [], items).at(-1)
}

/** A withheld forecast goes on with the span before it when it is the next window with the same reason. */
export function addToSpans(
  spans: readonly WithheldSpan[],
  arrived: readonly Forecast[],
): readonly WithheldSpan[] {
  const next = [...spans]
  for (const item of arrived) {
    if (item.kind !== 'withheld') continue
    const last = next.at(-1)
    if (last && Date.parse(item.issuedAt) <= Date.parse(last.to)) continue
    const goesOn = last && last.reason === item.reason && last.to === item.window.from
    if (goesOn)
      next[next.length - 1] = { ...last, to: item.issuedAt, detail: item.detail, count: last.count + 1 }
    else
      next.push({
        from: item.window.from,
        to: item.issuedAt,
        reason: item.reason,
        detail: item.detail,
        count: 1,
        modelId: item.modelId,
        modelVersion: item.modelVersion,
      })
  }
  return next
}

const reasons: Readonly<Record<WithholdReason, string>> = {
  'phase-not-covered': 'phase not covered',
  'outside-trained-range': 'outside trained range',
  'too-many-missing': 'too many values missing',
  'inputs-disagree': 'inputs disagree',
  'interval-too-wide': 'interval too wide',
  'model-not-approved': 'model not approved for these data',
  'model-suspended': 'model suspended',
  'hash-mismatch': 'model files are not the approved ones',
  'no-model': 'no active model',
}
export const reasonWords = (reason: WithholdReason): string => reasons[reason]

export const withheldWords = ({ reason, detail }: Pick<WithheldSpan, 'reason' | 'detail'>): string =>
  `${reasonWords(reason)}: ${detail}`

/** `issued 14:20:07 by od600 1.0.0 (sha 3fa4…)` */
export const originWords = (forecast: Forecast, zone: Zone): string =>
  `${forecast.kind} ${clockTime(zone, Date.parse(forecast.issuedAt))} by ${forecast.modelId} ${forecast.modelVersion} (sha ${forecast.modelHash.slice(0, 4)}…)`

/** `17/20 = 85 % of 90 %` */
export function coverageWords({ covered, scored }: HorizonCoverage, stated: number): string {
  const share = (100 * covered) / scored
  return `${covered}/${scored} = ${Number(share.toFixed(1))} % of ${Math.round(100 * stated)} %`
}

/**
 * Whether so few covered samples can be chance, if the interval held what it states: the one-sided binomial tail, caution
 * below 5 %, alarm below 1 %. Undefined: nothing to say.
 */
export function coverageStatus(
  { covered, scored }: Pick<HorizonCoverage, 'covered' | 'scored'>,
  stated: number,
): StatusWord | undefined {
  const chance = binomialTail(covered, scored, stated)
  if (chance >= 0.05) return undefined
  return { word: 'too low', shape: 'down', tone: chance < 0.01 ? 'alarm' : 'caution' }
}

/** P(X ≤ `most`) of `trials` with chance `share` each; summed in logarithms, so that many trials do not underflow. */
export function binomialTail(most: number, trials: number, share: number): number {
  let logChoose = 0
  let tail = 0
  for (let hits = 0; hits <= Math.min(most, trials); hits += 1) {
    tail += Math.exp(logChoose + hits * Math.log(share) + (trials - hits) * Math.log(1 - share))
    logChoose += Math.log(trials - hits) - Math.log(hits + 1)
  }
  return Math.min(1, tail)
}

/** OD600 spans decades: three significant digits. */
export const formatOd = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
