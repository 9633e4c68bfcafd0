/**
 * The one writer of a stream: one append in flight, whole messages together in the next one while they wait.
 * A message is acknowledged when its readings are durable in the store and its figures in the accounting.
 * Also states the figures in the stream from time to time, and seals it when its batch has ended.
 */
import type { AppendOutcome, Recorded } from '../infra/event-store/event-store.ts'
import type { Tracer } from '../infra/telemetry/tracer.ts'
import { untilItWorks } from '../infra/until-it-works.ts'
import type { ClientEvent } from '../schemas/event.ts'
import type { Accounting, SourceDelta } from './accounting.ts'
import { type AppendDeps, appendPlan } from './append-plan.ts'
import { gapEvents, ingressStated, streamSealed } from './events.ts'
import type { Occupancy } from './lifecycle.ts'
import type { IngestMetrics } from './metrics.ts'
import { addFigures, countStored, type OpenedStream, openStream } from './open-stream.ts'
import { type PendingMessage, requestPlan } from './request-plan.ts'
import { appendSpan } from './spans.ts'
import { statementTiming } from './statement-timing.ts'
import { streamSequence } from './stream-sequence.ts'

export type WaitingMessage = PendingMessage & {
  /** Called when everything is durable. */
  readonly acknowledge: () => void
}

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

export type WriterDeps = AppendDeps & {
  readonly accounting: Accounting
  readonly metrics: IngestMetrics
  readonly tracer: Tracer
  readonly nowMs: () => number
  readonly site: string
  /** Messages for a stream that turned out to be sealed find another one. */
  readonly reroute: (messages: readonly WaitingMessage[]) => void
  readonly onSealed: (stream: string) => void
  readonly onFailure: (error: unknown) => void
}

const sealAfterQuietMs = 1_000
const sealAtLatestMs = 30_000
const dormantAfterMs = 5 * 60_000

