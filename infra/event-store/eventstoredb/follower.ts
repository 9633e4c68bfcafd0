/**
 * Follows `$all` once for the whole process: feeds the id index, gives every event its record time, keeps the
 * newest events in memory for the subscribers, and reports what must never happen (`tampering.ts`).
 *
 * The server drops a live subscription that is some 64 events behind (one append of 300 suffices), so being dropped
 * is normal: it resumes at once after the last event, and nothing is lost or repeated. When the server was away,
 * it first makes sure that this is still the store it knows.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { NotCanonicalError } from '../../../schemas/canonical-json.ts'
import type { ClientEvent, RecordedEvent } from '../../../schemas/event.ts'
import type { Logger } from '../../log.ts'
import { StoreReplacedError } from '../checkpoint.ts'
import type { Connection, Placed } from './connection.ts'
import { failureOf, reasonOf, unavailable } from './errors.ts'
import { readStoreId } from './identity.ts'
import {
  type EventIndex,
  hasLostItsEnd,
  type IndexedEvent,
  type IndexedStream,
  type IndexProgress,
} from './index/event-index.ts'
import { isOwnStream, isSystemStream } from './own-streams.ts'
import type { RecordClock } from './record-clock.ts'
import { type TamperingFinding, tamperingOf } from './tampering.ts'
import { fingerprintOf, fromWire, recordedEvent } from './wire-format.ts'

export type Follower = {
  /** The last position of `$all` that the index has taken in, -1 before the first. */
  through(): bigint
  /** The record time that the index has come to, ticks included: no later event is recorded before it. */
  recordedThroughMs(): number
  /** The last event of the product's own, with its place. */
  head(): IndexedEvent | undefined
  /** Resolves when the index has passed `position`; rejects with `StoreUnavailableError` after `timeoutMs`. */
  reach(position: bigint, timeoutMs: number): Promise<void>
  /** Resolves when the index moved on, after `timeoutMs`, or on abort; rejects when following is over. */
  moved(timeoutMs: number, signal?: AbortSignal): Promise<void>
  /** Newest events after `position` in order, or undefined when memory does not reach back that far. */
  recentAfter(position: bigint): readonly RecordedEvent[] | undefined
  /** Where a recently followed event stands. */
  recent(id: string): IndexedEvent | undefined
  /** Throws when this is no longer the store that the index knows. */
  assertUsable(): void
  stop(): Promise<void>
}

export type FollowerDeps = {
  readonly connection: Connection
  readonly index: EventIndex
  readonly clock: RecordClock
  readonly progress: IndexProgress
  readonly head: IndexedEvent | undefined
  readonly log: Logger
  readonly onTampering: (finding: TamperingFinding) => void
  readonly recentEvents: number
}

type Waiter = {
  readonly position: bigint
  /** An event is known to stand at the position; else any movement will do. */
  readonly isStored: boolean
  readonly since: number
  settle(): void
  fail(error: Error): void
}

/** Events taken from the server and not yet in the index; beyond it the server is not asked for more. */
const bufferedEvents = 4_000
const pageEvents = 2_000
/** A subscription that is silent for so long although something is known to have been stored is given up. */
const stallMs = 4_000

