/** Asks a server again, 0.05 s to 5 s apart, until it answers. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from './log.ts'

/** Rejects with the last error when `signal` aborts, and at once with an error that `isFinal` says will not pass. */
export async function untilItWorks<Result>(
  deps: {
    readonly what: string
    readonly log: Logger
    readonly signal: AbortSignal
    readonly isFinal?: (error: unknown) => boolean
  },
  work: () => Promise<Result>,
): Promise<Result> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (deps.signal.aborted || deps.isFinal?.(error)) throw error
      if (attempt === 0 || attempt % 20 === 0)
        deps.log.warn({ err: error, attempt }, `cannot ${deps.what} at present; trying again`)
      await delay(Math.min(5_000, 50 * 2 ** attempt), undefined, { signal: deps.signal }).catch(() => {})
    }
  }
}
