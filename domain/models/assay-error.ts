/**
 * The error of offline OD600 itself, by which a forecast of the true OD600 is judged fairly: 3 % a sample (replicate CV of
 * a spectrophotometer read at dilution), 1 % a batch (operator), 0.005 AU (process description, noise of the
 * realistic scenario). A 90 % interval for the true value covers noisy assays far less often than 90 %.
 */
import type { Quantiles } from '../forecast/outcome.ts'

const relativeSd = Math.hypot(0.03, 0.01)
const absoluteSd = 0.005
/** Two-sided 90 % of a normal distribution. */
const z90 = 1.6448536269514722

/** The interval for the next assay: both half-widths, in log OD600, joined with the assay's in quadrature. */
export function widenedByAssayError({ p5, p50, p95 }: Quantiles): Quantiles {
  if (!(p5 > 0 && p50 > 0 && p95 > 0)) return { p5, p50, p95 }
  const assay = z90 * Math.hypot(relativeSd, absoluteSd / p50)
  return {
    p5: p50 * Math.exp(-Math.hypot(Math.log(p50 / p5), assay)),
    p50,
    p95: p50 * Math.exp(Math.hypot(Math.log(p95 / p50), assay)),
  }
}

export function coversWithAssayError(quantiles: Quantiles, measured: number): boolean {
  const { p5, p95 } = widenedByAssayError(quantiles)
  return p5 <= measured && measured <= p95
}
