/**
 * Whether glycerol has run out, as seen by the signals at once: ammonia demand falls with growth within a minute,
 * dissolved oxygen climbs, carbon dioxide falls. Two signs together count; one alone may be a fault of its sensor.
 */
export type DepletionSigns = {
  readonly hours: number
  readonly glycerolGPerL: number
  /** Ammonia feed as a part of what unlimited growth would take; undefined where unknown. */
  readonly baseShare: number | undefined
  readonly dissolvedOxygenPercent: number | undefined
  readonly carbonDioxidePercent: number | undefined
}

export type DepletionWatch = {
  /** True from the window in which depletion is recognised. */
  readonly apply: (signs: DepletionSigns) => boolean
  readonly seenAtHours: () => number | undefined
}

const earliestHours = 8
const confirmingWindows = 2
const backWindows = 10

export function depletionWatch(): DepletionWatch {
  const oxygen: number[] = []
  const carbonDioxide: number[] = []
  let confirmed = 0
  let seenAt: number | undefined
  const remember = (list: number[], value: number | undefined): void => {
    if (value === undefined) return
    list.push(value)
    if (list.length > backWindows) list.shift()
  }
  return {
    apply: (signs) => {
      if (seenAt !== undefined) return true
      const baseFell = signs.baseShare !== undefined && signs.baseShare < 0.55
      const oxygenRose =
        signs.dissolvedOxygenPercent !== undefined &&
        oxygen.length > 2 &&
        signs.dissolvedOxygenPercent - Math.min(...oxygen) > 8
      const carbonDioxideFell =
        signs.carbonDioxidePercent !== undefined &&
        carbonDioxide.length > 2 &&
        signs.carbonDioxidePercent < 0.94 * Math.max(...carbonDioxide)
      remember(oxygen, signs.dissolvedOxygenPercent)
      remember(carbonDioxide, signs.carbonDioxidePercent)
      const signsSeen = [baseFell, oxygenRose, carbonDioxideFell].filter(Boolean).length
      const ripe = signs.hours > earliestHours && signs.glycerolGPerL < 12
      const enough =
        signsSeen >= 2 || (signsSeen === 1 && (baseFell || carbonDioxideFell) && signs.glycerolGPerL < 1.5)
      confirmed = ripe && enough ? confirmed + 1 : 0
      if (confirmed >= confirmingWindows) seenAt = signs.hours
      return seenAt !== undefined
    },
    seenAtHours: () => seenAt,
  }
}
