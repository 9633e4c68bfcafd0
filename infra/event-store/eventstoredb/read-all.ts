/**
 * Pages of `$all` up to an end that is fixed when reading begins. Without a filter the log is read in bounded
 * calls; with one, a catch-up subscription lets the server leave out what was not asked for (the client's readAll
 * cannot). How far a page has seen is taken from events and from the index alone, never from the server's
 * checkpoints: several server versions sent ones that skip events.
 */
import type { RecordedEvent } from '../../../schemas/event.ts'
import { categoryOf } from '../../../schemas/streams.ts'
import type { EventFilter, EventPage } from '../event-store.ts'
import type { Placed, ServerFilter } from './connection.ts'
import { failureOf, unavailable } from './errors.ts'
import { type ReaderDeps, toRecorded, withReadAttempts } from './read-stream.ts'

export type PageRange = {
  /** Exclusive. */
  readonly after: bigint | undefined
  /** Inclusive; the index has passed it. */
  readonly until: bigint
  readonly filter: EventFilter | undefined
  readonly pageSize: number
  readonly signal: AbortSignal | undefined
}

/** Ends with a page that reaches `until`. `caughtUp` is the caller's to say. */
export async function* pagesOf(
  deps: ReaderDeps,
  range: PageRange,
): AsyncGenerator<Omit<EventPage, 'caughtUp'>> {
  const after = range.after ?? -1n
  let events: RecordedEvent[] = []
  let seen = after
  if (range.until > after)
    for await (const placed of serverFilter(range.filter) ? filtered(deps, range) : unfiltered(deps, range)) {
      if (range.signal?.aborted) return
      const event = toRecorded(deps.clock, placed)
      if (!event || !passes(event, range.filter)) continue
      events.push(event)
      seen = event.position
      if (events.length < range.pageSize) continue
      yield { events, through: seen }
      events = []
    }
  if (range.signal?.aborted) return
  yield { events, through: range.until > after ? range.until : after }
}

export function passes(event: RecordedEvent, filter: EventFilter | undefined): boolean {
  if (filter?.types && !filter.types.includes(event.type)) return false
  return !filter?.categories || filter.categories.includes(categoryOf(event.stream))
}

async function* unfiltered(deps: ReaderDeps, range: PageRange): AsyncGenerator<Placed> {
  const callEvents = Math.min(2_000, range.pageSize + 1)
  let from = await recordAtOrBefore(deps, range.after)
  let last = range.after ?? -1n
  for (;;) {
    const placed = await withReadAttempts(deps, 'read of $all', () =>
      deps.connection.readAll({ from, direction: 'forwards', maxCount: callEvents }),
    )
    for (const item of placed) {
      if (item.position <= last) continue
      if (item.position > range.until) return
      last = item.position
      yield item
    }
    const end = placed.at(-1)
    if (!end || placed.length < callEvents || last >= range.until) return
    from = end.position
  }
}

async function* filtered(deps: ReaderDeps, range: PageRange): AsyncGenerator<Placed> {
  const filter = serverFilter(range.filter)
  const from = await recordAtOrBefore(deps, range.after)
  let last = range.after ?? -1n
  let resumeAt: bigint | undefined = from === 'start' ? undefined : from
  let failures = 0
  for (;;) {
    deps.follower.assertUsable()
    const subscription = await deps.connection.subscribe({ after: resumeAt, ...(filter ? { filter } : {}) })
    const stop = () => void subscription.stop()
    range.signal?.addEventListener('abort', stop)
    try {
      for await (const item of subscription.items) {
        failures = 0
        if (item === 'caught-up' || range.signal?.aborted) return
        if (item.position > range.until) return
        if (item.position <= last) continue
        last = item.position
        resumeAt = item.position
        yield item
        if (last >= range.until) return
      }
    } catch (error) {
      if (range.signal?.aborted) return
      if (failureOf(error) !== 'too-slow') {
        if (++failures >= deps.readAttempts) throw unavailable('read of $all', error)
        await new Promise((settle) => setTimeout(settle, 25 * 2 ** failures))
      }
    } finally {
      range.signal?.removeEventListener('abort', stop)
      await subscription.stop()
    }
  }
}

/** The server takes only positions where a record begins; any other is an error there. */
async function recordAtOrBefore(deps: ReaderDeps, after: bigint | undefined): Promise<bigint | 'start'> {
  if (after === undefined || after < 0n) return 'start'
  return (await deps.index.lastEvent(after))?.position ?? 'start'
}

/** A superset of what was asked for, by prefix; `passes` decides. Types first: they are rarer than categories. */
function serverFilter(filter: EventFilter | undefined): ServerFilter | undefined {
  if (filter?.types?.length) return { on: 'type', prefixes: filter.types }
  if (filter?.categories?.length) return { on: 'stream', prefixes: filter.categories }
  return undefined
}
