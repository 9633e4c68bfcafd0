/**
 * Catch-up, then live: a page when the committer notified us or a second passed, read by keyset from the last
 * position. A broken connection is taken up again from there; nothing is lost or repeated, because what was
 * handed on is known to us alone.
 */
import pg from 'pg'
import type { Logger } from '../../log.ts'
import type { EventPage, ReadAllOptions } from '../event-store.ts'
import type { EventReader } from './read-events.ts'

/** Resolves `changed()` at the next notification, at the latest after a second. */
export type Bell = { changed(signal: AbortSignal): Promise<void>; close(): Promise<void> }

export function createBell(appUrl: string, log: Logger | undefined): Bell {
  let waiting: (() => void)[] = []
  let client: pg.Client | undefined
  let isClosed = false
  let connecting: Promise<void> | undefined
  let rings = 0
  const ring = () => {
    rings++
    const woken = waiting
    waiting = []
    for (const wake of woken) wake()
  }
  const connect = async (): Promise<void> => {
    const fresh = new pg.Client({
      connectionString: appUrl,
      application_name: 'bioledger-event-store-bell',
      keepAlive: true,
    })
    fresh.on('error', (error) => {
      log?.debug({ error: error.message }, 'notifications interrupted, polling meanwhile')
      if (client === fresh) client = undefined
      void fresh.end().catch(() => {})
    })
    fresh.on('end', () => {
      if (client === fresh) client = undefined
    })
    fresh.on('notification', ring)
    await fresh.connect()
    await fresh.query('LISTEN bioledger_events')
    if (isClosed) await fresh.end()
    else client = fresh
  }
  return {
    changed: async (signal) => {
      if (!client && !isClosed)
        connecting ??= connect()
          .catch(() => {})
          .finally(() => {
            connecting = undefined
          })
      const before = rings
      await new Promise<void>((settle) => {
        const done = () => {
          clearTimeout(timer)
          signal.removeEventListener('abort', done)
          settle()
        }
        const timer = setTimeout(done, 1_000)
        signal.addEventListener('abort', done, { once: true })
        if (signal.aborted || rings !== before) done()
        else waiting.push(done)
      })
    },
    close: async () => {
      isClosed = true
      await connecting
      ring()
      await client?.end().catch(() => {})
    },
  }
}

export type SubscriptionDeps = {
  readonly reader: EventReader
  readonly headPosition: () => Promise<bigint>
  readonly bell: Bell
  readonly log: Logger | undefined
}

/** Pages up to the end as it is now (or `until`); the last one says caught up. */
export async function* readAllPages(
  deps: Pick<SubscriptionDeps, 'reader' | 'headPosition'>,
  options: ReadAllOptions,
): AsyncGenerator<EventPage> {
  const head = await deps.headPosition()
  const end = options.until === undefined || options.until > head ? head : options.until
  const limit = options.pageSize ?? 2_000
  let through = options.after ?? 0n
  let ahead =
    through < end
      ? deps.reader.page({ after: through, until: end, limit, filter: options.filter })
      : undefined
  while (ahead && !options.signal?.aborted) {
    const events = await ahead
    const isLast = events.length < limit
    through = isLast ? end : events.at(-1)!.position
    ahead =
      isLast || through >= end
        ? undefined
        : deps.reader.page({ after: through, until: end, limit, filter: options.filter })
    // Its error belongs to the turn that awaits it.
    ahead?.catch(() => {})
    yield { events, through, caughtUp: through === end }
  }
}

export async function* subscriptionPages(
  deps: SubscriptionDeps,
  options: Omit<ReadAllOptions, 'until'> & { readonly signal: AbortSignal },
): AsyncGenerator<EventPage> {
  let after = options.after ?? 0n
  let delayMs = 50
  while (!options.signal.aborted) {
    // Armed before the read: what is committed meanwhile rings for the next turn.
    const changed = deps.bell.changed(options.signal)
    try {
      let isIdle = true
      for await (const page of readAllPages(deps, { ...options, after })) {
        if (options.signal.aborted) return
        after = page.through
        isIdle = false
        yield page
      }
      if (isIdle) yield { events: [], through: after, caughtUp: true }
      delayMs = 50
      await changed
    } catch (error) {
      if (options.signal.aborted) return
      deps.log?.warn(
        { error: error instanceof Error ? error.message : String(error) },
        'reading the event log failed, trying again',
      )
      await new Promise((settle) => setTimeout(settle, delayMs))
      delayMs = Math.min(2_000, delayMs * 2)
    }
  }
}
