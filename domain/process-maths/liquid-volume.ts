/** V(t) = V0 − Σ samples + Σ base − evaporation. Litres, mL and g; 1 g evaporated is 1 mL. */
export type LiquidBalance = {
  readonly initialL: number
  readonly samplesMl: number
  readonly baseMl: number
  readonly evaporatedG: number
}

/** Less than this part of V0 is not a volume but a wrong balance (a feed or a dilution that nobody recorded). */
export const leastPart = 0.1

/** Litres; undefined when the balance leaves less than a tenth of V0, for every rate would be divided by it. */
export function liquidVolume({
  initialL,
  samplesMl,
  baseMl,
  evaporatedG,
}: LiquidBalance): number | undefined {
  const volume = initialL + (baseMl - samplesMl - evaporatedG) / 1000
  return volume >= leastPart * initialL ? volume : undefined
}
