/**
 * Glycerol depletion as the dissolved oxygen shows it: DO ≥ 80 % for at least 10 min, after a rise of at least 40
 * points within 30 min, not before T = 12 h. Dips of up to 3 points are tolerated: the cascade lowering agitation or
 * oxygen makes the rise uneven. It confirms some 20 to 60 min after the glycerol is gone, the later the slower respiration fades.
 * Source: process description of the batch, end-of-batch signature.
 */
export const depletionRule = {
  oxygenPercent: 80,
  dipPercent: 3,
  holdMs: 10 * 60_000,
  risePercent: 40,
  riseWithinMs: 30 * 60_000,
  earliestHours: 12,
} as const

export type DepletionWatch = {
  /**
   * The dissolved oxygen of the window that ended at `toMs`, in % (undefined where unknown), `hours` after T = 0.
   * Gives the instant of confirmation once the rule is met, and then keeps it.
   */
  readonly push: (
    toMs: number,
    oxygenPercent: number | undefined,
    hours: number | undefined,
  ) => number | undefined
}

/** `stepMs`: from window to window. */
export function depletionWatch(stepMs: number): DepletionWatch {
  const size = Math.round(depletionRule.riseWithinMs / stepMs) + 1
  const recent = new Float64Array(size).fill(Number.NaN)
  let next = 0
  let risenAtMs = Number.NEGATIVE_INFINITY
  let highSinceMs: number | undefined
  let confirmedMs: number | undefined

  return {
    push: (toMs, oxygenPercent, hours) => {
      if (confirmedMs !== undefined) return confirmedMs
      recent[next] = oxygenPercent ?? Number.NaN
      next = next + 1 === size ? 0 : next + 1
      // Unknown oxygen breaks the hold: ten minutes must have been seen.
      if (oxygenPercent === undefined) {
        highSinceMs = undefined
        return undefined
      }
      if (oxygenPercent - lowest(recent) >= depletionRule.risePercent) risenAtMs = toMs
      const limit =
        highSinceMs === undefined
          ? depletionRule.oxygenPercent
          : depletionRule.oxygenPercent - depletionRule.dipPercent
      if (oxygenPercent < limit) highSinceMs = undefined
      else highSinceMs ??= toMs - stepMs
      if (
        highSinceMs !== undefined &&
        hours !== undefined &&
        hours >= depletionRule.earliestHours &&
        toMs - highSinceMs >= depletionRule.holdMs &&
        risenAtMs >= highSinceMs - depletionRule.riseWithinMs
      )
        confirmedMs = toMs
      return confirmedMs
    },
  }
}

function lowest(values: Float64Array): number {
  let low = Number.POSITIVE_INFINITY
  for (const value of values) if (value < low) low = value
  return low
}
