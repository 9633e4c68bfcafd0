/**
 * pH of the basal salts medium from its charge balance: 0.390 mol/L phosphate with apparent pK1 1.9 and pK2 6.7.
 * Growth on ammonium releases 5.4 mmol H+ per gram of dry cells; 28 % ammonia is 14.8 mol/L. Valid for pH 1.5 to 9
 * (the third dissociation of phosphate and that of ammonium are left out).
 */
const phosphateMmolPerL = 390
const k1 = 10 ** -1.9
const k2 = 10 ** -6.7
export const acidMmolPerGram = 5.4
export const baseMmolPerMl = 14.8

const lowest = 1.5
const highest = 9

/** Net strong-cation charge (mmol/L) that holds the medium at this pH; rises with base, falls with acid. */
export function strongIonCharge(pH: number): number {
  const h = 10 ** -pH
  const denominator = h * h + k1 * h + k1 * k2
  return (phosphateMmolPerL * (k1 * h + 2 * k1 * k2)) / denominator - h * 1000
}

/** Inverse of `strongIonCharge` by bisection, to 1e-9 pH; clamped to 1.5 to 9. */
export function pHOfCharge(chargeMmolPerL: number, near?: number): number {
  let low = lowest
  let high = highest
  if (near !== undefined) {
    const below = Math.max(lowest, near - 0.01)
    const above = Math.min(highest, near + 0.01)
    if (strongIonCharge(below) <= chargeMmolPerL) low = below
    if (strongIonCharge(above) >= chargeMmolPerL) high = above
  }
  while (high - low > 1e-9) {
    const middle = (low + high) / 2
    if (strongIonCharge(middle) < chargeMmolPerL) low = middle
    else high = middle
  }
  return (low + high) / 2
}
