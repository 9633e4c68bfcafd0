/**
 * Exhaust gas of a vessel: the inert (N2 + Ar) balance read the other way round. Flows are dry standard flows at
 * the mass flow controller's reference (20 °C, 1.01325 bar: 24.055 L/mol).
 */
import { carbonDioxideInAir, oxygenInAir } from './kinetics.ts'

export const molarVolumeLPerMol = 24.055
const oxygenPurity = 0.995

export type Exhaust = {
  readonly oxygenFraction: number
  readonly carbonDioxideFraction: number
  readonly flowOutLPerMin: number
}

/** `transfer` and `evolution` are whole-vessel rates in mmol/h (rate per litre times volume). */
export function exhaustGas(
  airLPerMin: number,
  oxygenLPerMin: number,
  transferMmolPerH: number,
  evolutionMmolPerH: number,
): Exhaust {
  const air = (60 * airLPerMin) / molarVolumeLPerMol
  const pureOxygen = (60 * oxygenLPerMin) / molarVolumeLPerMol
  const inert = air * (1 - oxygenInAir - carbonDioxideInAir) + pureOxygen * (1 - oxygenPurity)
  const oxygen = Math.max(0, air * oxygenInAir + pureOxygen * oxygenPurity - transferMmolPerH / 1000)
  const carbonDioxide = air * carbonDioxideInAir + evolutionMmolPerH / 1000
  const total = inert + oxygen + carbonDioxide
  return {
    oxygenFraction: oxygen / total,
    carbonDioxideFraction: carbonDioxide / total,
    flowOutLPerMin: (total * molarVolumeLPerMol) / 60,
  }
}
