/** How fast a cycle of the check goes, and the waiting that keeps it to that: in short steps, evenly over the cycle. */
import { setTimeout as delay } from 'node:timers/promises'

/** Entries a second that a cycle takes without need at most; what the log grows by is taken off. */
export const usualEntriesPerSecond = 20_000
export const leastEntriesPerSecond = 2_000
/** A cycle ends within this, so that with the one before a change is named within five minutes. */
export const longestCycleMs = 240_000
/** Left for entries however long the read models took in the cycle before. */
const leastEntriesMs = 60_000

/**
 * Entries a second over a log of `size` entries: so many that they take half of `cycleMs`, as far as usual; more where
 * `longestCycleMs` would not do otherwise, whatever comes in. `bound` is what somebody set, and never exceeded.
 */
export function entriesPerSecondFor(cycle: {
  readonly size: bigint
  readonly cycleMs: number
  /** Entries a second that come in. */
  readonly growth: number
  /** What the read models took in the cycle before. */
  readonly comparedMs: number
  readonly bound: number | undefined
}): number {
  const over = (ms: number) => (Number(cycle.size) / ms) * 1000
  const usual = Math.min(over(cycle.cycleMs / 2), usualEntriesPerSecond - cycle.growth)
  const needed = over(Math.max(leastEntriesMs, longestCycleMs - cycle.comparedMs))
  return Math.min(cycle.bound ?? Number.POSITIVE_INFINITY, Math.max(leastEntriesPerSecond, usual, needed))
}

export type Pacing = {
  /** Waits until `units` more are due, or for nothing more once `hurry` aborted. Rejects when `signal` aborts. */
  spend(units: number): Promise<void>
}

/** `time`: what tells the milliseconds and waits; default this process's. */
export function pacing(
  unitsPerSecond: number,
  { signal, hurry }: { signal: AbortSignal; hurry: AbortSignal },
  time: { readonly now: () => number; readonly wait: (ms: number, signal: AbortSignal) => Promise<void> } = {
    now: () => performance.now(),
    wait: (ms, either) => delay(ms, undefined, { signal: either }),
  },
): Pacing {
  const either = AbortSignal.any([signal, hurry])
  let due = time.now()
  return {
    spend: async (units) => {
      // Work counts as waiting, and what a busy machine held up is made up for: the whole keeps its time.
      due += (units / unitsPerSecond) * 1000
      const waitMs = due - time.now()
      if (waitMs >= 1 && !hurry.aborted) await time.wait(waitMs, either).catch(() => {})
      signal.throwIfAborted()
    },
  }
}
