/**
 * A tag's whole series, cleaned, with its gaps filled as far as the rules allow: straight line below 5 min, trend
 * smoother from 5 to 30 min, nothing above. For read models and export, where the far end of a gap is known; a window
 * that was open during the gap is not touched by this (`docs/decisions/0014-process-windows.md`).
 */
import type { CleanedQuality } from '../../schemas/events/process-events.ts'
import type { Quality } from '../../schemas/events/sensor-events.ts'
import type { TagDefinition } from '../../schemas/tags.ts'
import { gapKind, kalmanGapUpToMs, rules } from './cleaning-rules.ts'
import { tagCleaner } from './tag-cleaner.ts'
import { trendNoise } from './trend-noise.ts'
import { fillByTrend, type Point } from './trend-smoother.ts'

export type RawReading = {
  readonly atMs: number
  readonly value: number
  readonly unit: string
  readonly quality: Quality
  readonly position: bigint
}

export type CleanedPoint = {
  readonly atMs: number
  /** In the tag's own unit; null where there is none (`invalid`, `missing`). */
  readonly value: number | null
  readonly quality: CleanedQuality
  /** Name and version of the rule that made it. */
  readonly rule: string
  /** The raw readings it rests on: itself, or the two ends of the gap. */
  readonly positions: readonly bigint[]
  /** Of a smoothed value, unit². */
  readonly variance?: number
  /** Of a smoothed value: every reading the smoother used, the two ends of the gap among them. */
  readonly basis?: PositionSpan
  /** A `missing` point stands for the whole span up to here (exclusive). */
  readonly untilMs?: number
}

/** Least and greatest store position of some readings of the tag, and how many of them there are. */
type PositionSpan = { readonly from: bigint; readonly to: bigint; readonly count: number }

export type SeriesCleaner = {
  /** The points that this reading adds, filled ones of the gap it closed first; feed in order of source time. */
  readonly push: (reading: RawReading) => readonly CleanedPoint[]
  /** What stands for the tag up to `untilMs` while its last gap is open. */
  readonly open: (untilMs: number) => readonly CleanedPoint[]
}

const asRecorded = 'as-recorded/1'
const trendPoints = 120
const trendSpanMs = 10 * 60_000

type Anchor = Point & { readonly position: bigint }

/** `cadenceMs`: of this series, where it differs from the tag's own. */
export function seriesCleaner(
  definition: TagDefinition,
  cadenceMs = definition.cadenceSeconds * 1000,
): SeriesCleaner {
  const cleaner = tagCleaner(definition)
  let recent: Anchor[] = []
  let last: Anchor | undefined

  return {
    push: ({ atMs, value, unit, quality, position }) => {
      const verdict = cleaner.judge(atMs, value, unit, quality)
      const rule = verdict.rule ?? asRecorded
      if (verdict.kind === 'invalid')
        return [{ atMs, value: null, quality: 'invalid', rule, positions: [position] }]
      const here: Anchor = { atMs, value: verdict.value, position }
      const points = last === undefined ? [] : fill(last, here)
      points.push({
        atMs,
        value: here.value,
        quality: verdict.kind === 'clipped' ? 'clipped' : 'good',
        rule,
        positions: [position],
      })
      if (last === undefined || atMs > last.atMs) {
        last = here
        recent.push(here)
        if (recent.length > 2 * trendPoints) recent = recent.slice(-trendPoints)
      }
      return points
    },
    open: (untilMs) => {
      if (last === undefined) return []
      const { value, position, atMs: sinceMs } = last
      const points: CleanedPoint[] = []
      const heldUntilMs = Math.min(untilMs, sinceMs + kalmanGapUpToMs)
      for (let atMs = sinceMs + cadenceMs; atMs <= heldUntilMs; atMs += cadenceMs)
        points.push({ atMs, value, quality: 'stale', rule: rules.holdLast, positions: [position] })
      if (untilMs > heldUntilMs) points.push(missing(heldUntilMs, untilMs, [position]))
      return points
    },
  }

  function fill(from: Anchor, to: Anchor): CleanedPoint[] {
    const gapMs = to.atMs - from.atMs
    // A reading a moment early or late leaves no gap.
    if (gapMs < 1.5 * cadenceMs) return []
    const positions = [from.position, to.position]
    const kind = gapKind(gapMs)
    if (kind === 'missing') return [missing(from.atMs + cadenceMs, to.atMs, positions)]
    const times: number[] = []
    for (let atMs = from.atMs + cadenceMs; atMs <= to.atMs - cadenceMs / 2; atMs += cadenceMs)
      times.push(atMs)
    if (kind === 'interpolated')
      return times.map((atMs) => ({
        atMs,
        value: from.value + ((to.value - from.value) * (atMs - from.atMs)) / gapMs,
        quality: 'interpolated',
        rule: rules.linearGap,
        positions,
      }))
    const before = recent.slice(-trendPoints).filter((point) => from.atMs - point.atMs <= trendSpanMs)
    const basis = spanOf([...before, to])
    return fillByTrend(before, times, to, trendNoise(definition, from.value)).map((point) => ({
      atMs: point.atMs,
      value: inBounds(point.value),
      quality: 'kalman',
      rule: rules.kalmanGap,
      positions,
      variance: point.variance,
      basis,
    }))
  }

  /** A trend may run past what the instrument could ever show. */
  function inBounds(value: number): number {
    const [low, high] = definition.hardBounds
    return Math.min(high, Math.max(low, value))
  }
}

function spanOf(anchors: readonly Anchor[]): PositionSpan {
  const positions = anchors.map(({ position }) => position)
  return {
    from: positions.reduce((least, one) => (one < least ? one : least)),
    to: positions.reduce((greatest, one) => (one > greatest ? one : greatest)),
    count: positions.length,
  }
}

function missing(atMs: number, untilMs: number, positions: readonly bigint[]): CleanedPoint {
  return { atMs, untilMs, value: null, quality: 'missing', rule: rules.noFill, positions }
}

/** All at once, in order of time; with `untilMs`, what stands for the open gap at the end too. */
export function cleanSeries(
  definition: TagDefinition,
  readings: Iterable<RawReading>,
  options: { readonly cadenceMs?: number; readonly untilMs?: number } = {},
): readonly CleanedPoint[] {
  const cleaner = seriesCleaner(definition, options.cadenceMs)
  const points: CleanedPoint[] = []
  for (const reading of readings) points.push(...cleaner.push(reading))
  if (options.untilMs !== undefined) points.push(...cleaner.open(options.untilMs))
  return points.sort((left, right) => left.atMs - right.atMs)
}
