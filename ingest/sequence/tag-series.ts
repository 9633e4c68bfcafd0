/**
 * One tag of one stream in source time: is a reading in order, is one missing, did an impossible value begin.
 * Pure; everything but `silence` depends on the readings and their order alone.
 *
 * A gap is more than max(5 s, 5 × the expected interval) between neighbours. Expected is the tag's cadence, or
 * the median of the last nine intervals where that is clearly slower (a file with a row every 15 minutes). Nothing is
 * judged before five intervals are known: until then suspicious ones are kept and judged together afterwards.
 * A gap that was found stays on record; a reading delivered later for a time inside it is stored as
 * `out-of-order` and does not unsay that it had been missing.
 */
import type { TagDefinition } from '../../schemas/tags.ts'

export type Gap = {
  readonly tag: string
  readonly fromMs: number
  /** Undefined while it lasts. */
  readonly toMs: number | undefined
  readonly expectedIntervalSeconds: number
  readonly missing: number
  /** It is on record that it opened. */
  readonly wasDetected: boolean
}

export type Observation = {
  readonly isOutOfOrder: boolean
  /** The first impossible value of an episode. */
  readonly raisesAlarm: boolean
  /** Empty for nearly every reading. */
  readonly gaps: readonly Gap[]
}

export type SeriesReading = {
  readonly atMs: number
  readonly receivedAtMs: number
  readonly isPossible: boolean
  /** The source's clock stepped with this message: the time before it is no measure for the next. */
  readonly clockStepped: boolean
}

export type TagSeries = {
  observe(reading: SeriesReading): Observation
  restore(reading: SeriesReading): void
  restoreOpenGap(fromMs: number): void
  restoreClosedGap(): void
  /** The gap that has begun, where a source that was live has said nothing for too long by our clock. */
  silence(nowMs: number): Gap | undefined
}

const minimumGapMs = 5_000
const gapIntervals = 5
const learntFrom = 5
const remembered = 9
const liveLagMs = 30_000
/** Possible values for so long of source time end an episode of impossible ones. */
const episodeEndsAfterMs = 60_000

export function tagSeries(definition: TagDefinition): TagSeries {
  const { tag } = definition
  const cadenceMs = definition.cadenceSeconds * 1000
  const cadenceThresholdMs = Math.max(minimumGapMs, gapIntervals * cadenceMs)
  const intervals = new Float64Array(remembered)
  let intervalCount = 0
  let newestMs: number | undefined
  let newestReceivedAtMs = 0
  let openGapFromMs: number | undefined
  let unjudged: { fromMs: number; toMs: number }[] | undefined
  let lastImpossibleMs: number | undefined

  const expectedMs = (): number => {
    if (intervalCount < learntFrom) return cadenceMs
    const known = intervals.slice(0, Math.min(intervalCount, remembered)).sort()
    const median = known[known.length >> 1] as number
    return median > 1.5 * cadenceMs ? median : cadenceMs
  }
  const gapOf = (fromMs: number, toMs: number, expected: number, wasDetected: boolean): Gap => ({
    tag,
    fromMs,
    toMs,
    expectedIntervalSeconds: expected / 1000,
    missing: Math.max(0, Math.round((toMs - fromMs) / expected) - 1),
    wasDetected,
  })
  const isGap = (ms: number, expected: number): boolean =>
    ms > Math.max(minimumGapMs, gapIntervals * expected)

  /** What the interval before a reading in order means; it is learnt from as well. */
  const judge = (fromMs: number, toMs: number): readonly Gap[] => {
    const interval = toMs - fromMs
    const isSuspicious = interval > cadenceThresholdMs
    // Judged by the intervals before it: a gap must not make itself expected.
    const expected = isSuspicious || openGapFromMs !== undefined ? expectedMs() : cadenceMs
    const isLearnt = intervalCount >= learntFrom
    intervals[intervalCount % remembered] = interval
    intervalCount++
    if (openGapFromMs !== undefined) {
      const gap = gapOf(openGapFromMs, toMs, expected, true)
      openGapFromMs = undefined
      return [gap]
    }
    if (isLearnt)
      return isSuspicious && isGap(interval, expected) ? [gapOf(fromMs, toMs, expected, false)] : none
    if (isSuspicious) {
      unjudged ??= []
      unjudged.push({ fromMs, toMs })
    }
    if (intervalCount < learntFrom || !unjudged) return none
    const learnt = expectedMs()
    const found = unjudged
      .filter((kept) => isGap(kept.toMs - kept.fromMs, learnt))
      .map((kept) => gapOf(kept.fromMs, kept.toMs, learnt, false))
    unjudged = undefined
    return found
  }

  const raises = (reading: SeriesReading): boolean => {
    if (reading.isPossible) {
      if (lastImpossibleMs !== undefined && reading.atMs - lastImpossibleMs >= episodeEndsAfterMs)
        lastImpossibleMs = undefined
      return false
    }
    const isFirst = lastImpossibleMs === undefined
    lastImpossibleMs = Math.max(lastImpossibleMs ?? 0, reading.atMs)
    return isFirst
  }

  const observe = (reading: SeriesReading): Observation => {
    const raisesAlarm = raises(reading)
    if (newestMs === undefined || reading.clockStepped) {
      newestMs = reading.atMs
      newestReceivedAtMs = reading.receivedAtMs
      return raisesAlarm ? { isOutOfOrder: false, raisesAlarm, gaps: none } : inOrder
    }
    if (reading.atMs < newestMs)
      return raisesAlarm ? { isOutOfOrder: true, raisesAlarm, gaps: none } : outOfOrder
    const gaps = judge(newestMs, reading.atMs)
    newestMs = reading.atMs
    newestReceivedAtMs = reading.receivedAtMs
    return gaps.length === 0 && !raisesAlarm ? inOrder : { isOutOfOrder: false, raisesAlarm, gaps }
  }

  return {
    observe,
    restore: (reading) => void observe(reading),
    restoreOpenGap: (fromMs) => {
      openGapFromMs = fromMs
    },
    restoreClosedGap: () => {
      openGapFromMs = undefined
    },
    silence(nowMs) {
      if (newestMs === undefined || openGapFromMs !== undefined || intervalCount < learntFrom)
        return undefined
      if (nowMs - newestReceivedAtMs <= cadenceThresholdMs) return undefined
      if (Math.abs(newestReceivedAtMs - newestMs) > liveLagMs) return undefined
      const expected = expectedMs()
      if (!isGap(nowMs - newestReceivedAtMs, expected)) return undefined
      openGapFromMs = newestMs
      return {
        tag,
        fromMs: newestMs,
        toMs: undefined,
        expectedIntervalSeconds: expected / 1000,
        missing: 0,
        wasDetected: false,
      }
    },
  }
}

const none: readonly Gap[] = []
const inOrder: Observation = { isOutOfOrder: false, raisesAlarm: false, gaps: none }
const outOfOrder: Observation = { isOutOfOrder: true, raisesAlarm: false, gaps: none }