export function startFollower(deps: FollowerDeps): Follower {
  const { connection, index, clock, log } = deps
  const closing = new AbortController()
  const buffer: Placed[] = []
  let taken: bigint = deps.progress.position
  let through: bigint = deps.progress.position
  let head = deps.head
  let failure: Error | undefined
  const ring: RecordedEvent[] = []
  const byId = new Map<string, IndexedEvent>()
  // Memory holds every event of ours after this position.
  let ringFloor = head?.position ?? -1n
  let recordedThroughMs = deps.progress.recordedAtMs
  let waiters: Waiter[] = []
  let lastItemAt = performance.now()
  const wakeFlusher = signal()
  const wakeTaker = signal()

  const following = Promise.all([follow(), flush()])

  async function follow(): Promise<void> {
    let attempts = 0
    let outage = false
    let from = taken
    while (!closing.signal.aborted && !failure) {
      try {
        if (outage) await assertSameStore(connection, deps.progress.storeId, head)
        const subscription = await connection.subscribe({ after: from < 0n ? undefined : from })
        const stop = () => void subscription.stop()
        closing.signal.addEventListener('abort', stop)
        const watchdog = setInterval(() => {
          if (hasStalled()) stop()
        }, stallMs / 4).unref()
        lastItemAt = performance.now()
        try {
          for await (const item of subscription.items) {
            attempts = 0
            lastItemAt = performance.now()
            if (item === 'caught-up' || item.position <= taken) continue
            if (outage) log.info({ position: String(item.position) }, 'the event store is there again')
            outage = false
            taken = item.position
            buffer.push(item)
            wakeFlusher.wake()
            while (buffer.length >= bufferedEvents && !closing.signal.aborted) await wakeTaker.wait()
          }
        } finally {
          clearInterval(watchdog)
          closing.signal.removeEventListener('abort', stop)
          await subscription.stop()
        }
      } catch (error) {
        if (closing.signal.aborted) break
        if (error instanceof StoreReplacedError) return give(error)
        const kind = failureOf(error)
        if (kind === 'bad-position' && head && from !== head.position) {
          // The record there (one of the server's own) may have been scavenged: begin at the last of ours.
          from = head.position
          continue
        }
        if (kind !== 'too-slow') {
          if (!outage) log.warn({ reason: reasonOf(error) }, 'the event store subscription ended; resuming')
          outage = true
          await delay(backoffMs(attempts++), undefined, { signal: closing.signal }).catch(() => {})
        }
      }
      from = taken
    }
    wakeFlusher.wake()
  }

  const hasStalled = () =>
    buffer.length === 0 &&
    performance.now() - lastItemAt > stallMs &&
    waiters.some((waiter) => waiter.isStored && performance.now() - waiter.since > stallMs)

  async function flush(): Promise<void> {
    let attempts = 0
    while (!closing.signal.aborted && !failure) {
      if (buffer.length === 0) {
        await wakeFlusher.wait()
        continue
      }
      const page = takeIn(buffer.splice(0, pageEvents))
      wakeTaker.wake()
      // Reported before it is taken in: after a crash rather twice than never.
      for (const finding of page.findings) report(finding)
      for (;;) {
        try {
          const doubled = await index.record(page.indexPage)
          for (const finding of doubledIds(doubled, page.recorded)) report(finding)
          attempts = 0
          break
        } catch (error) {
          if (closing.signal.aborted) return
          if (hasLostItsEnd(error)) return give(unavailable('open the event store again', error))
          if (attempts++ === 0)
            log.error({ reason: reasonOf(error) }, 'the index of event ids cannot be written; waiting')
          await delay(backoffMs(attempts), undefined, { signal: closing.signal }).catch(() => {})
        }
      }
      remember(page.recorded, page.indexPage.events)
      through = page.indexPage.through
      recordedThroughMs = page.indexPage.recordedAtMs
      const reached = waiters.filter((waiter) => waiter.position <= through)
      if (reached.length > 0) waiters = waiters.filter((waiter) => waiter.position > through)
      for (const waiter of reached) waiter.settle()
    }
  }

  function takeIn(placed: readonly Placed[]) {
    const recorded: RecordedEvent[] = []
    const indexed: IndexedEvent[] = []
    const heads = new Map<string, IndexedStream>()
    const steps = new Set<NonNullable<ReturnType<RecordClock['next']>['step']>>()
    const findings: TamperingFinding[] = []
    for (const { event, position } of placed) {
      findings.push(...tamperingOf(event, position))
      if (isSystemStream(event.streamId) || event.type === '$streamDeleted') continue
      const { recordedAtMs, step } = clock.next(position, event.created.getTime())
      if (step) steps.add(step)
      if (isOwnStream(event.streamId)) continue
      heads.set(event.streamId, { head: event.revision, sealed: event.type === 'StreamSealed' })
      const client = fromWire(event)
      const fingerprint = client && fingerprintOrNone(client)
      if (!client || fingerprint === undefined) {
        findings.push({
          kind: 'foreign-event',
          stream: event.streamId,
          position,
          eventId: event.id,
          at: event.created.toISOString(),
          facts: { type: event.type, revision: String(event.revision) },
        })
        continue
      }
      const recordedAt = new Date(recordedAtMs).toISOString()
      const place = { stream: event.streamId, revision: event.revision, position, recordedAt }
      recorded.push(recordedEvent(client, place, event.metadata))
      indexed.push({
        id: client.id,
        stream: event.streamId,
        revision: event.revision,
        position,
        recordedAt,
        fingerprint,
      })
    }
    const indexPage = {
      after: through,
      through: placed.at(-1)!.position,
      recordedAtMs: clock.newestMs(),
      events: indexed,
      heads,
      clockSteps: [...steps],
    }
    return { recorded, findings, indexPage }
  }

  function remember(recorded: readonly RecordedEvent[], indexed: readonly IndexedEvent[]): void {
    for (const event of recorded) ring.push(event)
    for (const entry of indexed) if (!byId.has(entry.id)) byId.set(entry.id, entry)
    head = indexed.at(-1) ?? head
    if (ring.length <= deps.recentEvents) return
    for (const dropped of ring.splice(0, ring.length - deps.recentEvents)) {
      ringFloor = dropped.position
      if (byId.get(dropped.id)?.position === dropped.position) byId.delete(dropped.id)
    }
  }

  function report(finding: TamperingFinding): void {
    try {
      deps.onTampering(finding)
    } catch (error) {
      log.error({ kind: finding.kind, reason: reasonOf(error) }, 'a tampering finding could not be handed on')
    }
  }

  function give(error: Error): void {
    failure = error
    log.error({ reason: error.message }, 'the event store and the index of event ids no longer fit together')
    for (const waiter of waiters) waiter.fail(error)
    waiters = []
    wakeFlusher.wake()
  }

  function waitFor(
    position: bigint,
    isStored: boolean,
    timeoutMs: number,
    onTimeout: () => Error | undefined,
    abort?: AbortSignal,
  ) {
    if (failure) return Promise.reject(failure)
    if (closing.signal.aborted) return Promise.reject(unavailable('the event store is closed'))
    if (through >= position || abort?.aborted) return Promise.resolve()
    return new Promise<void>((settle, fail) => {
      const done = () => {
        clearTimeout(timer)
        abort?.removeEventListener('abort', give)
        waiters = waiters.filter((other) => other !== waiter)
      }
      const waiter: Waiter = {
        position,
        isStored,
        since: performance.now(),
        settle: () => {
          done()
          settle()
        },
        fail: (error: Error) => {
          done()
          fail(error)
        },
      }
      const give = () => waiter.settle()
      const timer = setTimeout(() => {
        const error = onTimeout()
        if (error) waiter.fail(error)
        else waiter.settle()
      }, timeoutMs)
      abort?.addEventListener('abort', give)
      waiters.push(waiter)
    })
  }

  return {
    through: () => through,
    recordedThroughMs: () => recordedThroughMs,
    head: () => head,
    reach: (position, timeoutMs) =>
      waitFor(position, true, timeoutMs, () =>
        unavailable(
          `the index of event ids stands at ${through} and did not reach ${position} within ${timeoutMs} ms`,
        ),
      ),
    moved: (timeoutMs, abort) => waitFor(through + 1n, false, timeoutMs, () => undefined, abort),
    recentAfter(position) {
      if (position < ringFloor) return undefined
      return ring.slice(firstAfter(ring, position))
    },
    recent: (id) => byId.get(id),
    assertUsable() {
      if (failure) throw failure
      if (closing.signal.aborted) throw unavailable('the event store is closed')
    },
    async stop() {
      closing.abort()
      for (const waiter of [...waiters]) waiter.fail(unavailable('the event store was closed'))
      wakeFlusher.wake()
      wakeTaker.wake()
      await following
    },
  }
}

