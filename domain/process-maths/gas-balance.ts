/**
 * Gas balance of a vessel on a molar basis, closed over the inert gases (nitrogen and argon): what comes in
 * inert must go out inert, so the outlet flow follows from the outlet composition and needs no meter.
 *
 * Flows are standard flows of a mass-flow controller, so no pressure enters them; fractions are mol/mol of dry
 * gas. Early culture drowns in analyser error: at 1 vvm, 0.1 % v/v of oxygen is 2.5 mmol/L/h.
 * Source: the inert-gas balance as in textbooks of bioprocess engineering; process description of the batch.
 */

/** Molar volume in L/mol of an ideal gas at a flow controller's reference condition. */
export const molarVolume = {
  at0C1013mbar: 22.414,
  at0C1bar: 22.711,
  at20C1013mbar: 24.055,
  at25C1013mbar: 24.465,
} as const

export const airComposition = { oxygen: 0.2095, carbonDioxide: 0.0004 } as const

export type GasIn = {
  /** L/min at the controller's reference condition. */
  readonly airFlowLPerMin: number
  /** Pure-oxygen enrichment in L/min; 0 without. */
  readonly oxygenFlowLPerMin: number
  /** mol/mol of the oxygen supply, e.g. 0.995. */
  readonly oxygenPurity: number
  /** L/mol at the same reference condition as the flows. */
  readonly molarVolumeLPerMol: number
}

export type GasOut = {
  /** mol/mol in dry gas. */
  readonly oxygen: number
  readonly carbonDioxide: number
}

export type GasExchange = {
  /** mol/h, dry. */
  readonly flowIn: number
  readonly flowOut: number
  /** Oxygen uptake rate (OUR), mol/L/h; strictly the transfer rate (OTR). */
  readonly oxygenUptakeRate: number
  /** Carbon dioxide evolution rate (CER), mol/L/h. */
  readonly carbonDioxideEvolutionRate: number
}

/** Throws RangeError when a flow, volume or fraction is impossible. */
export function gasExchange(gasIn: GasIn, gasOut: GasOut, liquidVolumeL: number): GasExchange {
  requireRange('airFlowLPerMin', gasIn.airFlowLPerMin, 0, 1e6)
  requireRange('oxygenFlowLPerMin', gasIn.oxygenFlowLPerMin, 0, 1e6)
  requireRange('oxygenPurity', gasIn.oxygenPurity, 0, 1)
  requireRange('liquidVolumeL', liquidVolumeL, Number.MIN_VALUE, 1e6)
  requireRange('oxygen', gasOut.oxygen, 0, 1)
  requireRange('carbonDioxide', gasOut.carbonDioxide, 0, 1)
  const air = (60 * gasIn.airFlowLPerMin) / gasIn.molarVolumeLPerMol
  const enrichment = (60 * gasIn.oxygenFlowLPerMin) / gasIn.molarVolumeLPerMol
  const flowIn = air + enrichment
  requireRange('flowIn', flowIn, Number.MIN_VALUE, 1e9)
  const oxygenIn = (airComposition.oxygen * air + gasIn.oxygenPurity * enrichment) / flowIn
  const carbonDioxideIn = (airComposition.carbonDioxide * air) / flowIn
  const inertOut = 1 - gasOut.oxygen - gasOut.carbonDioxide
  requireRange('1 − oxygen − carbonDioxide', inertOut, 1e-6, 1)
  const flowOut = (flowIn * (1 - oxygenIn - carbonDioxideIn)) / inertOut
  return {
    flowIn,
    flowOut,
    oxygenUptakeRate: (flowIn * oxygenIn - flowOut * gasOut.oxygen) / liquidVolumeL,
    carbonDioxideEvolutionRate: (flowOut * gasOut.carbonDioxide - flowIn * carbonDioxideIn) / liquidVolumeL,
  }
}

/** Saturation pressure of water in kPa at `celsius` (Buck 1996, over liquid water, −80 to 50 °C). */
export function saturationPressureKPa(celsius: number): number {
  return 0.61121 * Math.exp(((18.678 - celsius / 234.5) * celsius) / (257.14 + celsius))
}

/** Fraction of dry gas from one measured in gas of `relativeHumidity` (0–1) at `celsius` and `pressureKPa`. */
export function dryFraction(
  wetFraction: number,
  relativeHumidity: number,
  celsius: number,
  pressureKPa: number,
): number {
  return wetFraction / (1 - waterFraction(relativeHumidity, celsius, pressureKPa))
}

/** mol/mol of water vapour. */
export function waterFraction(relativeHumidity: number, celsius: number, pressureKPa: number): number {
  return (relativeHumidity * saturationPressureKPa(celsius)) / pressureKPa
}

/** A metered outlet within 0.95 to 1.05 of the balanced one confirms flows and analysers. */
export const closureBand = { low: 0.95, high: 1.05 } as const

/** Metered ÷ balanced outlet flow, both dry and in the same unit; the meter is only a check, never an input. */
export function flowClosure(metered: number, balanced: number): { ratio: number; plausible: boolean } {
  requireRange('balanced', balanced, Number.MIN_VALUE, 1e9)
  const ratio = metered / balanced
  return { ratio, plausible: ratio >= closureBand.low && ratio <= closureBand.high }
}

export type RespiratoryQuotient =
  | { readonly kind: 'value'; readonly value: number }
  | { readonly kind: 'low-signal' }

/** RQ = CER/OUR, only above the analysers' error floor: OUR ≥ 8 and CER ≥ 5 mmol/L/h. Rates in mol/L/h. */
export function respiratoryQuotient(
  oxygenUptakeRate: number,
  carbonDioxideEvolutionRate: number,
): RespiratoryQuotient {
  if (!(oxygenUptakeRate >= 0.008 && carbonDioxideEvolutionRate >= 0.005)) return { kind: 'low-signal' }
  return { kind: 'value', value: carbonDioxideEvolutionRate / oxygenUptakeRate }
}

const waterGPerMol = 18.015

/** Water carried off in g/h by `flowOut` mol/h of dry gas that leaves with `waterOut` mol/mol of vapour. */
export function evaporation(flowOut: number, waterOut: number): number {
  requireRange('waterOut', waterOut, 0, 0.99)
  return ((flowOut * waterOut) / (1 - waterOut)) * waterGPerMol
}

function requireRange(name: string, value: number, low: number, high: number): void {
  if (!(value >= low && value <= high))
    throw new RangeError(`${name} is ${value}, expected ${low} to ${high}`)
}
