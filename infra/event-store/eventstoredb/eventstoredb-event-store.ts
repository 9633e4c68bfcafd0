/**
 * The event store port over EventStoreDB / KurrentDB, through `@eventstore/db-client`: the production store.
 *
 * Each stream has one writer, this process. The server cannot say where an event id stands and forgets ids it saw
 * long ago, so an id index in Postgres follows `$all`, and every answer waits until it has passed what the answer is
 * about. Positions are the server's commit positions: ordered, not gapless. `README.md` says which trap is handled where.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { uuid } from '../../../schemas/event.ts'
import { type Clock, systemClock } from '../../clock.ts'
import type { Logger } from '../../log.ts'
import { createPool } from '../../postgres/pool.ts'
import { StoreReplacedError } from '../checkpoint.ts'
import { type EventPage, type EventStore, StoreUnavailableError } from '../event-store.ts'
import { appender } from './appender.ts'
import { type Connection, connect } from './connection.ts'
import { failureOf, reasonOf, unavailable } from './errors.ts'
import { startFollower } from './follower.ts'
import { readOrWriteStoreId } from './identity.ts'
import { eventIndex } from './index/event-index.ts'
import { passingOfTime } from './passing-of-time.ts'
import { pagesOf } from './read-all.ts'
import { eventAt, type ReaderDeps, readStreamOf, toRecorded, withReadAttempts } from './read-stream.ts'
import { recordClock } from './record-clock.ts'
import { assertSameStore } from './same-store.ts'
import { subscribeTo } from './subscribe.ts'
import type { TamperingFinding } from './tampering.ts'
import { saltOf } from './wire-format.ts'

export type EventStoreDbLimits = {
  /** Per request; the server takes 1,048,576 bytes an append, data, metadata and type counted. */
  readonly eventsPerAppend: number
  readonly bytesPerAppend: number
  /** Events of append calls not yet answered; beyond it calls get `StoreOverloadedError`. */
  readonly queuedEvents: number
  readonly appendsInFlight: number
  readonly readsInFlight: number
  /** Open subscriptions at the server; about 100 streams share a connection, and the next one hangs. */
  readonly subscriptions: number
  readonly appendTimeoutMs: number
  readonly appendAttempts: number
  readonly readTimeoutMs: number
  readonly readAttempts: number
  /** How long an answer may wait for the index to pass what it is about. */
  readonly indexTimeoutMs: number
  /** How long opening waits for a server that is not there yet. */
  readonly openTimeoutMs: number
  /** Newest events kept in memory for subscribers. */
  readonly recentEvents: number
}

const defaults: EventStoreDbLimits = {
  eventsPerAppend: 2_000,
  bytesPerAppend: 1_000_000,
  queuedEvents: 20_000,
  appendsInFlight: 40,
  readsInFlight: 40,
  subscriptions: 50,
  appendTimeoutMs: 10_000,
  appendAttempts: 4,
  readTimeoutMs: 30_000,
  readAttempts: 3,
  indexTimeoutMs: 15_000,
  openTimeoutMs: 30_000,
  recentEvents: 8_000,
}

export type EventStoreDbOptions = Partial<EventStoreDbLimits> & {
  /** `esdb://` or `esdb+discover://`; a user and a password, or `tls=false`. The user reads `$all`. */
  readonly url: string
  /** Postgres of the id index, as the product's role; `migrateEventStoreDbIndex` has been run. */
  readonly indexUrl: string
  readonly log: Logger
  /** Somebody touched records past the product: the caller raises the alarm. Default: an error in the log. */
  readonly onStoreTampering?: (finding: TamperingFinding) => void
  readonly clock?: Clock
}

/**
 * Throws `StoreReplacedError` when the store is not the one that the index was fed from or lacks what the index
 * holds, `StoreUnavailableError` when the server or the index is not there within `openTimeoutMs`.
 */