/** A foreign event may carry what has no canonical form; it must not stop the log. */
function fingerprintOrNone(client: ClientEvent): string | undefined {
  try {
    return fingerprintOf(client)
  } catch (error) {
    if (error instanceof NotCanonicalError) return undefined
    throw error
  }
}

function doubledIds(positions: readonly bigint[], recorded: readonly RecordedEvent[]): TamperingFinding[] {
  const doubled = new Set(positions)
  return recorded
    .filter((event) => doubled.has(event.position))
    .map((event) => ({
      kind: 'doubled-id',
      stream: event.stream,
      position: event.position,
      eventId: event.id,
      at: event.recordedAt,
      facts: { revision: String(event.revision) },
    }))
}

/** Throws `StoreReplacedError` unless the store still holds the last event that the index knows, at its place. */
export async function assertSameStore(
  connection: Connection,
  storeId: string,
  head: IndexedEvent | undefined,
): Promise<void> {
  const checkpoint = { storeId, position: head?.position ?? -1n, eventId: head?.id ?? 'none' }
  const replaced = (finding: string) => new StoreReplacedError(checkpoint, finding)
  const identity = await readStoreId(connection)
  if (identity !== storeId)
    throw replaced(
      identity === undefined ? 'the store has no identity' : `the store's identity is ${identity}`,
    )
  if (!head) return
  let event: Placed | undefined
  for (let attempt = 1; ; attempt++) {
    try {
      ;[event] = await connection.readAll({ from: head.position, direction: 'forwards', maxCount: 1 })
      break
    } catch (error) {
      if (failureOf(error) !== 'bad-position') throw error
      // The server's error for "no record begins there" is its general one: believed only from a server that
      // answers other reads, and more than once.
      await connection.readAll({ from: 'end', direction: 'backwards', maxCount: 1 })
      if (attempt === 3) throw replaced('the store has no record at that position')
      await delay(100)
    }
  }
  if (!event) throw replaced('the store ends before that position')
  if (event.position !== head.position || event.event.id !== head.id)
    throw replaced(`the store holds event ${event.event.id} at position ${event.position}`)
}

const backoffMs = (attempts: number): number =>
  Math.min(5_000, 50 * 2 ** Math.min(attempts, 7)) * (0.75 + Math.random() / 2)

function firstAfter(events: readonly RecordedEvent[], position: bigint): number {
  let low = 0
  let high = events.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (events[middle]!.position <= position) low = middle + 1
    else high = middle
  }
  return low
}

/** Wakes one waiter, also one that comes to wait just afterwards. */
function signal(): { wake(): void; wait(): Promise<void> } {
  let woken = false
  let settle: (() => void) | undefined
  return {
    wake() {
      woken = true
      settle?.()
    },
    async wait() {
      if (!woken)
        await new Promise<void>((done) => {
          settle = done
        })
      settle = undefined
      woken = false
    },
  }
}
