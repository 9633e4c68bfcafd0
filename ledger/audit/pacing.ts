/** Spreads work over time: so many units a second at most, in short steps. */
import { setTimeout as delay } from 'node:timers/promises'

export type Pacing = {
  /** Waits until `units` more are due, or for nothing more once `hurry` aborted. Rejects when `signal` aborts. */
  spend(units: number): Promise<void>
}

export function pacing(unitsPerSecond: number, signals: { signal: AbortSignal; hurry: AbortSignal }): Pacing {
  const { signal, hurry } = signals
  const either = AbortSignal.any([signal, hurry])
  let due = performance.now()
  return {
    spend: async (units) => {
      const now = performance.now()
      // What was not used before is not made up for: never faster than the budget.
      due = Math.max(due, now) + (units / unitsPerSecond) * 1000
      const waitMs = due - now
      if (waitMs >= 1 && !hurry.aborted) await delay(waitMs, undefined, { signal: either }).catch(() => {})
      signal.throwIfAborted()
    },
  }
}
