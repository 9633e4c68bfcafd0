/**
 * Several tags' points on one time axis, as uPlot wants them: one list of times, one column a tag.
 * In a column a number is a value, `undefined` means "this tag has no point at this time" (the line goes on) and
 * `null` is a gap (the line breaks). Values of quality `bad` leave the line and become marks of their own.
 */
import { findTag } from '../../../schemas/tags.ts'
import type { Gap, Quality } from '../api/answers.ts'
import type { Point } from './series-merge.ts'

export type Column = (number | null | undefined)[]
export type Mark = { readonly at: number; readonly value: number; readonly quality: Quality }
export type Aligned = {
  readonly times: number[]
  readonly columns: Column[]
  /** Points that are not good, per column. */
  readonly marks: Mark[][]
}

export type Line = {
  readonly points: readonly Point[]
  /** Silence longer than this breaks the line. */
  readonly gapMs: number
  readonly gaps: readonly { readonly from: number; readonly to: number }[]
}

/** Five cadences of silence are a gap; between reduced points a little more than two buckets. */
export function gapThresholdMs(tag: string, bucketSeconds: number | null): number {
  const cadenceMs = (findTag(tag)?.cadenceSeconds ?? 1) * 1000
  return Math.max(5 * cadenceMs, bucketSeconds === null ? 0 : 2200 * bucketSeconds)
}

export function gapsOf(tag: string, gaps: readonly Gap[], nowMs: number): { from: number; to: number }[] {
  return gaps
    .filter((gap) => gap.tag === tag)
    .map((gap) => ({ from: Date.parse(gap.from), to: gap.to === null ? nowMs : Date.parse(gap.to) }))
}

export function align(lines: readonly Line[]): Aligned {
  const marks = lines.map((line) =>
    line.points
      .filter((point) => point.quality !== 'good')
      .map(({ at, value, quality }) => ({ at, value, quality })),
  )
  const cells = lines.map(cellsOf)
  const times = [...new Set(cells.flatMap((column) => [...column.keys()]))].sort((one, other) => one - other)
  return { times, columns: cells.map((column) => times.map((at) => column.get(at))), marks }
}

/** Time → value, with a null placed inside each silence. */
function cellsOf(line: Line): Map<number, number | null> {
  const cells = new Map<number, number | null>()
  let previous: number | undefined
  for (const { at, value, quality } of line.points) {
    if (previous !== undefined && at > previous && breaksBetween(line, previous, at))
      cells.set(previous + Math.min(1, (at - previous) / 2), null)
    cells.set(at, quality === 'bad' ? null : value)
    previous = at
  }
  return cells
}

function breaksBetween(line: Line, from: number, to: number): boolean {
  return (
    to - from > line.gapMs ||
    line.gaps.some((gap) => gap.from < to && gap.to > from && gap.from >= from && gap.to <= to)
  )
}
