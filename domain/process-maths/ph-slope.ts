/**
 * Slope of a pH electrode from a two-buffer calibration, in % of the Nernst slope at the buffers' temperature; for a
 * transmitter that shows pH, its gain. Fails closed: what was not measured does not pass, and 0 mV is a measurement.
 * Source: Nernst equation (ln 10 · R·T/F); process description of the batch, pH slope.
 */

/** Ideal slope in mV per pH: 58.17 at 20 °C, 59.16 at 25, 60.15 at 30. */
export function idealSlopeMvPerPh(celsius: number): number {
  return 0.19842 * (celsius + 273.15)
}

export const slopeLimits = { lowPercent: 95, highPercent: 105, offsetMv: 30 } as const

export type BufferReading = { readonly buffer: number; readonly reading: number | undefined }

export type ElectrodeSlope =
  | {
      readonly kind: 'measured'
      /** mV per pH, or shown pH per pH; the mV of a sound electrode falls as pH rises. */
      readonly perPh: number
      readonly percent: number
      /** mV at pH 7; undefined when the transmitter shows pH. */
      readonly offsetMv: number | undefined
      readonly passes: boolean
    }
  | { readonly kind: 'not-measured'; readonly passes: false }

const notMeasured: ElectrodeSlope = { kind: 'not-measured', passes: false }

/** Readings in mV. `celsius`: of the buffers. */
export function slopeFromMillivolts(
  low: BufferReading,
  high: BufferReading,
  celsius: number,
): ElectrodeSlope {
  const perPh = slopeBetween(low, high)
  if (perPh === undefined || !Number.isFinite(celsius) || high.reading === undefined) return notMeasured
  const percent = (Math.abs(perPh) / idealSlopeMvPerPh(celsius)) * 100
  const offsetMv = high.reading + perPh * (7 - high.buffer)
  const passes = perPh < 0 && withinLimits(percent) && Math.abs(offsetMv) <= slopeLimits.offsetMv
  return { kind: 'measured', perPh, percent, offsetMv, passes }
}

/** Readings in pH, as a transmitter with its own compensation shows them. */
export function gainFromPhReadings(low: BufferReading, high: BufferReading): ElectrodeSlope {
  const perPh = slopeBetween(low, high)
  if (perPh === undefined) return notMeasured
  const percent = Math.abs(perPh) * 100
  return {
    kind: 'measured',
    perPh,
    percent,
    offsetMv: undefined,
    passes: perPh > 0 && withinLimits(percent),
  }
}

const withinLimits = (percent: number): boolean =>
  percent >= slopeLimits.lowPercent && percent <= slopeLimits.highPercent

function slopeBetween(low: BufferReading, high: BufferReading): number | undefined {
  if (low.reading === undefined || high.reading === undefined || !(high.buffer > low.buffer)) return undefined
  const slope = (high.reading - low.reading) / (high.buffer - low.buffer)
  return Number.isFinite(slope) ? slope : undefined
}
