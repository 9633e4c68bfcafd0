/**
 * The windows of one batch while it runs. The oldest open window closes when a reading at or after its end + 1 s comes,
 * or when the batch ends. A reading for a closed window is counted and changes nothing. Windows without readings in
 * between are emitted as such, up to an hour of them; a longer silence is skipped, and the next window says so.
 */
import type { Origin, RecordedEvent } from '../../schemas/event.ts'
import type { Quality } from '../../schemas/events/sensor-events.ts'
import { findTag, type Tag, tagDefinitions } from '../../schemas/tags.ts'
import { rules } from '../signal-cleaning/cleaning-rules.ts'
import type { ProcessSettings } from './process-settings.ts'
import { type Inoculation, processState } from './process-state.ts'
import {
  type Correction,
  type OfflineSample,
  type ProcessWindow,
  type TagWindow,
  windowMs,
} from './process-window.ts'
import { type TagSignal, tagSignal } from './tag-signal.ts'

/** A window waits so long after its end, in source time, for readings that took another way. */
export const closeAfterMs = 1_000
/** More empty windows in a row than this (1 h) are left out. By then every tag is missing anyway. */
export const silentWindowsEmitted = 120
/** The tag of a correction that concerns the whole vessel. */
export const allTags = 'all'

type Reading = {
  readonly tag: string
  readonly value: number
  readonly unit: string
  readonly quality: Quality
}

export type BatchWindows = {
  readonly batchId: string
  /** The windows that this reading closed, or undefined. */
  readonly reading: (
    event: RecordedEvent,
    reading: Reading,
    atMs: number,
  ) => readonly ProcessWindow[] | undefined
  readonly inoculate: (position: bigint, inoculation: Inoculation) => void
  readonly sample: (position: bigint, volumeMl: number, sample: OfflineSample) => void
  /** The windows that are still open and hold readings. */
  readonly end: (event: RecordedEvent) => readonly ProcessWindow[]
  readonly lateReadings: () => number
}

/** What a window gathers beside its signals; two can be open at once. */
type Gathered = { readings: number; from: bigint; to: bigint; origin: Origin | undefined }

/** Below every position: nothing gathered yet. */
const nowhere = -1n

type Late = { count: number; from: bigint; to: bigint }

