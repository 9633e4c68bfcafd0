/**
 * A subscription is fed from the newest events that the process's one follower keeps in memory; one that is
 * further behind reads the log until memory reaches back to where it stands. So a slow subscriber costs the
 * server nothing, and the server dropping the follower is not noticed here at all.
 */
import type { EventPage, ReadAllOptions } from '../event-store.ts'
import { pagesOf, passes } from './read-all.ts'
import type { ReaderDeps } from './read-stream.ts'

/** Filtered-out events alone make a page no more often than this. */
const quietPageMs = 100
/** When nothing came at all, an empty page says so this often. */
const idlePageMs = 1_000

export async function* subscribeTo(
  deps: ReaderDeps,
  options: Omit<ReadAllOptions, 'until'> & { readonly signal: AbortSignal },
  pageSize: number,
): AsyncGenerator<EventPage> {
  const { follower } = deps
  const { filter, signal } = options
  let cursor = options.after ?? -1n
  let first = true
  let idleSince: number | undefined
  while (!signal.aborted) {
    follower.assertUsable()
    const end = follower.head()?.position ?? -1n
    const recent = follower.recentAfter(cursor)
    if (!recent) {
      for await (const page of pagesOf(deps, { after: cursor, until: end, filter, pageSize, signal })) {
        cursor = page.through
        first = false
        yield { ...page, caughtUp: false }
        if (signal.aborted) return
      }
      continue
    }
    if (recent.length > 0) idleSince = undefined
    const { events, through } = pageFrom(recent, filter, pageSize, cursor)
    const caughtUp = through >= end
    if (events.length > 0 || first) {
      cursor = through
      first = false
      yield { events, through, caughtUp }
      continue
    }
    if (through > cursor) {
      await pause(quietPageMs, signal)
      const later = follower.recentAfter(cursor)
      if (!later) continue
      const page = pageFrom(later, filter, pageSize, cursor)
      cursor = page.through
      if (!signal.aborted) yield { ...page, caughtUp: page.through >= (follower.head()?.position ?? -1n) }
      continue
    }
    idleSince ??= performance.now()
    await follower.moved(idlePageMs, signal)
    if (signal.aborted || performance.now() - idleSince < idlePageMs) continue
    idleSince = undefined
    if (cursor >= (follower.head()?.position ?? -1n)) yield { events: [], through: cursor, caughtUp: true }
  }
}

function pageFrom(
  recent: readonly EventPage['events'][number][],
  filter: ReadAllOptions['filter'],
  pageSize: number,
  cursor: bigint,
): Omit<EventPage, 'caughtUp'> {
  const events: EventPage['events'][number][] = []
  let through = cursor
  for (const event of recent) {
    if (passes(event, filter)) {
      if (events.length === pageSize) break
      events.push(event)
    }
    through = event.position
  }
  return { events, through }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((settle) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      settle()
    }
    const timer = setTimeout(done, milliseconds)
    signal.addEventListener('abort', done)
    if (signal.aborted) done()
  })
}
