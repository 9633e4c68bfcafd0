/**
 * Oxygen transfer: the driving force stands on the gas the broth sees, which in a mixed vessel is the exhaust, and
 * the probe reads partial pressure relative to its calibration, so its concentration takes no pressure factor.
 * Concentrations in mol/L, rates in mol/L/h, DO in % of air saturation at calibration.
 * Source: process description of the batch; the steady-state method as in textbooks of bioprocess engineering.
 */
import { airComposition } from './gas-balance.ts'

/** Above this part of saturation the difference C* − C drowns in the probe's error. */
export const highestSaturationPart = 0.85

/** C* over the exhaust: saturation at calibration × (yO2 out / yO2 in air) × (P / P at calibration). */
export function effectiveSaturation(options: {
  readonly saturationMolPerL: number
  /** mol/mol, dry. */
  readonly oxygenOut: number
  readonly pressureBar: number
  readonly calibrationPressureBar: number
}): number {
  const { saturationMolPerL, oxygenOut, pressureBar, calibrationPressureBar } = options
  return saturationMolPerL * (oxygenOut / airComposition.oxygen) * (pressureBar / calibrationPressureBar)
}

/** Dissolved oxygen in mol/L from the probe's % of air saturation. */
export function dissolvedOxygen(percent: number, saturationMolPerL: number): number {
  return (percent / 100) * saturationMolPerL
}

export type TransferCoefficient =
  | { readonly kind: 'value'; readonly perH: number }
  | { readonly kind: 'near-saturation' }

/** kLa = OTR / (C* − C); none above 85 % of C*. */
export function transferCoefficient(
  transferRate: number,
  saturation: number,
  concentration: number,
): TransferCoefficient {
  if (!(concentration <= highestSaturationPart * saturation)) return { kind: 'near-saturation' }
  return { kind: 'value', perH: transferRate / (saturation - concentration) }
}

/** OTR = kLa (C* − C). */
export function transferRate(coefficientPerH: number, saturation: number, concentration: number): number {
  return coefficientPerH * (saturation - concentration)
}

/** OUR = OTR − dC/dt: what the broth stores or gives back is not taken up. */
export function uptakeRate(
  transferRate: number,
  concentrationBefore: number,
  concentration: number,
  hours: number,
): number {
  return transferRate - (concentration - concentrationBefore) / hours
}
