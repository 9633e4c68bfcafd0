/** A chart in words and rows, for those who do not see it: a summary sentence a line and values at even times. */
import type { Point } from './series-merge.ts'
import { elapsed } from './time.ts'
import { formatValue } from './value.ts'

export function summarySentence(
  label: string,
  unitLabel: string,
  decimals: number,
  points: readonly Point[],
): string {
  const usable = points.filter((point) => point.quality !== 'bad')
  const bad = points.length - usable.length
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
  return `${label}: ${text(first.value)} at the start, ${text(last.value)} ${unitLabel} at the end; between ${text(low)} and ${text(high)} over ${elapsed(last.at - first.at)}.${badWords}`
}

export type TableRow = { readonly at: number; readonly values: readonly (number | undefined)[] }

/** Values at `rows` even times up to `to`: of each line the newest usable point before, at most one step old. */
export function tableRows(
  lines: readonly (readonly Point[])[],
  from: number,
  to: number,
  rows: number,
): TableRow[] {
  const step = (to - from) / rows
  return Array.from({ length: rows }, (_, index) => {
    const at = from + (index + 1) * step
    return { at, values: lines.map((points) => valueAt(points, at, Math.max(step, 10_000))) }
  })
}

/** The newest usable value at or before `at`, not older than `reachMs`. */
export function valueAt(points: readonly Point[], at: number, reachMs: number): number | undefined {
  let low = 0
  let high = points.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((points[middle] as Point).at <= at) low = middle + 1
    else high = middle
  }
  for (let index = low - 1; index >= 0; index -= 1) {
    const point = points[index] as Point
    if (point.at < at - reachMs) return undefined
    if (point.quality !== 'bad') return point.value
  }
  return undefined
}
