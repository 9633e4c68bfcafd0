/**
 * Ingest's knowledge of which batch occupies which vessel, read from the store. `refresh` brings it to the store's end
 * as it was at the call or later: a batch that was created and acknowledged before a reading was published is
 * known before that reading is assigned. Between messages the subscription wakes it for batches that end.
 */
import type { EventStore } from '../infra/event-store/event-store.ts'
import type { Logger } from '../infra/log.ts'
import { untilItWorks } from '../infra/until-it-works.ts'
import { type Lifecycle, lifecycle, lifecycleTypes } from './lifecycle.ts'

export type LifecycleView = {
  readonly lifecycle: Lifecycle
  /** Rejects only when `signal` has aborted. */
  refresh(): Promise<void>
  /** Calls `onChange` after batch events came, until `signal` aborts. */
  follow(onChange: () => void): Promise<void>
}

const filter = { types: [...lifecycleTypes], categories: ['batch'] }

export function lifecycleView(deps: {
  readonly store: EventStore
  readonly log: Logger
  readonly signal: AbortSignal
}): LifecycleView {
  const { store, log, signal } = deps
  const known = lifecycle()
  let through: bigint | undefined
  let next: Promise<void> | undefined
  let current: Promise<void> | undefined

  const read = async (): Promise<void> => {
    for await (const page of store.readAll({
      filter,
      signal,
      ...(through === undefined ? {} : { after: through }),
    })) {
      for (const event of page.events) known.apply(event)
      if (through === undefined || page.through > through) through = page.through
    }
  }
  const start = (): Promise<void> => {
    current = untilItWorks({ what: 'read the batches', log, signal }, read).finally(() => {
      current = undefined
    })
    return current
  }
  /** A read under way may have begun before the caller's message arrived, so it takes the one after it. */
  const refresh = (): Promise<void> => {
    if (!current) return start()
    next ??= current
      .catch(() => {})
      .then(() => {
        next = undefined
        return start()
      })
    return next
  }

  return {
    lifecycle: known,
    refresh,
    follow: async (onChange) => {
      const after = through
      for await (const page of store.subscribe({
        filter,
        signal,
        ...(after === undefined ? {} : { after }),
      })) {
        if (page.events.length === 0) continue
        await refresh()
        onChange()
      }
    },
  }
}
