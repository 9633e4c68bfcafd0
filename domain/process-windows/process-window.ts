/**
 * A closed 30-s window of a batch: cleaned signals, derived quantities, and which events it rests on. Windows lie on
 * a fixed grid from the epoch (whole 30 s), close on event time and order alone, and never look at a clock.
 */
import type { Origin } from '../../schemas/event.ts'
import type { CleanedQuality, ProcessPhase } from '../../schemas/events/process-events.ts'

export const windowMs = 30_000

/** One tag's cleaned signal over a window; values in the tag's canonical unit. */
export type TagWindow = {
  readonly mean: number
  readonly min: number
  readonly max: number
  readonly last: number
  /** Good raw readings (missing, invalid and filled ones not counted). */
  readonly goodCount: number
  /** Readings the tag's cadence promises for 30 s. */
  readonly expectedCount: number
  /** Worst quality among the cleaned values. */
  readonly quality: CleanedQuality
}

export type DerivedValue = { readonly value: number | null; readonly reason?: string }

/** Offline samples as far as they were recorded when the window closed. */
export type OfflineSample = {
  readonly sampleEventId: string
  readonly sampledMs: number
  /** AU, dilution applied. */
  readonly od600: number
}

export type Correction = {
  readonly tag: string
  readonly quality: CleanedQuality
  readonly rule: string
  readonly count: number
  readonly positions?: { readonly from: bigint; readonly to: bigint }
}

export type ProcessWindow = {
  readonly batchId: string
  readonly vessel: string
  readonly origin: Origin
  readonly site: string
  readonly fromMs: number
  readonly toMs: number
  /** From inoculation (T = 0) to the window's end; negative before, undefined while not inoculated. */
  readonly hours: number | undefined
  readonly inputPositions: { readonly from: bigint; readonly to: bigint }
  /** Store clock of the event that closed the window: nothing recorded later was looked at. */
  readonly closedAt: string
  readonly tags: Readonly<Record<string, TagWindow | undefined>>
  /** Keys and units: `derived-quantities.ts`. */
  readonly derived: Readonly<Record<string, DerivedValue>>
  readonly phase: ProcessPhase | undefined
  /** End of the window in which the depletion rule was met, ms. */
  readonly depletionConfirmedMs: number | undefined
  /** Inoculum as recorded: OD600 of the vessel at T = 0 (inoculum OD × volume / working volume), when known. */
  readonly inoculumOd: number | undefined
  readonly samples: readonly OfflineSample[]
  readonly corrections: readonly Correction[]
  readonly qualityScore: number
}
