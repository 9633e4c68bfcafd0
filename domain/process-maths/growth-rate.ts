/**
 * Specific growth rate as the slope of ln(signal) over trailing window means. Over evenly spaced points a straight
 * line and a Savitzky-Golay polynomial of order 2 have the same slope at the middle of the span, so the value belongs
 * to the middle: it lags by half the span. With 1 % noise per second, 61 means of 30 s leave an SD of 0.0016 1/h;
 * five would leave 0.07, and the second-by-second slope of one window 11.
 * Source: Savitzky and Golay 1964; process description of the batch.
 */

/** Optical density below which ln(OD) is mostly noise of the zero. */
export const opticalDensityFloor = 0.05
/** Points of 30 s: 30 min. */
export const growthRatePoints = 61
const filledPart = 0.8

export type TrailingLogSlope = {
  /** The mean of the next window, or undefined where there is none. Values below the floor count as the floor. */
  readonly push: (value: number | undefined) => void
  /** 1/h, or undefined while less than 80 % of the points are there. */
  readonly slopePerH: () => number | undefined
  readonly clear: () => void
}

/** `stepHours`: from one point to the next. `floor` > 0 in the signal's unit. */
export function trailingLogSlope(options: {
  readonly points: number
  readonly stepHours: number
  readonly floor: number
}): TrailingLogSlope {
  const { points, stepHours, floor } = options
  const ring = new Float64Array(points).fill(Number.NaN)
  let next = 0
  let filled = 0

  return {
    push: (value) => {
      if (!Number.isNaN(ring[next]!)) filled--
      ring[next] = value === undefined ? Number.NaN : Math.log(Math.max(floor, value))
      if (!Number.isNaN(ring[next]!)) filled++
      next = next + 1 === points ? 0 : next + 1
    },
    slopePerH: () => {
      if (filled < filledPart * points) return undefined
      let sumX = 0
      let sumY = 0
      for (let at = 0; at < points; at++) {
        const y = ring[(next + at) % points]!
        if (Number.isNaN(y)) continue
        sumX += at
        sumY += y
      }
      const meanX = sumX / filled
      const meanY = sumY / filled
      let xx = 0
      let xy = 0
      for (let at = 0; at < points; at++) {
        const y = ring[(next + at) % points]!
        if (Number.isNaN(y)) continue
        xx += (at - meanX) ** 2
        xy += (at - meanX) * (y - meanY)
      }
      return xy / xx / stepHours
    },
    clear: () => {
      ring.fill(Number.NaN)
      filled = 0
    },
  }
}

/** Growth rate between two samples: ln(later/earlier) per hour. Biomass (or OD) > 0, hours > 0. */
export function growthRateBetween(earlier: number, later: number, hours: number): number {
  if (!(earlier > 0 && later > 0 && hours > 0))
    throw new RangeError(`biomass ${earlier} to ${later} in ${hours} h: all must be above 0`)
  return Math.log(later / earlier) / hours
}
