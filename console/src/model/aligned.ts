/**
 * Several tags' points on one time axis, as uPlot wants them: one list of times, one column a tag.
 * In a column a number is a value, `undefined` means "this tag has no point at this time" (the line goes on) and
 * `null` is a gap (the line breaks). Values of quality `bad` leave the line and become marks of their own;
 * windows without a value leave it without a mark.
 */
import { findTag } from '../../../schemas/tags.ts'
import type { Gap, Quality } from '../api/answers.ts'
import { derivedKey, type Point } from './series-merge.ts'

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
  const cadenceMs = (findTag(tag)?.cadenceSeconds ?? (derivedKey(tag) === undefined ? 1 : 30)) * 1000
  return Math.max(5 * cadenceMs, bucketSeconds === null ? 0 : 2200 * bucketSeconds)
}

export function gapsOf(tag: string, gaps: readonly Gap[], nowMs: number): { from: number; to: number }[] {
  return gaps
    .filter((gap) => gap.tag === tag)
    .map((gap) => ({ from: Date.parse(gap.from), to: gap.to === null ? nowMs : Date.parse(gap.to) }))
}

export function align(lines: readonly Line[]): Aligned {
  const marks = lines.map((line) =>
    line.points.flatMap(({ at, value, quality }) =>
      quality === 'good' || quality === 'missing' ? [] : [{ at, value, quality }],
    ),
  )
  const cells = lines.map(cellsOf)
  const times = [...new Set(cells.flatMap(({ values }) => [...values.keys()]))].sort(
    (one, other) => one - other,
  )
  return { times, columns: cells.map((column) => columnOf(column, times)), marks }
}

const isDrawn = ({ quality }: Point): boolean => quality !== 'bad' && quality !== 'missing'

type Cells = {
  readonly values: ReadonlyMap<number, number | null>
  /** Where the line is broken, both ends exclusive, in time order. */
  readonly breaks: readonly { readonly from: number; readonly to: number }[]
}

/** A line breaks in each silence (where a null is placed) and on both sides of a bad value. */
function cellsOf(line: Line): Cells {
  const values = new Map<number, number | null>()
  const breaks: { from: number; to: number }[] = []
  let previous: Point | undefined
  for (const point of line.points) {
    if (previous && point.at > previous.at) {
      const silent = isSilent(line, previous.at, point.at)
      if (silent) values.set(previous.at + Math.min(1, (point.at - previous.at) / 2), null)
      if (silent || !isDrawn(previous) || !isDrawn(point)) breaks.push({ from: previous.at, to: point.at })
    }
    values.set(point.at, isDrawn(point) ? point.value : null)
    previous = point
  }
  return { values, breaks }
}

/** uPlot ends a gap at the neighbouring times, also those of other tags: a break is null all through. */
function columnOf({ values, breaks }: Cells, times: readonly number[]): Column {
  let next = 0
  return times.map((at) => {
    if (values.has(at)) return values.get(at)
    for (let span = breaks[next]; span && span.to <= at; span = breaks[next]) next += 1
    const span = breaks[next]
    return span && span.from < at ? null : undefined
  })
}

function isSilent(line: Line, from: number, to: number): boolean {
  return (
    to - from > line.gapMs || line.gaps.some((gap) => gap.from >= from && gap.to <= to && gap.to > gap.from)
  )
}