export async function eventStoreDbEventStore(options: EventStoreDbOptions): Promise<EventStore> {
  const limits: EventStoreDbLimits = { ...defaults, ...given(options) }
  const { log } = options
  const connection = connect(options.url, limits)
  const pool = createPool(options.indexUrl, { name: 'event-index', max: 6 })
  const index = eventIndex(pool)
  let opened: Awaited<ReturnType<typeof openIndex>>
  try {
    opened = await openIndex(connection, index, limits.openTimeoutMs)
  } catch (error) {
    await connection.close()
    await index.close()
    if (error instanceof StoreReplacedError || error instanceof StoreUnavailableError) throw error
    throw unavailable('the event store or its index of event ids cannot be opened', error)
  }
  const { storeId, progress, clockSteps, head: indexedHead, end: endAtOpen } = opened
  const clock = recordClock(progress.recordedAtMs, clockSteps)
  const onTampering =
    options.onStoreTampering ??
    ((finding: TamperingFinding) =>
      log.error(
        { kind: finding.kind, stream: finding.stream, position: String(finding.position) },
        'the event store was touched past the product',
      ))
  const follower = startFollower({
    connection,
    index,
    clock,
    progress,
    head: indexedHead,
    log,
    onTampering,
    recentEvents: limits.recentEvents,
  })
  const readers: ReaderDeps = { connection, follower, index, clock, ...limits }
  const time = passingOfTime({ connection, follower, clock: options.clock ?? systemClock, ...limits })
  const appends = appender({
    connection,
    follower,
    index,
    limits: { ...limits, attempts: limits.appendAttempts },
    ready: () => follower.reach(endAtOpen, limits.indexTimeoutMs),
  })

  const closing = new AbortController()

  /** The store's last position, of whatever event, once the index has passed it. */
  async function reachEnd(): Promise<bigint> {
    const end = await withReadAttempts(readers, 'read of the end of $all', () => endOf(connection))
    await follower.reach(end, limits.indexTimeoutMs)
    return end
  }

  return {
    storeId,
    limits: { eventsPerAppend: limits.eventsPerAppend, bytesPerAppend: limits.bytesPerAppend },
    append: appends.append,
    readStream: (stream, range = {}) => readStreamOf(readers, stream, range),

    async readById(id) {
      if (!uuid.safeParse(id).success) return undefined
      await reachEnd()
      const entry = follower.recent(id) ?? (await index.findByIds([id])).get(id)
      const placed = entry && (await eventAt(readers, entry.position))
      return placed && toRecorded(clock, placed)
    },

    async saltsOf(events) {
      const salts = new Map<string, Uint8Array>()
      for (const { id, position } of events) {
        const placed = await eventAt(readers, position)
        const salt = placed && placed.event.id === id ? saltOf(placed.event.metadata) : undefined
        if (salt) salts.set(id, salt)
      }
      return salts
    },

    async *readAll(range = {}): AsyncGenerator<EventPage> {
      await reachEnd()
      const end = follower.head()?.position ?? -1n
      const until = range.until !== undefined && range.until < end ? range.until : end
      const pages = pagesOf(readers, {
        after: range.after,
        until,
        filter: range.filter,
        pageSize: range.pageSize ?? 2_000,
        signal: range.signal,
      })
      for await (const page of pages) yield { ...page, caughtUp: page.through >= end }
    },

    subscribe: (range) =>
      subscribeTo(
        readers,
        { ...range, signal: AbortSignal.any([range.signal, closing.signal]) },
        range.pageSize ?? 2_000,
      ),

    async head() {
      await reachEnd()
      const last = follower.head()
      return last && { position: last.position, recordedAt: last.recordedAt }
    },

    async positionAt(at) {
      await reachEnd()
      const passed = await time.hasPassed(Date.parse(at))
      return { passed, position: await index.lastPositionAt(at) }
    },

    async recordedAtOf(position) {
      await reachEnd()
      return (await index.lastEvent(position))?.recordedAt
    },

    close: once(async () => {
      closing.abort()
      await appends.idle()
      await follower.stop()
      await connection.close()
      await index.close()
    }),
  }
}

async function openIndex(connection: Connection, index: ReturnType<typeof eventIndex>, timeoutMs: number) {
  const storeId = await untilThere(() => readOrWriteStoreId(connection), timeoutMs)
  const { progress, clockSteps } = await index.open(storeId)
  // Another process may be feeding the index: what it took in since then is seen again by this one.
  const head = await index.lastEvent(progress.position)
  if (progress.storeId !== storeId)
    throw new StoreReplacedError(
      { storeId: progress.storeId, position: head?.position ?? -1n, eventId: head?.id ?? 'none' },
      `the store's identity is ${storeId}`,
    )
  await assertSameStore(connection, storeId, head)
  return { storeId, progress, clockSteps, head, end: await endOf(connection) }
}

async function endOf(connection: Connection): Promise<bigint> {
  const [last] = await connection.readAll({ from: 'end', direction: 'backwards', maxCount: 1 })
  return last?.position ?? -1n
}

/** A server that starts answers a while after its port opens. */
async function untilThere<Result>(ask: () => Promise<Result>, timeoutMs: number): Promise<Result> {
  const deadline = performance.now() + timeoutMs
  for (let attempt = 0; ; attempt++) {
    try {
      return await ask()
    } catch (error) {
      if (failureOf(error) === 'refused' || performance.now() > deadline)
        throw unavailable(`the event store server did not answer (${reasonOf(error)})`, error)
      await delay(Math.min(1_000, 50 * 2 ** attempt))
    }
  }
}

/** Options that were really given: an explicit undefined leaves the default. */
const given = (options: object): Partial<EventStoreDbLimits> =>
  Object.fromEntries(Object.entries(options).filter(([key, value]) => key in defaults && value !== undefined))

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => {
    done ??= work()
    return done
  }
}

export { migrateEventStoreDbIndex } from './index/migrate-index.ts'
export type { TamperingFinding }
