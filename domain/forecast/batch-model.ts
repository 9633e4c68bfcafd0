/**
 * The glycerol batch as the forecaster knows it: growth, uptake and gas of a well-mixed aerobic batch with nominal
 * parameters, each of which a batch may miss by a little. Rates and their sensitivities to the unknowns, so that a
 * filter can learn this batch's own values from its signals.
 *
 * Source: process description of the batch, model equations; Monod growth with maintenance, elemental balance.
 */
import {
  biomassGPerCmol,
  glycerolGPerCmol,
  lagFactor,
  oxygenDemand,
  pHFactor,
  temperatureFactor,
} from '../process-model/kinetics.ts'

export const nominal = {
  muMaxPerH: 0.26,
  affinityGPerL: 0.1,
  yieldGPerG: 0.62,
  maintenanceGPerGPerH: 0.02,
  lagHours: 1,
  dcwPerOdGPerL: 0.4,
  glycerolGPerL: 40,
  evaporationLPerH: 0.001275,
  oxygenAffinityMmolPerL: 0.003,
} as const

/** What the vessel does to growth at one moment. */
export type Conditions = {
  readonly hours: number
  readonly celsius: number
  readonly pH: number
  /** C / (K + C) of dissolved oxygen, 0 to 1. */
  readonly oxygenFactor: number
}

/** Biology of this batch: natural logarithms of the ratio to nominal, but the lag in hours. */
export type BatchBiology = {
  readonly lnMuMax: number
  readonly lagHours: number
  readonly lnYield: number
}

export type Rates = {
  /** 1/h. */
  readonly mu: number
  /** Glycerol, g/L/h. */
  readonly uptake: number
  /** mmol/L/h. */
  readonly oxygenUptake: number
  readonly carbonDioxideEvolution: number
  /** Part of the uptake that becomes biomass (the rest is maintenance), g/L/h. */
  readonly uptakeForGrowth: number
  /** d ln(mu) / dS, L/g, and d ln(mu) / d(lag), 1/h. */
  readonly muByGlycerol: number
  readonly muByLag: number
}

/** Rates at biomass (g/L) and glycerol (g/L). */
export function rates(
  biomass: number,
  glycerol: number,
  biology: BatchBiology,
  conditions: Conditions,
): Rates {
  const s = Math.max(0, glycerol)
  const lag = lagFactor(conditions.hours, biology.lagHours)
  const mu0 =
    nominal.muMaxPerH *
    Math.exp(biology.lnMuMax) *
    temperatureFactor(conditions.celsius) *
    pHFactor(conditions.pH) *
    lag *
    (s / (nominal.affinityGPerL + s))
  const f = conditions.oxygenFactor
  const growth = (f * mu0 * biomass) / (nominal.yieldGPerG * Math.exp(biology.lnYield))
  const maintenance = f * nominal.maintenanceGPerGPerH * (s / (s + 0.01)) * biomass
  const glycerolCmol = (growth + maintenance) / glycerolGPerCmol
  const biomassCmol = (f * mu0 * biomass) / biomassGPerCmol
  const u = (conditions.hours / biology.lagHours) ** 3
  return {
    mu: f * mu0,
    uptake: growth + maintenance,
    oxygenUptake: oxygenDemand(glycerolCmol, biomassCmol),
    carbonDioxideEvolution: 1000 * Math.max(0, glycerolCmol - biomassCmol),
    uptakeForGrowth: growth,
    muByGlycerol: s > 0 ? nominal.affinityGPerL / (s * (nominal.affinityGPerL + s)) : 0,
    muByLag: lag > 1e-9 ? (-Math.exp(-u) * 3 * u) / (biology.lagHours * lag) : 0,
  }
}

/** C / (K + C) for a probe reading in % of air saturation. */
export function oxygenFactorOfProbe(percent: number, saturationMmolPerL: number): number {
  const oxygen = (Math.max(0, percent) / 100) * saturationMmolPerL
  return oxygen / (nominal.oxygenAffinityMmolPerL + oxygen)
}
