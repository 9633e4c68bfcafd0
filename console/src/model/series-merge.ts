/**
 * One tag's points as drawn: a fetched series (perhaps reduced) plus what arrived live since.
 *
 * A fetched series stands at a position: it holds every reading up to there. Live frames carry the position they
 * reached; a frame at or before the series' position is already in it and is dropped, any later one is kept. So
 * nothing is drawn twice and nothing is lost, whatever the order in which the two arrive.
 */
import type { DerivedSeries, LiveDerived, LiveReadings, Quality, Series } from '../api/answers.ts'

/** `missing`: a window without a value, with the reason; its value is NaN and never drawn. */
export type Point = {
  readonly at: number
  readonly value: number
  readonly quality: Quality | 'missing'
  readonly reason?: string
}
export type LivePoint = Point & { readonly position: bigint }

export type TagSeries = {
  readonly tag: string
  readonly unit: string
  /** Null: every reading is here. */
  readonly bucketSeconds: number | null
  readonly reduce: Series['reduce']
  readonly position: bigint
  readonly points: readonly Point[]
  /** Of a derived value: how people read it. Its points are in the display unit already. */
  readonly shown?: Shown
}
export type Shown = { readonly label: string; readonly decimals: number; readonly factor: number }

export function fromAnswer(answer: Series): TagSeries {
  return {
    tag: answer.tag,
    unit: answer.unit,
    bucketSeconds: answer.reduced ? answer.bucketSeconds : null,
    reduce: answer.reduce,
    position: BigInt(answer.asOf.position),
    points: answer.points.map(({ at, value, quality }) => ({ at: Date.parse(at), value, quality })),
  }
}

/** Derived values are stored in their own unit and shown in one that people read (`displayUnit`). */
export function fromDerived(answer: DerivedSeries): TagSeries {
  const { label, decimals, displayFactor: factor } = answer
  return {
    tag: derivedTag(answer.key),
    unit: answer.displayUnit,
    bucketSeconds: answer.reduced ? answer.bucketSeconds : null,
    reduce: answer.reduce,
    position: BigInt(answer.asOf.position),
    points: answer.points.map(({ at, value, reason }) => derivedPoint(at, value, reason, factor)),
    shown: { label, decimals, factor },
  }
}

const derivedPrefix = 'derived/'
export const derivedTag = (key: string): string => `${derivedPrefix}${key}`
/** The quantity behind a line of derived values; undefined for a line of readings. */
export const derivedKey = (tag: string): string | undefined =>
  tag.startsWith(derivedPrefix) ? tag.slice(derivedPrefix.length) : undefined

function derivedPoint(at: string, value: number | null, reason: string | undefined, factor: number): Point {
  return value === null
    ? { at: Date.parse(at), value: Number.NaN, quality: 'missing', reason: reason ?? 'not derived' }
    : { at: Date.parse(at), value: value * factor, quality: 'good' }
}

/** Points of the quantities whose factor is known, that is: of those that were asked for. */
export function liveDerivedByTag(
  frame: LiveDerived,
  factors: ReadonlyMap<string, number>,
): Map<string, LivePoint[]> {
  const byTag = new Map<string, LivePoint[]>()
  for (const window of frame.windows)
    for (const [key, { value, reason }] of Object.entries(window.derived)) {
      const factor = factors.get(derivedTag(key))
      if (factor === undefined) continue
      const points = byTag.get(derivedTag(key)) ?? []
      points.push({ ...derivedPoint(window.at, value, reason, factor), position: BigInt(window.position) })
      byTag.set(derivedTag(key), points)
    }
  return byTag
}

export function livePointsByTag(frame: LiveReadings): Map<string, LivePoint[]> {
  const byTag = new Map<string, LivePoint[]>()
  const position = BigInt(frame.position)
  for (const { tag, at, value, quality } of frame.readings) {
    const points = byTag.get(tag) ?? []
    points.push({ at: Date.parse(at), value, quality, position })
    byTag.set(tag, points)
  }
  return byTag
}

/** What of the live tail a series fetched at `position` does not hold yet. */
export function tailAfter(tail: readonly LivePoint[], position: bigint): LivePoint[] {
  return tail.filter((point) => point.position > position)
}

/** Base and tail in time order; both lists may hold late points. */
export function mergePoints(base: readonly Point[], tail: readonly Point[]): readonly Point[] {
  const first = tail[0]
  if (!first) return base
  const sorted = isInOrder(tail) ? tail : tail.toSorted((one, other) => one.at - other.at)
  const last = base.at(-1)
  if (!last || last.at <= (sorted[0] ?? first).at) return [...base, ...sorted]
  const merged: Point[] = []
  let index = 0
  for (const point of sorted) {
    for (let next = base[index]; next && next.at <= point.at; next = base[index]) {
      merged.push(next)
      index += 1
    }
    merged.push(point)
  }
  for (; index < base.length; index += 1) merged.push(base[index] as Point)
  return merged
}

/**
 * Keeps a tail bounded: per bucket its lowest and highest value, every value that is not good, and the newest
 * point. Positions stay, so that a later fetch still knows what it replaces.
 */
export function thinTail(tail: readonly LivePoint[], bucketMs: number): LivePoint[] {
  const buckets = new Map<number, { low: LivePoint; high: LivePoint }>()
  const kept = new Set<LivePoint>()
  for (const point of tail) {
    if (point.quality !== 'good') {
      kept.add(point)
      continue
    }
    const key = Math.floor(point.at / bucketMs)
    const bucket = buckets.get(key)
    if (!bucket) buckets.set(key, { low: point, high: point })
    else if (point.value < bucket.low.value) bucket.low = point
    else if (point.value > bucket.high.value) bucket.high = point
  }
  for (const { low, high } of buckets.values()) {
    kept.add(low)
    kept.add(high)
  }
  const newest = tail.at(-1)
  if (newest) kept.add(newest)
  return tail.filter((point) => kept.has(point))
}

function isInOrder(points: readonly Point[]): boolean {
  for (let index = 1; index < points.length; index += 1)
    if ((points[index] as Point).at < (points[index - 1] as Point).at) return false
  return true
}
