/**
 * Dry biomass from optical density, rates per gram of it, and the carbon balance of the batch.
 * Source: process description (correlation DCW = m·OD + b; glycerol 30.70 g and biomass 26 g per C-mol).
 */
export const glycerolGPerCmol = 30.7
export const biomassGPerCmol = 26

export type DryBiomassCorrelation = { readonly gPerLPerOd: number; readonly offsetGPerL: number }

/** g/L; never below 0. */
export function dryBiomass(od600: number, { gPerLPerOd, offsetGPerL }: DryBiomassCorrelation): number {
  return Math.max(0, gPerLPerOd * od600 + offsetGPerL)
}

/** mol/g/h from mol/L/h; undefined where there is no biomass to divide by. */
export function specificRate(ratePerL: number, biomassGPerL: number): number | undefined {
  return biomassGPerL > 0 ? ratePerL / biomassGPerL : undefined
}

/**
 * Carbon found (CO2 and new biomass) of the carbon in the glycerol used, C-mol/C-mol; a healthy batch closes within
 * 1 ± 0.1. Biomass and glycerol in g/L, CO2 in mol/L. Undefined when no glycerol was used.
 */
export function carbonClosure(carbon: {
  readonly carbonDioxideMolPerL: number
  readonly biomassGainGPerL: number
  readonly glycerolUsedGPerL: number
}): number | undefined {
  if (!(carbon.glycerolUsedGPerL > 0)) return undefined
  return (
    (carbon.carbonDioxideMolPerL + carbon.biomassGainGPerL / biomassGPerCmol) /
    (carbon.glycerolUsedGPerL / glycerolGPerCmol)
  )
}

/**
 * Dry cell weight in g/L: (dried filter − empty filter) ÷ filtered volume. Masses in g, volume in mL. The filter's own
 * weight is needed; against the wet filter the difference would be negative. Throws RangeError on impossible input.
 */
export function dryCellWeight(weighed: {
  readonly driedG: number
  readonly emptyFilterG: number
  readonly volumeMl: number
}): number {
  const { driedG, emptyFilterG, volumeMl } = weighed
  if (!(volumeMl > 0)) throw new RangeError(`volumeMl is ${volumeMl}, expected above 0`)
  if (!(driedG >= emptyFilterG))
    throw new RangeError(`driedG is ${driedG}, expected at least emptyFilterG ${emptyFilterG}`)
  return (driedG - emptyFilterG) / (volumeMl / 1000)
}
