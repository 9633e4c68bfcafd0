/**
 * 30-s windows, aligned to the UTC epoch, of one series. A window closes when the first reading of its series
 * with a source time at or past its end comes (stream order, never a clock); so at most one window of a series
 * is open, the one that holds its newest source time. A reading that falls into a closed window makes a new version.
 * Statistics are accumulated in stream order (Welford 1962), so the same readings give the same bits however
 * they were paged.
 */
export const windowMs = 30_000

export type WindowStatistics = {
  /** Readings of quality good or uncertain: what mean, squares, min and max rest on. */
  readonly usable: number
  readonly total: number
  readonly mean: number
  /** Sum of squared deviations from the mean. */
  readonly squares: number
  readonly min: number
  readonly max: number
}

export const emptyWindow: WindowStatistics = { usable: 0, total: 0, mean: 0, squares: 0, min: 0, max: 0 }

export const windowStart = (atMs: number): number => Math.floor(atMs / windowMs) * windowMs

export function addToWindow(window: WindowStatistics, value: number, isUsable: boolean): WindowStatistics {
  if (!isUsable) return { ...window, total: window.total + 1 }
  const usable = window.usable + 1
  const delta = value - window.mean
  const mean = window.mean + delta / usable
  return {
    usable,
    total: window.total + 1,
    mean,
    squares: window.squares + delta * (value - mean),
    min: usable === 1 ? value : Math.min(window.min, value),
    max: usable === 1 ? value : Math.max(window.max, value),
  }
}

/** Sample standard deviation (n − 1); null below two readings. */
export const standardDeviation = (window: WindowStatistics): number | null =>
  window.usable < 2 ? null : Math.sqrt(window.squares / (window.usable - 1))

/** At least 90 % of the expected readings: complete; more than half missing: sparse. */
export function windowQuality(usable: number, cadenceSeconds: number): 'complete' | 'partial' | 'sparse' {
  const expected = windowMs / 1000 / cadenceSeconds
  if (usable >= expected * 0.9) return 'complete'
  return usable < expected * 0.5 ? 'sparse' : 'partial'
}
