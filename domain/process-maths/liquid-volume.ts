/** V(t) = V0 − Σ samples + Σ base − evaporation. Litres, mL and g; 1 g evaporated is 1 mL. */
export type LiquidBalance = {
  readonly initialL: number
  readonly samplesMl: number
  readonly baseMl: number
  readonly evaporatedG: number
}

/** Litres. Throws RangeError when nothing would be left. */
export function liquidVolume({ initialL, samplesMl, baseMl, evaporatedG }: LiquidBalance): number {
  const volume = initialL + (baseMl - samplesMl - evaporatedG) / 1000
  if (!(volume > 0)) throw new RangeError(`liquid volume is ${volume} L, expected above 0`)
  return volume
}