export function batchWindows(options: {
  readonly batchId: string
  readonly vessel: string
  readonly settings: ProcessSettings
}): BatchWindows {
  const { batchId, vessel } = options
  const state = processState(options.settings)
  const signals = new Map<string, TagSignal>()
  const gathered: readonly [Gathered, Gathered] = [emptyGathered(), emptyGathered()]
  const late = new Map<string, Late>()
  let lateCount = 0
  /** Number of the oldest open window: whole 30 s since the epoch. */
  let oldest: number | undefined
  let samples: readonly OfflineSample[] = []
  let origin: Origin | undefined
  let site = ''
  let skipped = 0

  return {
    batchId,
    lateReadings: () => lateCount,
    reading: (event, reading, atMs) => {
      const window = Math.floor(atMs / windowMs)
      oldest ??= window
      if (window < oldest) {
        countLate(reading.tag, event.position)
        return undefined
      }
      const closed = atMs >= (oldest + 1) * windowMs + closeAfterMs ? closeUpTo(atMs, event) : undefined
      site = event.site
      gather(window, event.position, event.origin)
      signalOf(reading.tag)?.add(window, atMs, reading.value, reading.unit, reading.quality, event.position)
      return closed
    },
    inoculate: (position, inoculation) => {
      state.inoculate(inoculation)
      mention(position)
    },
    sample: (position, volumeMl, sample) => {
      samples = [...samples, sample]
      state.sampleDrawn(volumeMl, sample.sampledMs)
      mention(position)
    },
    end: (event) => {
      const closed: ProcessWindow[] = []
      if (oldest === undefined) return closed
      const last = gatheredOf(oldest + 1).readings > 0 ? oldest + 1 : oldest
      for (; oldest <= last; oldest++) closed.push(close(oldest, event))
      return closed
    },
  }

  function closeUpTo(atMs: number, event: RecordedEvent): ProcessWindow[] {
    const closed: ProcessWindow[] = []
    if (oldest === undefined) return closed
    let silent = 0
    while (atMs >= (oldest + 1) * windowMs + closeAfterMs) {
      silent = gatheredOf(oldest).readings > 0 ? 0 : silent + 1
      if (silent > silentWindowsEmitted && gatheredOf(oldest + 1).readings === 0) {
        const next = Math.floor((atMs - closeAfterMs) / windowMs)
        skipped += next - oldest
        state.skip()
        oldest = next
        break
      }
      closed.push(close(oldest, event))
      oldest++
    }
    return closed
  }

  function close(window: number, event: RecordedEvent): ProcessWindow {
    const fromMs = window * windowMs
    const toMs = fromMs + windowMs
    const tags: Partial<Record<string, TagWindow>> = {}
    const usable = new Map<string, TagWindow>()
    const corrections: Correction[] = []
    let score = 0
    for (const signal of signals.values()) {
      const { tag } = signal.definition
      const closed = signal.close(window)
      if (closed.window) tags[tag] = closed.window
      if (closed.window && closed.usable) usable.set(tag, closed.window)
      corrections.push(...closed.corrections)
      const thirtieth = 30 / closed.expected
      score += Math.max(0, 100 - thirtieth * (2 * closed.missing + closed.clipped + 5 * closed.invalid))
    }
    if (skipped > 0)
      corrections.push({ tag: allTags, quality: 'missing', rule: rules.silence, count: skipped })
    skipped = 0
    for (const [tag, { count, from, to }] of late)
      corrections.push({
        tag,
        quality: 'missing',
        rule: rules.lateReading,
        count,
        positions: { from, to },
      })
    late.clear()
    const facts = gatheredOf(window)
    origin = facts.origin ?? origin
    const inputPositions =
      facts.to !== nowhere ? { from: facts.from, to: facts.to } : { from: event.position, to: event.position }
    clearGathered(facts)
    const derived = state.close(fromMs, toMs, { usable: (tag: Tag) => usable.get(tag) })
    return {
      batchId,
      vessel,
      origin: origin ?? event.origin,
      site,
      fromMs,
      toMs,
      ...derived,
      inputPositions,
      closedAt: event.recordedAt,
      tags,
      samples,
      corrections,
      qualityScore: signals.size === 0 ? 0 : score / signals.size,
    }
  }

  function signalOf(tag: string): TagSignal | undefined {
    const known = signals.get(tag)
    if (known) return known
    const definition = findTag(tag)
    if (!definition) return undefined
    signals.set(tag, tagSignal(definition))
    inRegistryOrder(signals)
    return signals.get(tag)
  }

  function gather(window: number, position: bigint, of: Origin): void {
    const facts = gatheredOf(window)
    facts.readings++
    if (facts.from > position || facts.to === nowhere) facts.from = position
    if (facts.to < position) facts.to = position
    if (facts.origin !== of) facts.origin = lessDirect(facts.origin, of)
  }

  /** An event that is no reading enters with the oldest open window. */
  function mention(position: bigint): void {
    if (oldest === undefined) return
    const facts = gatheredOf(oldest)
    if (facts.from > position || facts.to === nowhere) facts.from = position
    if (facts.to < position) facts.to = position
  }

  function gatheredOf(window: number): Gathered {
    return gathered[(window & 1) as 0 | 1]
  }

  function countLate(tag: string, position: bigint): void {
    lateCount++
    const seen = late.get(tag)
    if (!seen) late.set(tag, { count: 1, from: position, to: position })
    else {
      seen.count++
      seen.to = position
    }
  }
}

function emptyGathered(): Gathered {
  return { readings: 0, from: nowhere, to: nowhere, origin: undefined }
}

function clearGathered(gathered: Gathered): void {
  gathered.readings = 0
  gathered.from = nowhere
  gathered.to = nowhere
  gathered.origin = undefined
}

/** Of mixed origins the one furthest from the process is shown. */
function lessDirect(known: Origin | undefined, other: Origin): Origin {
  if (known === undefined || known === 'live') return other
  if (other === 'live') return known
  return known === 'simulated' || other === 'simulated' ? 'simulated' : 'replayed'
}

/** Same order whatever tag spoke first: a window's bytes do not hang on it. */
function inRegistryOrder(signals: Map<string, TagSignal>): void {
  const sorted = tagDefinitions.flatMap(({ tag }) => {
    const signal = signals.get(tag)
    return signal ? [[tag, signal] as const] : []
  })
  signals.clear()
  for (const [tag, signal] of sorted) signals.set(tag, signal)
}
