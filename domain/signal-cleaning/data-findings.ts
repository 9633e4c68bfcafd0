/**
 * What is to be said about one tag's readings over a running batch, apart from their values: a time of more than 30 min
 * without any usable reading (`missing_data_too_long`), and 30-s windows with more than half of their readings missing
 * (`window_mostly_missing`). Usable is what the cleaning rules do not call invalid.
 * Source: process description of the batch, signal cleaning.
 */
import type { TagDefinition } from '../../schemas/tags.ts'
import type { RawReading } from './clean-series.ts'
import { gapKind } from './cleaning-rules.ts'
import { tagCleaner } from './tag-cleaner.ts'

const windowMs = 30_000

export const findingNames = ['missing_data_too_long', 'window_mostly_missing'] as const
export type FindingName = (typeof findingNames)[number]

export const findingRules: Readonly<Record<FindingName, string>> = {
  missing_data_too_long: 'missing-data-too-long/1',
  window_mostly_missing: 'window-mostly-missing/1',
}

export type DataFinding = {
  readonly name: FindingName
  readonly level: 'error' | 'warning'
  readonly tag: string
  /** Of missing data: the last usable reading before, or the start of the watch. Of windows: the first one's start. */
  readonly fromMs: number
  /** The next usable reading, or the end of the watch. Of windows: the last one's end. */
  readonly toMs: number
  /** True while no usable reading has come since. */
  readonly open: boolean
  /** Readings expected between the ends, and how many of them are missing. */
  readonly expected: number
  readonly missing: number
  /** The last usable reading before what is missing and the first one after it, as far as there are any. */
  readonly positions: readonly bigint[]
}

type FindingsWatch = {
  /** Feed in order of source time; readings before the watch are only remembered by position. */
  readonly push: (reading: RawReading) => void
  /** All findings up to `untilMs` (the newest time the answer knows, or the batch's end), by time. Call once, at the end. */
  readonly end: (untilMs: number) => readonly DataFinding[]
}

type End = { readonly atMs: number; readonly position: bigint | undefined }

/** `fromMs`: the start of the running batch. Findings grow with the disturbances of the series, not with its length. */
export function findingsWatch(definition: TagDefinition, fromMs: number): FindingsWatch {
  const cadenceMs = definition.cadenceSeconds * 1000
  const expected = Math.max(1, Math.round(windowMs / cadenceMs))
  const cleaner = tagCleaner(definition)
  const findings: DataFinding[] = []
  let last: End = { atMs: fromMs, position: undefined }
  /** The first window that lies wholly in the watch. */
  let window = Math.ceil(fromMs / windowMs)
  let slot = -1
  let seen = 0
  let run: { from: number; to: number; missing: number; before: End; after: End } | undefined

  return {
    push: ({ atMs, value, unit, quality, position }) => {
      if (cleaner.judge(atMs, value, unit, quality).kind === 'invalid') return
      const here: End = { atMs, position }
      if (atMs < fromMs) {
        last = { atMs: fromMs, position }
        return
      }
      closeWindowsBefore(Math.floor(atMs / windowMs), here)
      checkSilence(here, false)
      const place = Math.floor(atMs / cadenceMs)
      if (place !== slot && atMs >= window * windowMs) seen++
      slot = place
      last = here
    },
    end: (untilMs) => {
      const end: End = { atMs: untilMs, position: undefined }
      if (untilMs > last.atMs) checkSilence(end, true)
      closeWindowsBefore(Math.floor(untilMs / windowMs), end)
      endRun()
      return findings.sort((one, other) => one.fromMs - other.fromMs || (one.name < other.name ? -1 : 1))
    },
  }

  function checkSilence(next: End, open: boolean): void {
    if (gapKind(next.atMs - last.atMs) !== 'missing') return
    const readings = Math.max(0, Math.round((next.atMs - last.atMs) / cadenceMs) - (open ? 0 : 1))
    findings.push({
      name: 'missing_data_too_long',
      level: 'error',
      tag: definition.tag,
      fromMs: last.atMs,
      toMs: next.atMs,
      open,
      expected: readings,
      missing: readings,
      positions: known(last, next),
    })
  }

  /** Judges every window that ends at or before window number `until` starts; `next` is what comes after them. */
  function closeWindowsBefore(until: number, next: End): void {
    if (until <= window) return
    judge(window, window + 1, seen, next)
    // All windows in between hold nothing.
    if (until > window + 1) judge(window + 1, until, 0, next)
    window = until
    seen = 0
  }

  function judge(from: number, to: number, used: number, next: End): void {
    const missing = Math.max(0, expected - used)
    if (missing * 2 <= expected) {
      endRun()
      return
    }
    run ??= { from, to, missing: 0, before: last, after: next }
    run.to = to
    run.after = next
    run.missing += missing * (to - from)
  }

  function endRun(): void {
    if (!run) return
    const { from, to, missing, before, after } = run
    findings.push({
      name: 'window_mostly_missing',
      level: 'warning',
      tag: definition.tag,
      fromMs: from * windowMs,
      toMs: to * windowMs,
      open: after.position === undefined,
      expected: expected * (to - from),
      missing,
      positions: known(before, after),
    })
    run = undefined
  }
}

const known = (...ends: readonly End[]): bigint[] => ends.flatMap(({ position }) => position ?? [])
