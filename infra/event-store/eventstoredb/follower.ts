/**
 * Follows `$all` once for the whole process: feeds the id index, gives every event its record time, keeps the
 * newest events in memory for the subscribers, and reports what must never happen (`tampering.ts`).
 *
 * The server drops a live subscription that is some 64 events behind (one append of 300 suffices), so being dropped
 * is normal: it resumes at once after the last event, and nothing is lost or repeated. When the server was away,
 * it first makes sure that this is still the store it knows.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { RecordedEvent } from '../../../schemas/event.ts'
import type { Logger } from '../../log.ts'
import { StoreReplacedError } from '../checkpoint.ts'
import type { Connection, Placed } from './connection.ts'
import { failureOf, reasonOf, unavailable } from './errors.ts'
import { type EventIndex, hasLostItsEnd, type IndexedEvent, type IndexProgress } from './index/event-index.ts'
import { recentEvents } from './recent-events.ts'
import type { RecordClock } from './record-clock.ts'
import { assertSameStore } from './same-store.ts'
import { doubledIds, takeIn } from './taken-in.ts'
import type { TamperingFinding } from './tampering.ts'
import { waiters } from './waiters.ts'
import { wakeSignal } from './wake-signal.ts'

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
  const recent = recentEvents(deps.recentEvents, head?.position ?? -1n)
  let recordedThroughMs = deps.progress.recordedAtMs
  const waiting = waiters()
  let lastItemAt = performance.now()
  const wakeFlusher = wakeSignal()
  const wakeTaker = wakeSignal()

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
    buffer.length === 0 && performance.now() - lastItemAt > stallMs && waiting.hasWaited(stallMs)

  async function flush(): Promise<void> {
    let attempts = 0
    while (!closing.signal.aborted && !failure) {
      if (buffer.length === 0) {
        await wakeFlusher.wait()
        continue
      }
      const page = takeIn(buffer.splice(0, pageEvents), through, clock)
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
      recent.add(page.recorded, page.indexPage.events)
      head = page.indexPage.events.at(-1) ?? head
      through = page.indexPage.through
      recordedThroughMs = page.indexPage.recordedAtMs
      waiting.reached(through)
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
    waiting.failAll(error)
    wakeFlusher.wake()
  }

  function assertUsable(): void {
    if (failure) throw failure
    if (closing.signal.aborted) throw unavailable('the event store is closed')
  }

  return {
    through: () => through,
    recordedThroughMs: () => recordedThroughMs,
    head: () => head,
    async reach(position, timeoutMs) {
      assertUsable()
      if (through >= position) return
      const late = () =>
        unavailable(
          `the index of event ids stands at ${through} and did not reach ${position} within ${timeoutMs} ms`,
        )
      await waiting.wait(position, { timeoutMs, isStored: true, late })
    },
    async moved(timeoutMs, abort) {
      assertUsable()
      if (!abort?.aborted) await waiting.wait(through + 1n, { timeoutMs, isStored: false, abort })
    },
    recentAfter: recent.after,
    recent: recent.place,
    assertUsable,
    async stop() {
      closing.abort()
      waiting.failAll(unavailable('the event store was closed'))
      wakeFlusher.wake()
      wakeTaker.wake()
      await following
    },
  }
}

const backoffMs = (attempts: number): number =>
  Math.min(5_000, 50 * 2 ** Math.min(attempts, 7)) * (0.75 + Math.random() / 2)
