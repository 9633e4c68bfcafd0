/**
 * A chart in words and rows, for those who do not see it: a summary sentence a line and values at even times. Of a reduced
 * series only the least and the greatest value of each slice of time are known, so no single one of them is passed off as
 * the value at an instant.
 */
import type { Point } from './series-merge.ts'
import { elapsed } from './time.ts'
import { formatValue } from './value.ts'

export function summarySentence(
  label: string,
  unitLabel: string,
  decimals: number,
  { points, bucketMs }: TableLine,
): string {
  const usable = points.filter(isUsable)
  const bad = points.filter(({ quality }) => quality === 'bad').length
  const first = usable[0]
  const last = usable.at(-1)
  const badWords = bad > 0 ? ` ${bad} bad ${bad === 1 ? 'value is' : 'values are'} marked.` : ''
  if (!first || !last) return `${label}: no usable value in this range.${badWords}`
  let low = first.value
  let high = first.value
  for (const { value } of usable) {
    if (value < low) low = value
    if (value > high) high = value
  }
  const text = (value: number) => formatValue(value, decimals)
  const spanWords = `between ${text(low)} and ${text(high)}`
  if (bucketMs !== null)
    return `${label}: ${spanWords} ${unitLabel} over ${elapsed(last.at - first.at)}.${badWords}`
  return `${label}: ${text(first.value)} at the start, ${text(last.value)} ${unitLabel} at the end; ${spanWords} over ${elapsed(last.at - first.at)}.${badWords}`
}

/**
 * What a chart knows at an instant: one value, or, where only the least and the greatest of a slice of time were
 * fetched, the range they span. Undefined: no usable value, with the reason where one was given.
 */
export type ShownAt =
  | { readonly kind: 'value'; readonly low: number; readonly high: number }
  | { readonly kind: 'none'; readonly reason: string | undefined }

export type TableRow = { readonly at: number; readonly values: readonly ShownAt[] }

export type TableLine = { readonly points: readonly Point[]; readonly bucketMs: number | null }

/** At `rows` even times up to `to`: what each line shows there, at most one step old. */
export function tableRows(lines: readonly TableLine[], from: number, to: number, rows: number): TableRow[] {
  const step = (to - from) / rows
  return Array.from({ length: rows }, (_, index) => {
    const at = from + (index + 1) * step
    return { at, values: lines.map((line) => shownAt(line, at, Math.max(step, 10_000))) }
  })
}

/**
 * Of a whole series the newest usable value at or before `at`, not older than `reachMs`; of a reduced one the range of the
 * slice (a multiple of its width since the epoch) that holds that value.
 */
export function shownAt({ points, bucketMs }: TableLine, at: number, reachMs: number): ShownAt {
  const newest = newestUsable(points, at, reachMs)
  if (newest.index === undefined) return { kind: 'none', reason: newest.reason }
  const { at: found, value } = points[newest.index] as Point
  if (bucketMs === null) return { kind: 'value', low: value, high: value }
  const start = Math.floor(found / bucketMs) * bucketMs
  let low = value
  let high = value
  const take = (index: number): boolean => {
    const point = points[index]
    if (!point || point.at < start || point.at >= start + bucketMs) return false
    if (isUsable(point)) {
      low = Math.min(low, point.value)
      high = Math.max(high, point.value)
    }
    return true
  }
  for (let index = newest.index - 1; take(index); index -= 1);
  for (let index = newest.index + 1; take(index); index += 1);
  return { kind: 'value', low, high }
}

/** One figure, or two with an en dash between where the range is wider than the decimals show. */
export function shownWords(shown: ShownAt, decimals: number): string {
  if (shown.kind === 'none') return '–'
  const [low, high] = [formatValue(shown.low, decimals), formatValue(shown.high, decimals)]
  return low === high ? low : `${low} … ${high}`
}

const isUsable = ({ quality }: Point): boolean => quality !== 'bad' && quality !== 'missing'

function newestUsable(
  points: readonly Point[],
  at: number,
  reachMs: number,
): { index: number | undefined; reason: string | undefined } {
  let low = 0
  let high = points.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((points[middle] as Point).at <= at) low = middle + 1
    else high = middle
  }
  const last = points[low - 1]
  // A window without a value is what is known there: an older value does not stand in for it.
  if (last?.quality === 'missing') return { index: undefined, reason: last.reason }
  for (let index = low - 1; index >= 0; index -= 1) {
    const point = points[index] as Point
    if (point.at < at - reachMs) break
    if (isUsable(point)) return { index, reason: undefined }
  }
  return { index: undefined, reason: undefined }
}

/** Runs of windows without a value, for one reason each. */
export type Absence = { readonly from: number; readonly to: number; readonly reason: string }

export function absencesOf(points: readonly Point[]): Absence[] {
  const runs: { from: number; to: number; reason: string }[] = []
  let open = false
  for (const { at, quality, reason = '' } of points) {
    const last = runs.at(-1)
    if (quality !== 'missing') open = false
    else if (open && last?.reason === reason) last.to = at
    else {
      runs.push({ from: at, to: at, reason })
      open = true
    }
  }
  return runs
}

/** Reasons are codes with a stable spelling; people read them without underscores. */
export const absenceWords = (reason: string): string => reason.replaceAll(/[_-]/g, ' ')
