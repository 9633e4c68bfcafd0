/**
 * Calls to the server, each with its own deadline and always ended: the client's reads and subscriptions have
 * none, and leaving a loop does not close the call at the server.
 *
 * Appends take the unary path, which the client chooses when a call carries credentials (on an insecure server any
 * will do). The other, multiplexed path has no deadline, shares its table of pending appends between all clients of
 * the process, and ends the process when a reply comes late; nothing here uses it, so no process guard is needed.
 *
 * About 100 HTTP/2 streams share one connection and the next call waits for ever, so appends, reads and
 * subscriptions have a client each (other keep-alive values: a connection of its own) with its own bound.
 */
import { Readable } from 'node:stream'
import {
  type AllStreamResolvedEvent,
  type Credentials,
  type EventData,
  EventStoreDBClient,
  eventTypeFilter,
  type ResolvedEvent,
  type RecordedEvent as ServerEvent,
  streamNameFilter,
} from '@eventstore/db-client'
import { unavailable } from './errors.ts'
import { semaphore } from './semaphore.ts'

export type ServerFilter = { readonly on: 'stream' | 'type'; readonly prefixes: readonly string[] }

/** An event with its position, as the server gives it. */
export type Placed = { readonly event: ServerEvent; readonly position: bigint }

export type Subscription = {
  /** Events after the given position in order, and the moment when the server had no more of them. */
  readonly items: AsyncIterable<Placed | 'caught-up'>
  /** Ends the call at the server; always to be called. */
  stop(): Promise<void>
}

export type Connection = {
  /** Position of the append's last event. Rejects with the client's own errors, or at the deadline. */
  append(
    stream: string,
    events: readonly EventData[],
    revision: bigint | 'no_stream' | 'any',
  ): Promise<{ readonly position: bigint }>
  /** At most `maxCount` events; forwards from `from` (inclusive), backwards from `from` or the end. */
  readStream(
    stream: string,
    options: { from: bigint | 'start' | 'end'; direction: 'forwards' | 'backwards'; maxCount: number },
  ): Promise<readonly Placed[]>
  /** At most `maxCount` events of `$all`; `from` is inclusive and must be where a record begins. */
  readAll(options: {
    from: bigint | 'start' | 'end'
    direction: 'forwards' | 'backwards'
    maxCount: number
  }): Promise<readonly Placed[]>
  /** `after` is exclusive. */
  subscribe(options: { after: bigint | undefined; filter?: ServerFilter }): Promise<Subscription>
  close(): Promise<void>
}

export type ConnectionLimits = {
  readonly appendTimeoutMs: number
  readonly readTimeoutMs: number
  readonly appendsInFlight: number
  readonly readsInFlight: number
  readonly subscriptions: number
}

export function connect(url: string, limits: ConnectionLimits): Connection {
  const credentials = credentialsOf(url)
  const appends = EventStoreDBClient.connectionString(withKeepAlive(url, 10_000))
  const reads = EventStoreDBClient.connectionString(withKeepAlive(url, 10_001))
  const live = EventStoreDBClient.connectionString(withKeepAlive(url, 10_002))
  const appendSlots = semaphore(limits.appendsInFlight)
  const readSlots = semaphore(limits.readsInFlight)
  const subscriptionSlots = semaphore(limits.subscriptions)

  return {
    append: (stream, events, expectedRevision) =>
      appendSlots.run(async () => {
        const call = appends.appendToStream(stream, [...events], {
          expectedRevision,
          credentials,
          deadline: limits.appendTimeoutMs,
        })
        // The client's deadline ends the call; ours ends the wait should the client lose track of it.
        const result = await withDeadline(call, limits.appendTimeoutMs + 500, `append to ${stream}`)
        if (!result.success || !result.position)
          throw unavailable(`append to ${stream}: no position in the answer`)
        return { position: result.position.commit }
      }),

    readStream: (stream, { from, direction, maxCount }) =>
      readSlots.run(() =>
        collect(
          reads.readStream(stream, { fromRevision: from, direction, maxCount, credentials }),
          limits.readTimeoutMs,
          `read of ${stream}`,
        ),
      ),

    readAll: ({ from, direction, maxCount }) =>
      readSlots.run(() =>
        collect(
          reads.readAll({ fromPosition: positionOf(from), direction, maxCount, credentials }),
          limits.readTimeoutMs,
          'read of $all',
        ),
      ),

    async subscribe({ after, filter }) {
      const release = await subscriptionSlots.acquire()
      try {
        const subscription = live.subscribeToAll({
          fromPosition: after === undefined ? 'start' : { commit: after, prepare: after },
          credentials,
          ...(filter ? { filter: serverFilter(filter) } : {}),
        })
        return opened(subscription, release)
      } catch (error) {
        release()
        throw error
      }
    },

    async close() {
      await Promise.all([appends.dispose(), reads.dispose(), live.dispose()])
    },
  }
}

