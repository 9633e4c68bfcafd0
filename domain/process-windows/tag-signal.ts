/**
 * One tag of one vessel while windows are open: cleans each reading as it comes and gathers it into the window of
 * its source time. Two windows can be open at once, because a window stays open for a second after its end.
 */
import type { CleanedQuality } from '../../schemas/events/process-events.ts'
import type { Quality } from '../../schemas/events/sensor-events.ts'
import type { TagDefinition } from '../../schemas/tags.ts'
import {
  gapKind,
  kalmanGapUpToMs,
  linearGapBelowMs,
  rules,
  unchangedAfterMs,
} from '../signal-cleaning/cleaning-rules.ts'
import { tagCleaner } from '../signal-cleaning/tag-cleaner.ts'
import { type Correction, type TagWindow, windowMs } from './process-window.ts'

export type ClosedSignal = {
  /** Undefined when nothing stands for the tag in this window. */
  readonly window: TagWindow | undefined
  /** The value rests on readings of this window, or on one less than 5 min old. */
  readonly usable: boolean
  readonly corrections: readonly Correction[]
  readonly expected: number
  /** Readings expected but neither used nor invalid, and those found invalid or clipped. */
  readonly missing: number
  readonly invalid: number
  readonly clipped: number
}

export type TagSignal = {
  readonly definition: TagDefinition
  readonly add: (
    window: number,
    atMs: number,
    value: number,
    unit: string,
    quality: Quality,
    position: bigint,
  ) => void
  /** The signal of window number `window` (whole 30 s since the epoch), which is then forgotten. */
  readonly close: (window: number) => ClosedSignal
}

type Noted = { quality: CleanedQuality; count: number; from: bigint; to: bigint }

type Bucket = {
  /** Value of the reading in each cadence slot; NaN where none was used. */
  readonly slots: Float64Array
  readonly slotTimes: Float64Array
  readonly slotPositions: BigInt64Array
  used: number
  good: number
  sum: number
  min: number
  max: number
  last: number
  lastMs: number
  lastPosition: bigint
  invalid: number
  clipped: number
  noted: Map<string, Noted> | undefined
}

