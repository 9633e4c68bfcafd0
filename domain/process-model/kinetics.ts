/**
 * Growth, substrate uptake and oxygen demand of P. pastoris on glycerol (Monod with maintenance and lag), the
 * effect of temperature and pH on mu_max, and the quasi-steady dissolved oxygen at which transfer meets uptake.
 * Elemental balance: glycerol 30.70 g per C-mol with degree of reduction 4.667, biomass 26 g per C-mol with 4.2.
 */
export const glycerolGPerCmol = 30.7
export const biomassGPerCmol = 26
export const glycerolReduction = 4.667
const biomassReduction = 4.2
/** Air-saturated broth at 30 °C and 1.013 bar (salt medium), mmol O2 per litre: 100 % of the DO probe. */
export const saturationMmolPerL = 0.222
export const oxygenInAir = 0.2095
export const carbonDioxideInAir = 0.0004

const temperatureTable: readonly (readonly [number, number])[] = [
  [5, 0],
  [20, 0.45],
  [25, 0.72],
  [28, 0.885],
  [29, 0.945],
  [30, 1],
  [31, 1.02],
  [32, 1],
  [34, 0.93],
  [36, 0.55],
  [38, 0.15],
  [40, 0],
]
const pHTable: readonly (readonly [number, number])[] = [
  [2.2, 0],
  [2.6, 0.5],
  [3, 0.9],
  [3.5, 1],
  [6.5, 1],
  [7.5, 0.7],
  [9, 0],
]

/** Factor on mu_max; 1 at 30 °C. */
export const temperatureFactor = (celsius: number): number => interpolate(temperatureTable, celsius)
/** Factor on mu_max; 1 from pH 3.5 to 6.5, 0 at and below 2.2. */
export const pHFactor = (pH: number): number => interpolate(pHTable, pH)

/** 1 - exp(-(t/lag)^3), 0 before inoculation. */
export const lagFactor = (hours: number, lagHours: number): number =>
  hours <= 0 ? 0 : 1 - Math.exp(-((hours / lagHours) ** 3))

/** mmol O2 per L and h that oxidising `cS` to `cX` C-mol/L/h of biomass takes. */
export const oxygenDemand = (glycerolCmol: number, biomassCmol: number): number =>
  Math.max(0, (glycerolReduction * glycerolCmol - biomassReduction * biomassCmol) / 4) * 1000

/**
 * Dissolved oxygen (mmol/L) at which transfer kLa(C* - C) equals the uptake D C/(K + C): the positive root of a
 * quadratic. `demand` in mmol/L/h, kLa in 1/h, concentrations in mmol/L.
 */
export function steadyOxygen(kLaPerH: number, saturation: number, affinity: number, demand: number): number {
  const b = affinity - saturation + demand / kLaPerH
  const root = Math.sqrt(b * b + 4 * affinity * saturation)
  // For b > 0 the textbook form cancels; this one is the same number.
  return b > 0 ? (2 * affinity * saturation) / (b + root) : (root - b) / 2
}

function interpolate(table: readonly (readonly [number, number])[], x: number): number {
  let previous: readonly [number, number] | undefined
  for (const point of table) {
    if (x <= point[0])
      return previous === undefined
        ? point[1]
        : previous[1] + ((point[1] - previous[1]) * (x - previous[0])) / (point[0] - previous[0])
    previous = point
  }
  return previous === undefined ? Number.NaN : previous[1]
}
