/**
 * The one writer of a stream: one append in flight, whole messages together in the next one while they wait.
 * Also states the figures in the stream from time to time, seals it when its batch has ended, and lets it rest when
 * nothing was heard for it.
 */
import { untilItWorks } from '../infra/until-it-works.ts'
import type { ClientEvent } from '../schemas/event.ts'
import { type CountedStream, type CountingDeps, countedStream } from './counted-stream.ts'
import { gapEvents, ingressStated, streamSealed } from './events.ts'
import type { Occupancy } from './lifecycle.ts'
import { messageQueue, type WaitingMessage } from './message-queue.ts'
import { openStream } from './open-stream.ts'
import { statementTiming } from './statement-timing.ts'

export type StreamWriter = {
  readonly stream: string
  /** Of the last message. */
  vessel(): string | undefined
  enqueue(waiting: WaitingMessage): void
  /** Looks whether something is due by the clock; silence says something only where it is `listening`. */
  tick(nowMs: number, listening: boolean): void
  /** The batch has ended: seals the stream once no more readings come for a moment. */
  sealAfter(occupancy: Occupancy, nowMs: number): void
  /** Still takes readings: neither sealed nor about to be. */
  isTaking(): boolean
  /** Nothing waits, nothing is unsaid, and nothing was heard for a while: may be forgotten. */
  isDormant(): boolean
  /** Resolves when the stream is open, hence what was appended before a crash is accounted. */
  opened(): Promise<void>
  /** Writes what is waiting and the last statement. */
  finish(): Promise<void>
}

export type WriterDeps = CountingDeps & {
  readonly nowMs: () => number
  /** Messages for a stream that turned out to be sealed find another one. */
  readonly reroute: (messages: readonly WaitingMessage[]) => void
  readonly onSealed: (stream: string) => void
}

const sealAfterQuietMs = 1_000
const sealAtLatestMs = 30_000
const dormantAfterMs = 5 * 60_000

export function streamWriter(deps: WriterDeps, stream: string): StreamWriter {
  const { store, accounting, metrics, log, signal, nowMs, site } = deps
  let state: CountedStream | undefined
  const queue = messageQueue(store.limits)
  let own: ClientEvent[] = []
  let running: Promise<void> | undefined
  let vessel: string | undefined
  let lastArrivalMs = nowMs()
  let ending: { occupancy: Occupancy; sinceMs: number } | undefined
  let isEnding = false
  let isSealed = false
  let wantsStatement = false
  let wantsRest = false
  const timing = statementTiming()
  const alarmedBatches = new Set<string>()

  const open = async (): Promise<CountedStream> => {
    const found = await untilItWorks(
      { what: `open ${stream}`, log, signal, isFinal: (error) => isStoreReplaced(error) },
      () => openStream(deps, stream),
    )
    const onCounted = (): void => timing.accounted(nowMs())
    const opened = countedStream(deps, stream, found, { alarmedBatches, onCounted })
    state = opened
    if (found.isUnstated) timing.accounted(nowMs())
    if (found.isSealed) await sealed()
    return opened
  }

  const work = async (): Promise<void> => {
    const opened = state ?? (await open())
    while (!signal.aborted) {
      if (isSealed) {
        const homeless = queue.takeAll()
        own = []
        wantsStatement = false
        if (homeless.length > 0) deps.reroute(homeless)
        return
      }
      if (wantsStatement) await stateFigures(opened)
      else if (queue.length() > 0 || own.length > 0) await appendNext(opened)
      else if (isEnding && ending) await seal(opened, ending.occupancy)
      else if (wantsRest) {
        await opened.counted()
        await accounting.close(stream, false)
        state = undefined
        wantsRest = false
        return
      } else return
    }
  }

  const wake = (): void => {
    running ??= work()
      .catch((error: unknown) => {
        if (!signal.aborted) deps.onFailure(error)
      })
      .finally(() => {
        running = undefined
        if (!signal.aborted && (queue.length() > 0 || own.length > 0 || wantsStatement)) wake()
      })
  }

  const appendNext = async (opened: CountedStream): Promise<void> => {
    const messages = queue.takeForAppend()
    const ownEvents = own
    own = []
    if (await opened.append(messages, ownEvents)) return
    await sealed()
    deps.reroute(messages)
  }

  /** A statement covers every event before it, so nothing may be on its way meanwhile. */
  const stateFigures = async (opened: CountedStream): Promise<void> => {
    wantsStatement = false
    const isStated = await appendOwn(opened, () => ingressStated(opened.figures(), nowMs(), site))
    if (!isStated) return
    timing.stated(nowMs())
    metrics.statements++
  }

  const seal = async (opened: CountedStream, { toMs }: Occupancy): Promise<void> => {
    let isLast = false
    while (!isLast && !isSealed) {
      await stateFigures(opened)
      const stated = opened.head()
      isLast = await appendOwn(
        opened,
        () => streamSealed(stream, stated + 1n, toMs ?? nowMs(), nowMs(), site),
        () => opened.head() === stated,
      )
    }
    if (!isSealed) await sealed()
  }

  /** False: the stream is sealed, or what was counted made the event moot. */
  const appendOwn = async (
    opened: CountedStream,
    make: () => ClientEvent,
    isWanted?: () => boolean,
  ): Promise<boolean> => {
    const result = await opened.appendExactly(make, isWanted)
    if (result === 'sealed') await sealed()
    return result === 'appended'
  }

  const sealed = async (): Promise<void> => {
    isSealed = true
    await accounting.close(stream, true)
    deps.onSealed(stream)
  }

  const isQuiet = (): boolean => queue.length() === 0 && own.length === 0 && running === undefined

  return {
    stream,
    vessel: () => vessel,
    enqueue(waiting) {
      queue.add(waiting)
      vessel = waiting.message.vessel
      lastArrivalMs = nowMs()
      timing.arrived(lastArrivalMs)
      wake()
    },
    tick(now, listening) {
      if (isSealed) return
      if (timing.isDue(now)) wantsStatement = true
      if (ending && !isEnding && queue.length() === 0) {
        const quietMs = now - Math.max(lastArrivalMs, ending.sinceMs)
        if (quietMs >= sealAfterQuietMs || now - ending.sinceMs >= sealAtLatestMs) isEnding = true
      }
      if (listening && state && vessel !== undefined && isQuiet()) {
        for (const gap of state.sequence.silences(now))
          own.push(...gapEvents(stream, vessel, gap, { receivedAtMs: now, origin: 'live', site }))
      }
      const isForgotten = state !== undefined && !timing.isUnstated() && now - lastArrivalMs > dormantAfterMs
      if (isForgotten && isQuiet() && !ending) wantsRest = true
      if (wantsStatement || isEnding || wantsRest || own.length > 0) wake()
    },
    sealAfter(occupancy, now) {
      if (!isSealed) ending ??= { occupancy, sinceMs: now }
    },
    isTaking: () => !isSealed && !isEnding,
    isDormant: () => isQuiet() && (isSealed || (state === undefined && !ending)),
    opened: async () => {
      if (!state) wake()
      await running
    },
    finish: async () => {
      if (isSealed) return
      while (running) await running
      const opened = state
      if (opened === undefined || signal.aborted) return
      await opened.counted()
      if (timing.isUnstated()) await stateFigures(opened)
      await opened.counted()
      await accounting.close(stream, false)
    },
  }
}

const isStoreReplaced = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === 'store-replaced'
