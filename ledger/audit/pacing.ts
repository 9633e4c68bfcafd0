/** Spreads work over time: so many units a second at most, in short steps. */
import { setTimeout as delay } from 'node:timers/promises'

export type Pacing = {
  /** Waits until `units` more are due. Rejects when `signal` aborts. */
  spend(units: number): Promise<void>
}

export function pacing(unitsPerSecond: number, signal: AbortSignal): Pacing {
  let due = performance.now()
  return {
    spend: async (units) => {
      signal.throwIfAborted()
      const now = performance.now()
      // What was not used before is not made up for: never faster than the budget.
      due = Math.max(due, now) + (units / unitsPerSecond) * 1000
      const waitMs = due - now
      if (waitMs >= 1) await delay(waitMs, undefined, { signal })
    },
  }
}
