/**
 * What growth on glycerol must take up and give off, from the elemental balance alone: per C-mol of glycerol with a
 * yield of Y C-mol biomass, O2 = (4.667 − 4.2·Y)/4 and CO2 = 1 − Y. Glycerol is so reduced that even burning it all gives
 * RQ 3/3.5 = 0.857: an RQ near 1 means a bad gas calibration, by-products or another organism.
 * Source: process description of the batch; degrees of reduction of glycerol (4.667) and yeast biomass (4.2).
 */
import { biomassGPerCmol, glycerolGPerCmol } from './biomass.ts'

const glycerolReduction = 4.667
const biomassReduction = 4.2

export type GrowthStoichiometry = {
  /** C-mol biomass per C-mol glycerol. */
  readonly carbonYield: number
  readonly oxygenMmolPerGBiomass: number
  readonly respiratoryQuotient: number
  /** mmol O2 per g glycerol. */
  readonly oxygenMmolPerGGlycerol: number
}

/** `yieldGPerG`: g dry biomass per g glycerol, from 0 to what carbon allows (26/30.7). */
export function growthOnGlycerol(yieldGPerG: number): GrowthStoichiometry {
  const carbonYield = (yieldGPerG * glycerolGPerCmol) / biomassGPerCmol
  if (!(carbonYield >= 0 && carbonYield <= 1))
    throw new RangeError(`yieldGPerG is ${yieldGPerG}, expected 0 to ${biomassGPerCmol / glycerolGPerCmol}`)
  const oxygen = (glycerolReduction - biomassReduction * carbonYield) / 4
  const oxygenMmolPerGGlycerol = (1000 * oxygen) / glycerolGPerCmol
  return {
    carbonYield,
    oxygenMmolPerGBiomass: oxygenMmolPerGGlycerol / yieldGPerG,
    respiratoryQuotient: (1 - carbonYield) / oxygen,
    oxygenMmolPerGGlycerol,
  }
}

/** W/L from an oxygen uptake rate in mol/L/h: 0.46 MJ per mol O2, whatever the substrate. */
export function metabolicHeat(oxygenUptakeRate: number): number {
  return (oxygenUptakeRate * 460_000) / 3600
}
