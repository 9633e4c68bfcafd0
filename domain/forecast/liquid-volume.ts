/**
 * Broth volume in litres from the balance: the weight at the first windows stands for the filled vessel less the
 * samples drawn by then; from there weight follows samples, base and evaporation. Without a plausible weight the
 * volume is reckoned from them.
 */
import { nominal } from './batch-model.ts'

export type LiquidVolume = {
  /** Litres; `weightKg` of the window where there is one. */
  readonly apply: (
    hours: number,
    weightKg: number | undefined,
    samplesDrawn: number,
    baseMl: number,
  ) => number
}

const filledL = 1
const sampleL = 0.01
const densityKgPerL = 1.04
const tareMinutes = 6
const plausibleL = 0.04

export function liquidVolume(): LiquidVolume {
  const tares: number[] = []
  return {
    apply: (hours, weightKg, samplesDrawn, baseMl) => {
      const reckoned = filledL - sampleL * samplesDrawn + baseMl / 1000 - nominal.evaporationLPerH * hours
      if (weightKg === undefined) return reckoned
      if (hours * 60 <= tareMinutes) tares.push(weightKg - densityKgPerL * (reckoned - filledL))
      if (tares.length === 0) return reckoned
      const tare = tares.reduce((sum, one) => sum + one, 0) / tares.length
      const weighed = filledL + (weightKg - tare) / densityKgPerL
      return Math.abs(weighed - reckoned) < plausibleL ? weighed : reckoned
    },
  }
}
