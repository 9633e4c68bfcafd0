/**
 * A running integral by the trapezoid rule over true time steps, from T = 0 (never from a restart of the product).
 * A gap below 5 min is bridged by its straight line; a longer one adds nothing and is counted in `uncoveredSeconds`:
 * the integral never pretends that a missing rate was zero or went on.
 */
export type IntegralValue = {
  /** The rate's unit × hours. */
  readonly total: number
  readonly uncoveredSeconds: number
}

export type RunningIntegral = {
  /** The mean rate of the window `fromMs` to `toMs`, undefined where unknown; windows in order of time. */
  readonly push: (fromMs: number, toMs: number, ratePerH: number | undefined) => void
  /** As of the end of the last window pushed. */
  readonly value: () => IntegralValue
  /**
   * Counts from `atMs` on. What was integrated before that instant is taken off again, as far as an hour back; what
   * lies further back is unknown by then and counts as uncovered.
   */
  readonly startAt: (atMs: number) => void
}

const hour = 3_600_000
const rememberedWindows = 121

export function runningIntegral(bridgeBelowMs = 300_000): RunningIntegral {
  const ends = new Float64Array(rememberedWindows)
  const totals = new Float64Array(rememberedWindows)
  const uncovereds = new Float64Array(rememberedWindows)
  let remembered = 0
  let total = 0
  let uncoveredMs = 0
  let startMs: number | undefined
  /** The last known rate, at the middle of its window. */
  let known: { atMs: number; halfMs: number; ratePerH: number } | undefined
  /** Where counting began. */
  let reachedMs: number | undefined

  const push = (fromMs: number, toMs: number, ratePerH: number | undefined): void => {
    if (startMs !== undefined && toMs <= startMs) return
    const begin = startMs === undefined ? fromMs : Math.max(fromMs, startMs)
    reachedMs ??= startMs ?? fromMs
    if (ratePerH !== undefined) {
      const middle = (begin + toMs) / 2
      if (known !== undefined && middle - known.atMs < bridgeBelowMs)
        total += ((known.ratePerH + ratePerH) / 2) * ((middle - known.atMs) / hour)
      else {
        // Each known rate holds for its own half window towards the gap; what lies between is unknown.
        if (known !== undefined) total += known.ratePerH * (known.halfMs / hour)
        total += ratePerH * ((middle - begin) / hour)
        uncoveredMs += Math.max(0, begin - (known === undefined ? reachedMs : known.atMs + known.halfMs))
      }
      known = { atMs: middle, halfMs: toMs - middle, ratePerH }
    }
    remember(toMs)
  }

  /** Up to the end of the last window: the last rate holds for its own half window. */
  const valueAt = (toMs: number): IntegralValue => {
    if (known === undefined)
      return { total: 0, uncoveredSeconds: reachedMs === undefined ? 0 : (toMs - reachedMs) / 1000 }
    const tailMs = toMs - known.atMs
    const own = Math.min(tailMs, known.halfMs)
    return {
      total: total + known.ratePerH * (own / hour),
      uncoveredSeconds: (uncoveredMs + (tailMs - own)) / 1000,
    }
  }

  let lastEnd: number | undefined
  function remember(toMs: number): void {
    lastEnd = toMs
    const { total: reached, uncoveredSeconds } = valueAt(toMs)
    const at = remembered % rememberedWindows
    ends[at] = toMs
    totals[at] = reached
    uncovereds[at] = uncoveredSeconds * 1000
    remembered++
  }

  return {
    push,
    value: () => (lastEnd === undefined ? { total: 0, uncoveredSeconds: 0 } : valueAt(lastEnd)),
    startAt: (atMs) => {
      startMs = atMs
      if (lastEnd === undefined || atMs >= lastEnd) {
        total = 0
        uncoveredMs = 0
        known = undefined
        reachedMs = undefined
        lastEnd = undefined
        remembered = 0
        return
      }
      // T = 0 lies in windows already closed: take off what had been reached by the last end before it.
      const oldest = Math.max(0, remembered - rememberedWindows)
      let base: { endMs: number; total: number; uncoveredMs: number } | undefined
      for (let nth = oldest; nth < remembered; nth++) {
        const at = nth % rememberedWindows
        if (ends[at]! > atMs) break
        base = { endMs: ends[at]!, total: totals[at]!, uncoveredMs: uncovereds[at]! }
      }
      if (base !== undefined) {
        total -= base.total
        uncoveredMs -= base.uncoveredMs
        return
      }
      const at = oldest % rememberedWindows
      if (oldest === 0) return
      total -= totals[at]!
      uncoveredMs += ends[at]! - atMs - uncovereds[at]!
    },
  }
}
