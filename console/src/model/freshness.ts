/**
 * How old a value is, and against which clock.
 *
 * Live data: against this machine's clock (corrected to the server's). Simulated and replayed data run at another
 * pace or lie in the past, so there the batch's own newest source time is "now", and it counts on by the seconds
 * in which nothing arrived: values stay fresh while data flow and go stale when they stop. A batch that is closed
 * has last values, which do not age.
 */
import { findTag } from '../../../schemas/tags.ts'
import type { Batch } from '../api/answers.ts'

export type DataClock = {
  readonly nowMs: number
  readonly meant: 'wall' | 'source' | 'instant' | 'closed'
  /** For people: which clock ages are measured against. */
  readonly explanation: string
}

export type DataClockInput = {
  readonly status: Batch['status']
  readonly origin: Batch['origin']
  /** Source time of the newest reading; null when there is none. */
  readonly newestSourceMs: number | null
  /** This machine's clock, corrected to the server's. */
  readonly wallMs: number
  /** When readings last arrived here, on the same clock (or when the page began to listen). */
  readonly arrivedMs: number
  readonly asOfMs: number | null
}

export function dataClock(input: DataClockInput): DataClock {
  const { status, origin, newestSourceMs, wallMs, arrivedMs, asOfMs } = input
  if (status === 'complete' || status === 'aborted')
    return {
      nowMs: newestSourceMs ?? wallMs,
      meant: 'closed',
      explanation: 'The batch is closed: these are its last values, they do not age.',
    }
  if (origin === 'live')
    return asOfMs === null
      ? {
          nowMs: Math.max(wallMs, newestSourceMs ?? wallMs),
          meant: 'wall',
          explanation: 'Age of a value: wall clock minus source time.',
        }
      : {
          nowMs: asOfMs,
          meant: 'instant',
          explanation: 'Age of a value: the instant viewed minus source time.',
        }
  const word = origin === 'simulated' ? 'simulation' : 'replay'
  const silenceMs = asOfMs === null ? Math.max(0, wallMs - arrivedMs) : 0
  return {
    nowMs: (newestSourceMs ?? wallMs) + silenceMs,
    meant: 'source',
    explanation: `Age of a value: measured against the newest source time of this ${word}${asOfMs === null ? ', plus the time since data last arrived' : ''}; source time is not the wall clock.`,
  }
}

/** 10 s; for slow tags five times their cadence. */
export function staleAfterMs(tag: string): number {
  const cadence = findTag(tag)?.cadenceSeconds ?? 1
  return cadence > 1 ? cadence * 5000 : 10_000
}

export type Freshness = { readonly ageMs: number; readonly stale: boolean }

export function freshness(tag: string, atMs: number, clock: DataClock): Freshness {
  const ageMs = Math.max(0, clock.nowMs - atMs)
  return { ageMs, stale: clock.meant !== 'closed' && ageMs > staleAfterMs(tag) }
}

/** Time since inoculation: to closure when closed, else to the data clock; null before T = 0. */
export function elapsedSinceInoculation(
  batch: Pick<Batch, 'inoculatedAt' | 'closedAt'>,
  clock: DataClock,
): number | null {
  if (batch.inoculatedAt === null) return null
  const end = batch.closedAt === null ? clock.nowMs : Date.parse(batch.closedAt)
  return end - Date.parse(batch.inoculatedAt)
}