export function tagSignal(definition: TagDefinition): TagSignal {
  const cadenceMs = definition.cadenceSeconds * 1000
  const expected = Math.max(1, Math.round(windowMs / cadenceMs))
  const cleaner = tagCleaner(definition)
  const buckets: readonly [Bucket, Bucket] = [emptyBucket(expected), emptyBucket(expected)]
  const unchangedReadings =
    definition.kind === 'sensor' ? unchangedAfterMs / cadenceMs : Number.POSITIVE_INFINITY
  let shown = Number.NaN
  let timesShown = 0
  /** The last value used in an earlier window. */
  let before = { atMs: Number.NEGATIVE_INFINITY, value: Number.NaN, position: 0n }

  return {
    definition,
    add: (window, atMs, value, unit, quality, position) => {
      const bucket = buckets[(window & 1) as 0 | 1]
      timesShown = value === shown ? timesShown + 1 : 1
      shown = value
      const verdict = cleaner.judge(atMs, value, unit, quality)
      if (verdict.rule !== undefined) note(bucket, verdict.rule, verdict.kind, position)
      if (verdict.kind === 'invalid') {
        bucket.invalid++
        return
      }
      if (verdict.kind === 'good') bucket.good++
      else if (verdict.kind === 'clipped') bucket.clipped++
      const cleaned = verdict.value
      bucket.used++
      bucket.sum += cleaned
      if (cleaned < bucket.min) bucket.min = cleaned
      if (cleaned > bucket.max) bucket.max = cleaned
      if (atMs >= bucket.lastMs) {
        bucket.lastMs = atMs
        bucket.last = cleaned
        bucket.lastPosition = position
      }
      const slot = Math.min(expected - 1, Math.floor((atMs - window * windowMs) / cadenceMs))
      bucket.slots[slot] = cleaned
      bucket.slotTimes[slot] = atMs
      bucket.slotPositions[slot] = position
    },
    close: (window) => {
      const bucket = buckets[(window & 1) as 0 | 1]
      const closed =
        bucket.used > 0
          ? closeWithReadings(bucket, window)
          : closeEmpty(bucket, (window + 1) * windowMs - before.atMs)
      if (bucket.used > 0) before = { atMs: bucket.lastMs, value: bucket.last, position: bucket.lastPosition }
      if (bucket.used > 0 || bucket.invalid > 0) clear(bucket)
      return closed
    },
  }

  function closeWithReadings(bucket: Bucket, window: number): ClosedSignal {
    const missing = Math.max(0, expected - bucket.used - bucket.invalid)
    const filled = bucket.used < expected ? fillGaps(bucket, window) : noFill
    const quality: CleanedQuality =
      bucket.clipped > 0 ? 'clipped' : filled.count > 0 ? 'interpolated' : 'good'
    const corrections = listNoted(definition.tag, bucket.noted)
    if (timesShown >= unchangedReadings)
      corrections.push({ tag: definition.tag, quality: 'good', rule: rules.unchanged, count: timesShown })
    if (filled.count > 0)
      corrections.push({
        tag: definition.tag,
        quality: 'interpolated',
        rule: rules.linearGap,
        count: filled.count,
        positions: { from: filled.from, to: filled.to },
      })
    return {
      window: {
        mean: (bucket.sum + filled.sum) / (bucket.used + filled.count),
        min: bucket.min,
        max: bucket.max,
        last: bucket.last,
        goodCount: bucket.good,
        expectedCount: expected,
        quality,
      },
      usable: true,
      corrections,
      expected,
      missing,
      invalid: bucket.invalid,
      clipped: bucket.clipped,
    }
  }

  /** Nothing to use in this window: the last value holds for up to 30 min, and is fit for deriving below 5 min. */
  function closeEmpty(bucket: Bucket, ageMs: number): ClosedSignal {
    const corrections = listNoted(definition.tag, bucket.noted)
    const missing = Math.max(0, expected - bucket.invalid)
    const counts = { expected, missing, invalid: bucket.invalid, clipped: 0 }
    const held = ageMs <= kalmanGapUpToMs
    corrections.push({
      tag: definition.tag,
      quality: held ? 'stale' : 'missing',
      rule: held ? rules.holdLast : rules.noFill,
      count: expected,
      ...(before.atMs > Number.NEGATIVE_INFINITY && {
        positions: { from: before.position, to: before.position },
      }),
    })
    if (!held) return { window: undefined, usable: false, corrections, ...counts }
    const { value } = before
    return {
      window: {
        mean: value,
        min: value,
        max: value,
        last: value,
        goodCount: 0,
        expectedCount: expected,
        quality: 'stale',
      },
      usable: ageMs < linearGapBelowMs,
      corrections,
      ...counts,
    }
  }

  /** The straight-line points in gaps that a later reading of this same window has closed. */
  function fillGaps(bucket: Bucket, window: number): Filled {
    let sum = 0
    let count = 0
    let from = 0n
    let to = 0n
    let left = before
    let empty = 0
    for (let slot = 0; slot < expected; slot++) {
      const value = bucket.slots[slot]!
      if (Number.isNaN(value)) {
        empty++
        continue
      }
      const atMs = bucket.slotTimes[slot]!
      const position = bucket.slotPositions[slot]!
      const spanMs = atMs - left.atMs
      // One slot alone may be empty because the reading before or after it came a moment early or late.
      if (empty > 0 && spanMs >= 2 * cadenceMs && gapKind(spanMs) === 'interpolated') {
        for (let hole = slot - empty; hole < slot; hole++) {
          const holeMs = window * windowMs + (hole + 0.5) * cadenceMs
          const part = Math.min(1, Math.max(0, (holeMs - left.atMs) / spanMs))
          sum += left.value + (value - left.value) * part
        }
        if (count === 0) from = left.position
        to = position
        count += empty
      }
      empty = 0
      left = { atMs, value, position }
    }
    return { sum, count, from, to }
  }
}

/** `from` and `to`: the readings at the outer ends of what was filled. */
type Filled = { readonly sum: number; readonly count: number; readonly from: bigint; readonly to: bigint }

const noFill: Filled = { sum: 0, count: 0, from: 0n, to: 0n }

function emptyBucket(expected: number): Bucket {
  const bucket: Bucket = {
    slots: new Float64Array(expected),
    slotTimes: new Float64Array(expected),
    slotPositions: new BigInt64Array(expected),
    used: 0,
    good: 0,
    sum: 0,
    min: 0,
    max: 0,
    last: 0,
    lastMs: 0,
    lastPosition: 0n,
    invalid: 0,
    clipped: 0,
    noted: undefined,
  }
  clear(bucket)
  return bucket
}

function clear(bucket: Bucket): void {
  bucket.slots.fill(Number.NaN)
  bucket.used = 0
  bucket.good = 0
  bucket.sum = 0
  bucket.min = Number.POSITIVE_INFINITY
  bucket.max = Number.NEGATIVE_INFINITY
  bucket.last = Number.NaN
  bucket.lastMs = Number.NEGATIVE_INFINITY
  bucket.invalid = 0
  bucket.clipped = 0
  bucket.noted = undefined
}

function note(bucket: Bucket, rule: string, kind: string, position: bigint): void {
  bucket.noted ??= new Map()
  const seen = bucket.noted.get(rule)
  if (!seen) {
    // An uncertain reading is used as it is; what is wrong with it is said by the rule.
    const quality: CleanedQuality = kind === 'invalid' || kind === 'clipped' ? kind : 'good'
    bucket.noted.set(rule, { quality, count: 1, from: position, to: position })
    return
  }
  seen.count++
  if (position < seen.from) seen.from = position
  if (position > seen.to) seen.to = position
}

function listNoted(tag: string, noted: ReadonlyMap<string, Noted> | undefined): Correction[] {
  if (!noted) return []
  return [...noted].map(([rule, { quality, count, from, to }]) => ({
    tag,
    quality,
    rule,
    count,
    positions: { from, to },
  }))
}
