/**
 * Fills a gap with a Kalman filter and Rauch-Tung-Striebel smoother over a local linear trend: level and slope, the
 * slope driven by white noise. Unlike a random walk it goes on with the trend before the gap, and it gives the
 * variance of each filled value, largest in the middle of the gap.
 * Source: Rauch, Tung and Striebel 1965; Durbin and Koopman, Time Series Analysis by State Space Methods, 3.2.
 */

export type TrendNoise = {
  /** Variance of one reading, unit². */
  readonly reading: number
  /** Spectral density of the slope's white noise, unit²/s³. */
  readonly slope: number
}

export type Point = { readonly atMs: number; readonly value: number }
export type FilledPoint = Point & { readonly variance: number }

type State = {
  readonly level: number
  readonly slope: number
  /** Covariance: level-level, level-slope, slope-slope. */
  readonly ll: number
  readonly ls: number
  readonly ss: number
}

type Step = { readonly seconds: number; readonly predicted: State; readonly filtered: State }

/** Slope of the first point is unknown: an SD of one noise SD a second says so. */
const priorSlopePerS = 1

/**
 * Values at `times` (ms, ascending, between the last of `before` and `after`). `before` holds at least one reading,
 * in order of time.
 */
export function fillByTrend(
  before: readonly Point[],
  times: readonly number[],
  after: Point,
  noise: TrendNoise,
): readonly FilledPoint[] {
  const first = before[0]
  if (first === undefined) throw new RangeError('before: at least one reading is needed')
  let state: State = {
    level: first.value,
    slope: 0,
    ll: noise.reading,
    ls: 0,
    ss: priorSlopePerS ** 2 * noise.reading,
  }
  let atMs = first.atMs
  for (const point of before.slice(1)) {
    state = update(predict(state, (point.atMs - atMs) / 1000, noise), point.value, noise)
    atMs = point.atMs
  }
  const steps: Step[] = []
  for (const time of times) {
    const seconds = (time - atMs) / 1000
    state = predict(state, seconds, noise)
    steps.push({ seconds, predicted: state, filtered: state })
    atMs = time
  }
  const lastSeconds = (after.atMs - atMs) / 1000
  const predictedAfter = predict(state, lastSeconds, noise)
  let smoothed = update(predictedAfter, after.value, noise)
  let next = { predicted: predictedAfter, seconds: lastSeconds }

  const filled: FilledPoint[] = []
  for (let nth = steps.length - 1; nth >= 0; nth--) {
    const step = steps[nth]!
    smoothed = smooth(step.filtered, next.predicted, smoothed, next.seconds)
    filled.push({ atMs: times[nth]!, value: smoothed.level, variance: smoothed.ll })
    next = step
  }
  return filled.reverse()
}

function predict(state: State, seconds: number, { slope: density }: TrendNoise): State {
  return {
    level: state.level + seconds * state.slope,
    slope: state.slope,
    ll: state.ll + 2 * seconds * state.ls + seconds * seconds * state.ss + (density * seconds ** 3) / 3,
    ls: state.ls + seconds * state.ss + (density * seconds ** 2) / 2,
    ss: state.ss + density * seconds,
  }
}

function update(state: State, value: number, { reading }: TrendNoise): State {
  const total = state.ll + reading
  const gainLevel = state.ll / total
  const gainSlope = state.ls / total
  const surprise = value - state.level
  return {
    level: state.level + gainLevel * surprise,
    slope: state.slope + gainSlope * surprise,
    ll: (1 - gainLevel) * state.ll,
    ls: (1 - gainLevel) * state.ls,
    ss: state.ss - gainSlope * state.ls,
  }
}

/** One step back: x_s = x_f + G (x_s' − x_p'), P_s = P_f + G (P_s' − P_p') Gᵀ with G = P_f Fᵀ P_p'⁻¹. */
function smooth(filtered: State, predicted: State, next: State, seconds: number): State {
  const determinant = predicted.ll * predicted.ss - predicted.ls * predicted.ls
  // P_f Fᵀ, with F = [[1, s], [0, 1]].
  const a = filtered.ll + seconds * filtered.ls
  const b = filtered.ls
  const c = filtered.ls + seconds * filtered.ss
  const d = filtered.ss
  const g11 = (a * predicted.ss - b * predicted.ls) / determinant
  const g12 = (b * predicted.ll - a * predicted.ls) / determinant
  const g21 = (c * predicted.ss - d * predicted.ls) / determinant
  const g22 = (d * predicted.ll - c * predicted.ls) / determinant
  const level = next.level - predicted.level
  const slope = next.slope - predicted.slope
  const ll = next.ll - predicted.ll
  const ls = next.ls - predicted.ls
  const ss = next.ss - predicted.ss
  return {
    level: filtered.level + g11 * level + g12 * slope,
    slope: filtered.slope + g21 * level + g22 * slope,
    ll: filtered.ll + g11 * g11 * ll + 2 * g11 * g12 * ls + g12 * g12 * ss,
    ls: filtered.ls + g11 * g21 * ll + (g11 * g22 + g12 * g21) * ls + g12 * g22 * ss,
    ss: filtered.ss + g21 * g21 * ll + 2 * g21 * g22 * ls + g22 * g22 * ss,
  }
}
