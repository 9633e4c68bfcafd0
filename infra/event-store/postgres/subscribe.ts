/** A subscription: pages up to the store's end, then again whenever the end has moved, through lost connections. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '../../log.ts'
import { StoreReplacedError } from '../checkpoint.ts'
import type { EventPage, ReadAllOptions } from '../event-store.ts'
import type { Horizon, Pages } from './pages.ts'
import type { WakeUp } from './wake-up.ts'

const pollMs = 1_000
/** Filtered-out events alone make a page no more often than this. */
const quietPageMs = 100
const longestRetryMs = 1_000

export async function* subscribeTo(
  deps: {
    readonly pages: Pages
    readonly wakeUp: WakeUp
    readonly storeId: string
    readonly log: Logger | undefined
  },
  options: Omit<ReadAllOptions, 'until'> & {
    readonly pageSize: number
    readonly signal: AbortSignal
  },
): AsyncGenerator<EventPage> {
  const { pages, wakeUp } = deps
  const { filter, pageSize, signal } = options
  let cursor = options.after ?? 0n
  let lastEventId: string | undefined
  let first = true
  let failures = 0
  let quietUntil = 0
  while (!signal.aborted) {
    const seen = wakeUp.count()
    let horizon: Horizon
    try {
      horizon = await pages.horizon(filter)
      if (lastEventId !== undefined && horizon.position < cursor)
        throw new StoreReplacedError(
          { storeId: deps.storeId, position: cursor, eventId: lastEventId },
          `the store ends at position ${horizon.position}`,
        )
      if (horizon.position > cursor || first) {
        for await (const page of pages.between({
          after: cursor,
          until: horizon.position,
          filter,
          withoutReadings: horizon.withoutReadings,
          pageSize,
          signal,
        })) {
          const caughtUp = page.through >= horizon.position
          if (page.events.length === 0 && !first && performance.now() < quietUntil) {
            // Nothing to say yet; the next page covers these positions, too.
            if (!caughtUp) cursor = page.through
            continue
          }
          cursor = page.through
          lastEventId = page.events.at(-1)?.id ?? lastEventId
          first = false
          quietUntil = performance.now() + quietPageMs
          yield { ...page, caughtUp }
          if (signal.aborted) return
        }
        failures = 0
      }
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof StoreReplacedError) throw error
      deps.log?.warn({ err: error }, 'a subscription lost its store and tries again')
      await delay(Math.min(longestRetryMs, 25 * 2 ** failures++), undefined, { signal }).catch(() => {})
      continue
    }
    if (signal.aborted) return
    const quietMs = horizon.position > cursor ? Math.max(1, quietUntil - performance.now()) : undefined
    if (quietMs === undefined) await wakeUp.wait(seen, pollMs, signal)
    else await delay(quietMs, undefined, { signal }).catch(() => {})
  }
}
