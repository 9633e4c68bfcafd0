/**
 * Hampel's test on the trailing readings of one tag: a value further from their median than 3 × 1.4826 × MAD is
 * replaced by the median ± that limit. Median and MAD do not move when up to half of the readings are wrong, which a
 * mean ± 3 SD does. The readings themselves stay in the window unclipped; fifteen outliers in a row on one side are
 * taken for a step of the process, and the window begins anew with them; so it does after a minute without readings.
 */
import { hampel, type OutlierWidth } from './cleaning-rules.ts'
import { trailingMedian } from './trailing-median.ts'

/** Takes each reading once, in order of its time, and gives the value to use: the same one, or the limit it exceeded. */
export type OutlierTest = (atMs: number, value: number) => number

export function outlierTest(width: OutlierWidth): OutlierTest {
  const trailing = trailingMedian(hampel.readings, hampel.spanMs)
  /** Outliers in a row; negative below the median. */
  let run = 0
  let lastMs = Number.NEGATIVE_INFINITY

  return (atMs, value) => {
    if (atMs - lastMs >= hampel.restartAfterMs) {
      trailing.keepNewest(0)
      run = 0
    }
    if (atMs > lastMs) lastMs = atMs
    const cleaned = clip(value)
    trailing.add(atMs, value)
    if (cleaned === value) {
      run = 0
      return value
    }
    const side = value > cleaned ? 1 : -1
    run = Math.sign(run) === side ? run + side : side
    if (Math.abs(run) < hampel.stepAfter) return cleaned
    trailing.keepNewest(hampel.stepAfter)
    run = 0
    return value
  }

  function clip(value: number): number {
    if (trailing.count() < hampel.fewest) return value
    const median = trailing.median()
    const quiet = Math.max(width.absolute, width.relative * Math.abs(median))
    // Most readings lie within the quiet width: no need to know the MAD.
    if (Math.abs(value - median) <= quiet) return value
    const limit = Math.max(quiet, hampel.scale * trailing.deviation(median))
    if (value > median + limit) return median + limit
    if (value < median - limit) return median - limit
    return value
  }
}
