/** Tries again for ever, ever more slowly up to a second, until it works or `signal` aborts. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from './log.ts'

export type Persistence = {
  /** What is attempted, for the log: "append to reading-…". */
  readonly what: string
  readonly log: Logger
  readonly signal: AbortSignal
  /** Errors for which another attempt is of no use; all others are tried again. */
  readonly isFinal?: (error: unknown) => boolean
  readonly onRetry?: () => void
}

/** Rejects with a final error, or with the last one once `signal` has aborted. */
export async function untilItWorks<Result>(
  { what, log, signal, isFinal, onRetry }: Persistence,
  work: () => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (isFinal?.(error) || signal.aborted) throw error
      onRetry?.()
      const facts = { what, attempt, error: error instanceof Error ? error.message : String(error) }
      // The first is often a blip; a lasting outage is said about once in ten seconds.
      if (attempt === 3 || attempt % 10 === 0) log.warn(facts, 'not possible yet, trying again')
      else log.debug(facts, 'not possible yet, trying again')
      await sleep(Math.min(1_000, 10 * 2 ** Math.min(attempt, 7)), undefined, { signal }).catch(() => {})
      if (signal.aborted) throw error
    }
  }
}