export function streamWriter(deps: WriterDeps, stream: string): StreamWriter {
  const { store, accounting, metrics, log, signal, nowMs, site } = deps
  let state: OpenedStream | undefined
  let head = -1n
  let queue: WaitingMessage[] = []
  let own: ClientEvent[] = []
  let running: Promise<void> | undefined
  let accounted: Promise<void> = Promise.resolve()
  let vessel: string | undefined
  let lastArrivalMs = nowMs()
  let ending: { occupancy: Occupancy; sinceMs: number } | undefined
  let isEnding = false
  let isSealed = false
  let wantsStatement = false
  let wantsRest = false
  const timing = statementTiming()
  // Half of what the store takes: gaps, alarms and the like come on top.
  const eventsPerAppend = Math.min(2_000, store.limits.eventsPerAppend / 2)
  const bytesPerAppend = store.limits.bytesPerAppend / 2
  const alarmedBatches = new Set<string>()

  const open = async (): Promise<OpenedStream> => {
    const opened = await untilItWorks(
      { what: `open ${stream}`, log, signal, isFinal: (error) => isStoreReplaced(error) },
      () => openStream(deps, stream),
    )
    state = opened
    head = opened.head
    if (opened.isUnstated) timing.accounted(nowMs())
    if (opened.isSealed) await sealed()
    return opened
  }

  const work = async (): Promise<void> => {
    const opened = state ?? (await open())
    while (!signal.aborted) {
      if (isSealed) {
        const homeless = queue
        queue = []
        own = []
        wantsStatement = false
        if (homeless.length > 0) deps.reroute(homeless)
        return
      }
      if (wantsStatement) await stateFigures(opened)
      else if (queue.length > 0 || own.length > 0) await appendNext(opened)
      else if (isEnding && ending) await seal(opened, ending.occupancy)
      else if (wantsRest) {
        await accounted
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
        if (!signal.aborted && (queue.length > 0 || own.length > 0 || wantsStatement)) wake()
      })
  }

  const appendNext = async (opened: OpenedStream): Promise<void> => {
    const messages = take()
    const ownEvents = own
    own = []
    const { sequence, units } = opened
    const plan = requestPlan({ stream, site, sequence, units, alarmedBatches }, messages, ownEvents)
    const span = appendSpan(deps.tracer, messages)
    const outcome = await appendPlan(deps, stream, plan, span.traceparent)
    span.end()
    metrics.appends++
    if (outcome?.kind === 'sealed') {
      await sealed()
      deps.reroute(messages)
      return
    }
    const before = head
    const sources = plan.figures(outcome, (revision) => revision > before)
    moveHead(outcome)
    const newUnits = new Map(plan.newUnits)
    if (outcome && 'recorded' in outcome)
      await countStrangers(opened, outcome.recorded, before, sources, newUnits)
    count(plan.sideEvents)
    const entry = { stream, accountedRevision: head, sources, newUnits }
    accounted = accounting.account(entry).then(() => {
      addFigures(opened.figures, sources)
      timing.accounted(nowMs())
      for (const delta of sources.values()) {
        metrics.readings.duplicate += delta.duplicate
        metrics.readings.quarantined += delta.quarantined
        metrics.readings.stored += delta.received - delta.duplicate - delta.quarantined
      }
      for (const { acknowledge } of messages) acknowledge()
    })
    // A failure shows where the next statement awaits it, and at once here.
    accounted.catch((error: unknown) => {
      if (!signal.aborted) deps.onFailure(error)
    })
  }

  /** Whole messages up to the size of one append, at least one. */
  const take = (): WaitingMessage[] => {
    let events = 0
    let bytes = 0
    let count = 0
    for (const { message } of queue) {
      const readings = message.items.length
      let size = 0
      for (const item of message.items)
        size += item.kind === 'reading' ? 400 : 800 + message.payload.length * 1.4
      if (count > 0 && (events + readings > eventsPerAppend || bytes + size > bytesPerAppend)) break
      events += readings
      bytes += size
      count++
    }
    if (count === queue.length) {
      const all = queue
      queue = []
      return all
    }
    return queue.splice(0, count)
  }

  /**
   * Only one ingest writes a stream, but one that was paused and has been replaced meanwhile may still bring its last
   * append in. Its readings are in the record, so they count as received; their senders were never answered, and what
   * they deliver again counts once more, as duplicate.
   */
  const countStrangers = async (
    opened: OpenedStream,
    recorded: readonly Recorded[],
    before: bigint,
    sources: Map<string, SourceDelta>,
    newUnits: Map<string, string>,
  ): Promise<void> => {
    const own = new Set<bigint>()
    for (const { revision } of recorded) if (revision > before) own.add(revision)
    if (BigInt(own.size) === head - before) return
    const except = new Set(recorded.map(({ id }) => id))
    const range = { from: before + 1n, to: head, except }
    const found = await untilItWorks({ what: `read what else was appended to ${stream}`, log, signal }, () =>
      countStored(store, stream, range, opened.units),
    )
    log.warn(
      { stream, from: String(range.from) },
      'another ingest had written to this stream; its readings are counted',
    )
    for (const [topic, delta] of found.sources) {
      const known = sources.get(topic) ?? { received: 0, duplicate: 0, quarantined: 0 }
      known.received += delta.received
      known.duplicate += delta.duplicate
      known.quarantined += delta.quarantined
      sources.set(topic, known)
    }
    for (const [tag, unit] of found.newUnits) newUnits.set(tag, unit)
  }

  /** A statement covers every event before it, so nothing may be on its way meanwhile. */
  const stateFigures = async (opened: OpenedStream): Promise<void> => {
    wantsStatement = false
    const isStated = await appendOwn(opened, () => {
      const sources = [...opened.figures.values()].sort((a, b) => (a.topic < b.topic ? -1 : 1))
      return ingressStated(sources, nowMs(), site)
    })
    if (!isStated) return
    timing.stated(nowMs())
    metrics.statements++
  }

  const seal = async (opened: OpenedStream, { toMs }: Occupancy): Promise<void> => {
    let isLast = false
    while (!isLast && !isSealed) {
      await stateFigures(opened)
      const stated = head
      isLast = await appendOwn(
        opened,
        () => streamSealed(stream, stated + 1n, toMs ?? nowMs(), nowMs(), site),
        () => head === stated,
      )
    }
    if (!isSealed) await sealed()
  }

  const sealed = async (): Promise<void> => {
    isSealed = true
    await accounting.close(stream, true)
    deps.onSealed(stream)
  }

  /**
   * Appends an event that speaks of everything before it, so exactly there: where something else stands by then, that is
   * counted and the event is made anew. False: the stream is sealed, or what was counted made it moot (`isWanted`).
   */
  const appendOwn = async (
    opened: OpenedStream,
    make: () => ClientEvent,
    isWanted: () => boolean = () => true,
  ): Promise<boolean> => {
    await accounted
    while (isWanted()) {
      const plan = requestPlan(nothingKnown(stream, site), [], [make()])
      const before = head
      const outcome = await appendPlan(deps, stream, plan, undefined, before < 0n ? 'noStream' : before)
      if (outcome?.kind === 'sealed') {
        await sealed()
        return false
      }
      const sources = new Map<string, SourceDelta>()
      const newUnits = new Map<string, string>()
      if (outcome?.kind === 'conflict') {
        if (outcome.actual === 'noStream' || outcome.actual <= before)
          throw new Error(`${stream} ends at ${outcome.actual}, but revision ${before} was written`)
        head = outcome.actual
        await countStrangers(opened, [], before, sources, newUnits)
      } else moveHead(outcome)
      accounted = accounting
        .account({ stream, accountedRevision: head, sources, newUnits })
        .then(() => addFigures(opened.figures, sources))
      await accounted
      if (outcome?.kind !== 'conflict') return true
    }
    return false
  }

  const moveHead = (outcome: AppendOutcome | undefined): void => {
    if (outcome?.kind !== 'appended' && outcome?.kind !== 'duplicate') return
    for (const { revision } of outcome.recorded) if (revision > head) head = revision
  }

  const count = (found: { alarms: number; gaps: number; clockSteps: number }): void => {
    metrics.alarms += found.alarms
    metrics.gaps += found.gaps
    metrics.clockSteps += found.clockSteps
  }

  const isQuiet = (): boolean => queue.length === 0 && own.length === 0 && running === undefined

  return {
    stream,
    vessel: () => vessel,
    enqueue(waiting) {
      queue.push(waiting)
      vessel = waiting.message.vessel
      lastArrivalMs = nowMs()
      timing.arrived(lastArrivalMs)
      wake()
    },
    tick(now, listening) {
      if (isSealed) return
      if (timing.isDue(now)) wantsStatement = true
      if (ending && !isEnding && queue.length === 0) {
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
      if (state === undefined || signal.aborted) return
      await accounted
      if (timing.isUnstated()) await stateFigures(state)
      await accounted
      await accounting.close(stream, false)
    },
  }
}

const nothingKnown = (stream: string, site: string) => ({
  stream,
  site,
  sequence: streamSequence(),
  units: new Map<string, string>(),
  alarmedBatches: new Set<string>(),
})

const isStoreReplaced = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === 'store-replaced'
