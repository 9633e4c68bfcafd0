/**
 * The sampling plan of a batch (0, 2, 4, 6, 8, 12, 16 h and depletion) and the offline OD600 assay: the broth is
 * diluted into the photometer's linear range (0.1 to 1.0 AU), read to four decimals, multiplied back.
 */
import type { RandomStream } from './random.ts'

export const scheduledHours = [0, 2, 4, 6, 8, 12, 16] as const
/** The depletion sample is drawn when the oxygen spike has been confirmed. */
export const depletionSampleDelayHours = 0.5

export const depletionPoint = 'depletion'
export const sampleMl = 10

/** Says at each second, fed in order, which scheduled point is drawn now, if any. */
export function samplePlan(): (hours: number, depletedAtHours: number | undefined) => string | undefined {
  let next = 0
  let depletionDrawn = false
  return (hours, depletedAtHours) => {
    const due = scheduledHours[next]
    if (due !== undefined && hours >= due) {
      next++
      return `${due}h`
    }
    if (depletionDrawn || depletedAtHours === undefined) return undefined
    if (hours < depletedAtHours + depletionSampleDelayHours) return undefined
    depletionDrawn = true
    return depletionPoint
  }
}

export type OfflineAssay = {
  /** Relative SD of one assay. */
  readonly cv: number
  /** Absolute SD of the photometer, AU. */
  readonly au: number
  /** Relative bias of this batch's operator. */
  readonly bias: number
}

export const exactAssay: OfflineAssay = { cv: 0, au: 0, bias: 0 }

export type Sample = {
  readonly scheduledPoint: string
  readonly second: number
  readonly hours: number
  readonly replicate: number
  readonly trueOd: number
  /** As the technician writes them down. */
  readonly od600Raw: string
  readonly dilutionFactor: string
  readonly volumeMl: string
}

const dilutions = [1, 2, 5, 10, 20, 50, 100, 200] as const

/** One assay of broth with true OD `od`. */
export function assayOd(
  od: number,
  assay: OfflineAssay,
  random: RandomStream,
): { od600Raw: string; dilutionFactor: string } {
  const dilution = dilutions.find((factor) => od / factor <= 0.9) ?? 200
  const relative = 1 + assay.bias + assay.cv * random.normal()
  const raw = Math.max(0, (od / dilution) * relative + assay.au * random.normal())
  return { od600Raw: raw.toFixed(4), dilutionFactor: String(dilution) }
}