type ClientSubscription = ReturnType<EventStoreDBClient['subscribeToAll']>

function opened(subscription: ClientSubscription, release: () => void): Subscription {
  if (!(subscription instanceof Readable)) throw new TypeError('the client no longer gives a readable stream')
  const readable = subscription as unknown as Readable
  // The client emits errors by hand, also after the loop below has left: unheard, one would end the process.
  readable.on('error', () => {})
  // Put into the stream itself, the signal keeps its place among the events.
  subscription.on('caughtUp', () => {
    if (!readable.destroyed) readable.push('caught-up')
  })
  async function* items(): AsyncGenerator<Placed | 'caught-up'> {
    for await (const item of readable as AsyncIterable<AllStreamResolvedEvent | 'caught-up'>) {
      if (item === 'caught-up') yield item
      else {
        const placed = placedEvent(item)
        if (placed) yield placed
      }
    }
  }
  let stopped: Promise<void> | undefined
  return {
    items: items(),
    stop() {
      stopped ??= (async () => {
        await subscription.unsubscribe().catch(() => {})
        readable.destroy()
        release()
      })()
      return stopped
    },
  }
}

function collect(
  stream: AsyncIterable<ResolvedEvent | AllStreamResolvedEvent> & { cancel(): Promise<void> },
  timeoutMs: number,
  what: string,
): Promise<readonly Placed[]> {
  if (!(stream instanceof Readable)) throw new TypeError('the client no longer gives a readable stream')
  const readable: Readable = stream
  return new Promise((settle, fail) => {
    const events: Placed[] = []
    const timer = setTimeout(() => {
      fail(unavailable(`${what}: no answer within ${timeoutMs} ms`))
      stream.cancel().catch(() => {})
    }, timeoutMs)
    readable.on('data', (item: ResolvedEvent | AllStreamResolvedEvent) => {
      const placed = placedEvent(item)
      if (placed) events.push(placed)
    })
    // Stays attached: an error after the end must not end the process.
    readable.on('error', (error) => {
      clearTimeout(timer)
      fail(error)
    })
    readable.on('end', () => {
      clearTimeout(timer)
      settle(events)
    })
  })
}

/** Links are not followed: a link's own record is what stands in the log. */
function placedEvent(resolved: ResolvedEvent | AllStreamResolvedEvent): Placed | undefined {
  const event = resolved.link ?? resolved.event
  const position = event?.position?.commit ?? resolved.commitPosition
  return event && position !== undefined ? { event: event as ServerEvent, position } : undefined
}

function positionOf(from: bigint | 'start' | 'end') {
  return typeof from === 'bigint' ? { commit: from, prepare: from } : from
}

function serverFilter(filter: ServerFilter) {
  const options = { prefixes: [...filter.prefixes], maxSearchWindow: 1_000, checkpointInterval: 100 }
  return filter.on === 'stream' ? streamNameFilter(options) : eventTypeFilter(options)
}

async function withDeadline<Result>(call: Promise<Result>, timeoutMs: number, what: string): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(unavailable(`${what}: no answer within ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    return await Promise.race([call, deadline])
  } finally {
    clearTimeout(timer)
    call.catch(() => {})
  }
}

/** User and password of the URL; on an insecure server any will do, they only choose the unary path. */
function credentialsOf(url: string): Credentials {
  const user = /^esdb(?:\+discover)?:\/\/([^@/]*)@/.exec(url)?.[1]
  if (user) {
    const colon = user.indexOf(':')
    return {
      username: decodeURIComponent(colon < 0 ? user : user.slice(0, colon)),
      password: colon < 0 ? '' : decodeURIComponent(user.slice(colon + 1)),
    }
  }
  if (/[?&]tls=false(&|$)/i.test(url)) return { username: 'none', password: 'none' }
  throw new EventStoreDbUrlError('a user and a password (esdb://user:password@host:2113), or tls=false')
}

export class EventStoreDbUrlError extends Error {
  readonly code = 'eventstoredb-url'
  constructor(readonly rule: string) {
    super(`the esdb:// URL of the event store lacks ${rule}`)
  }
}

function withKeepAlive(url: string, intervalMs: number): string {
  const named = /([?&]keepAliveInterval=)(-?\d+)/i.exec(url)
  if (named)
    return url.replace(named[0], `${named[1]}${Math.max(10_000, Number(named[2])) + (intervalMs - 10_000)}`)
  return `${url}${url.includes('?') ? '&' : '?'}keepAliveInterval=${intervalMs}`
}
