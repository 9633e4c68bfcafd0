/**
 * What differs from batch to batch and is not measured: biology, instrument gains and offsets, with the spread that
 * batches of this process show before anything is seen of one (relative standard deviations as logarithms).
 *
 * Source: process description, batch-to-batch variation and the realistic measurement scenario (probe, analyser and
 * pump gains, assay bias).
 */
export const unknownNames = [
  'lnBiomass',
  'glycerol',
  'lnMuMax',
  'lag',
  'lnYield',
  'lnDcwPerOd',
  'lnOdGain',
  'odCorrelated',
  'odDriftPerDay',
  'lnCarbonDioxideGain',
  'carbonDioxideOffset',
  'lnAirGain',
  'lnBaseGain',
  'assayBias',
  'oxygenOffset',
] as const
export type Unknown = (typeof unknownNames)[number]

export const indexOf = Object.fromEntries(unknownNames.map((name, index) => [name, index])) as Readonly<
  Record<Unknown, number>
>

export type Prior = { readonly mean: number; readonly sd: number }

/** All but the biomass at T = 0, which follows from the inoculum. Offsets in % v/v, lag in h, glycerol in g/L. */
export const priors: Readonly<Record<Exclude<Unknown, 'lnBiomass'>, Prior>> = {
  glycerol: { mean: 40, sd: 0.46 },
  lnMuMax: { mean: 0, sd: 0.03 },
  lag: { mean: 1, sd: 0.165 },
  lnYield: { mean: 0, sd: 0.02 },
  lnDcwPerOd: { mean: 0, sd: 0.02 },
  lnOdGain: { mean: 0, sd: 0.03 },
  odCorrelated: { mean: 0, sd: 0.015 },
  odDriftPerDay: { mean: 0, sd: 0.01 },
  lnCarbonDioxideGain: { mean: 0, sd: 0.02 },
  carbonDioxideOffset: { mean: 0, sd: 0.01 },
  lnAirGain: { mean: 0, sd: 0.01 },
  lnBaseGain: { mean: 0, sd: 0.03 },
  assayBias: { mean: 0, sd: 0.01 },
  oxygenOffset: { mean: 0, sd: 0.05 },
}

/** Relative SD of the OD at T = 0 against what the inoculum's own OD and volume promise; without a record of them. */
export const transferSd = 0.05
export const unknownInoculum = { od: 0.4, sd: 0.35 } as const

/** Time constant of the probe's autocorrelated noise. */
export const correlationHours = 1 / 6

/** Sum of squared prior standard deviations by which the learnt unknowns (neither state nor noise) are off. */
export function strain(mean: Float64Array): number {
  let sum = 0
  for (const name of unknownNames) {
    if (name === 'lnBiomass' || name === 'glycerol' || name === 'odCorrelated') continue
    const { mean: expected, sd } = priors[name]
    sum += (((mean[indexOf[name]] ?? expected) - expected) / sd) ** 2
  }
  return sum
}
