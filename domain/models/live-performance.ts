/**
 * How well a model does in use, judged by offline samples: mean relative error and the coverage of its 90 % interval, each
 * horizon for itself over its newest scores. Coverage is judged by a one-sided binomial test: amber below 5 %, red
 * below 1 %, shared among the horizons tested (Bonferroni). Red coverage or a mean relative error above 10 % suspends.
 */
import type { Horizon } from '../../schemas/events/forecast-events.ts'

export type LiveScore = {
  readonly horizon: Horizon
  readonly relativeError: number
  /** Within the interval, the assay's own error allowed for. */
  readonly isCovered: boolean
}

export const monitoringRules = {
  /** Scores a horizon that are looked at. */
  newest: 200,
  /** Fewer say nothing. */
  atLeast: 20,
  statedCoverage: 0.9,
  amber: 0.05,
  red: 0.01,
  largestMeanRelativeError: 0.1,
} as const

export type Judgement = {
  readonly horizon: Horizon
  readonly count: number
  readonly meanRelativeError: number
  readonly covered: number
  /** Probability of so few covered ones, or fewer, if the stated coverage held. */
  readonly probability: number
  readonly colour: 'not-evaluated' | 'green' | 'amber' | 'red'
  /** Why it is red or amber. */
  readonly findings: readonly { readonly rule: 'live-coverage' | 'live-error'; readonly finding: string }[]
}

/** `scores` in the order of their recording. */
export function judgeLivePerformance(scores: readonly LiveScore[]): readonly Judgement[] {
  const byHorizon = new Map<Horizon, LiveScore[]>()
  for (const score of scores) {
    const own = byHorizon.get(score.horizon)
    if (own) own.push(score)
    else byHorizon.set(score.horizon, [score])
  }
  const tested = [...byHorizon.values()].filter(({ length }) => length >= monitoringRules.atLeast).length
  return [...byHorizon].map(([horizon, own]) => judged(horizon, own.slice(-monitoringRules.newest), tested))
}

function judged(horizon: Horizon, scores: readonly LiveScore[], tested: number): Judgement {
  const { atLeast, statedCoverage, amber, red, largestMeanRelativeError } = monitoringRules
  const count = scores.length
  const covered = scores.filter(({ isCovered }) => isCovered).length
  const meanRelativeError = scores.reduce((sum, { relativeError }) => sum + relativeError, 0) / count
  const probability = binomialAtMost(covered, count, statedCoverage)
  const figures = { horizon, count, meanRelativeError, covered, probability }
  if (count < atLeast) return { ...figures, colour: 'not-evaluated', findings: [] }
  const findings: Judgement['findings'][number][] = []
  if (probability * tested < amber)
    findings.push({
      rule: 'live-coverage',
      finding: `${covered} of ${count} offline samples lay in the 90 % interval of ${horizon} (p = ${probability.toExponential(1)})`,
    })
  const isTooWrong = meanRelativeError > largestMeanRelativeError
  if (isTooWrong)
    findings.push({
      rule: 'live-error',
      finding: `mean relative error of ${horizon} ${(100 * meanRelativeError).toFixed(1)} % over ${count} offline samples, allowed ${100 * largestMeanRelativeError} %`,
    })
  const isRed = isTooWrong || probability * tested < red
  return { ...figures, colour: isRed ? 'red' : findings.length > 0 ? 'amber' : 'green', findings }
}

/** P(X ≤ k) for X of the binomial distribution of n trials with probability p, 0 < p < 1. */
export function binomialAtMost(k: number, n: number, p: number): number {
  if (k < 0) return 0
  if (k >= n) return 1
  let logTerm = n * Math.log1p(-p)
  let sum = Math.exp(logTerm)
  for (let successes = 1; successes <= k; successes++) {
    logTerm += Math.log((n - successes + 1) / successes) + Math.log(p) - Math.log1p(-p)
    sum += Math.exp(logTerm)
  }
  return Math.min(1, sum)
}
