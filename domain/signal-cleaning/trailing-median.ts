/**
 * Median and median absolute deviation (MAD) of the newest readings of one tag: a ring in order of arrival beside a
 * sorted copy. Adding costs one shift within the sorted copy; median and MAD cost a binary search, because the
 * readings within the k smallest deviations are a run of k neighbours in sorted order.
 */
export type TrailingMedian = {
  /** Readings held now. */
  readonly count: () => number
  /** NaN when empty. */
  readonly median: () => number
  /** Median of the absolute deviations from `median`; NaN when empty. */
  readonly deviation: (median: number) => number
  /** Adds a reading; those older than the span, and the oldest when full, leave. */
  readonly add: (atMs: number, value: number) => void
  /** Forgets all but the newest `count` readings. */
  readonly keepNewest: (count: number) => void
}

/** At most `capacity` readings, none older than `spanMs` before the newest. Values must be finite. */
export function trailingMedian(capacity: number, spanMs: number): TrailingMedian {
  const times = new Float64Array(capacity)
  const values = new Float64Array(capacity)
  const sorted = new Float64Array(capacity)
  let first = 0
  let held = 0

  const insert = (value: number): void => {
    const at = lowerBound(sorted, held, value)
    sorted.copyWithin(at + 1, at, held)
    sorted[at] = value
    held++
  }

  const removeOldest = (): void => {
    const at = lowerBound(sorted, held, values[first]!)
    sorted.copyWithin(at, at + 1, held)
    held--
    first = first + 1 === capacity ? 0 : first + 1
  }

  /** The k-th smallest |value − median|, k from 1. */
  const smallestDeviation = (median: number, k: number): number => {
    let low = 0
    let high = held - k
    // First run start whose right end is at least as far from the median as its left end.
    while (low < high) {
      const middle = (low + high) >>> 1
      if (sorted[middle + k - 1]! - median >= median - sorted[middle]!) high = middle
      else low = middle + 1
    }
    const here = Math.max(sorted[low + k - 1]! - median, median - sorted[low]!)
    if (low === 0) return here
    return Math.min(here, Math.max(sorted[low + k - 2]! - median, median - sorted[low - 1]!))
  }

  return {
    count: () => held,
    median: () => {
      if (held === 0) return Number.NaN
      const half = held >>> 1
      return held % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
    },
    deviation: (median) => {
      if (held === 0) return Number.NaN
      const half = held >>> 1
      if (held % 2 === 1) return smallestDeviation(median, half + 1)
      return (smallestDeviation(median, half) + smallestDeviation(median, half + 1)) / 2
    },
    add: (atMs, value) => {
      if (held === capacity) removeOldest()
      while (held > 0 && atMs - times[first]! > spanMs) removeOldest()
      let at = first + held
      if (at >= capacity) at -= capacity
      times[at] = atMs
      values[at] = value
      insert(value)
    },
    keepNewest: (count) => {
      while (held > count) removeOldest()
    },
  }
}

/** First index in the ascending `array[0..length)` whose value is not below `value`. */
function lowerBound(array: Float64Array, length: number, value: number): number {
  let low = 0
  let high = length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (array[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}
