/**
 * An open stream whose every append is counted: the figures in the accounting follow the head, and a message is
 * acknowledged when its readings are durable in the store and its figures in the accounting. Only one append may be in
 * flight; its figures may still be under way when the next one begins.
 */
import type { AppendOutcome, Recorded } from '../infra/event-store/event-store.ts'
import type { Tracer } from '../infra/telemetry/tracer.ts'
import { untilItWorks } from '../infra/until-it-works.ts'
import type { ClientEvent } from '../schemas/event.ts'
import type { Accounting } from './accounting.ts'
import { type AppendDeps, appendPlan } from './append-plan.ts'
import type { SourceFigures } from './events.ts'
import type { WaitingMessage } from './message-queue.ts'
import type { IngestMetrics } from './metrics.ts'
import { addFigures, countStored, type OpenedStream } from './open-stream.ts'
import { requestPlan, type StreamKnowledge } from './request-plan.ts'
import { addDeltas, type SourceDelta } from './source-delta.ts'
import { appendSpan } from './spans.ts'
import { type StreamSequence, streamSequence } from './stream-sequence.ts'

export type CountingDeps = AppendDeps & {
  readonly accounting: Accounting
  readonly metrics: IngestMetrics
  readonly tracer: Tracer
  readonly site: string
  readonly onFailure: (error: unknown) => void
}

export type CountedStream = {
  readonly sequence: StreamSequence
  /** Revision of the last event; −1 for a stream without events. */
  head(): bigint
  /** As they are in the accounting, by topic. */
  figures(): readonly SourceFigures[]
  /** False: the stream is sealed, nothing was appended. Resolves before the figures are durable. */
  append(messages: readonly WaitingMessage[], own: readonly ClientEvent[]): Promise<boolean>
  /**
   * Appends an event that speaks of everything before it, so exactly there: where something else stands by then, that
   * is counted and the event is made anew. `moot`: it was not wanted any more after that (`isWanted`).
   */
  appendExactly(make: () => ClientEvent, isWanted?: () => boolean): Promise<'appended' | 'moot' | 'sealed'>
  /** Resolves when everything that was appended is counted. */
  counted(): Promise<void>
}

/** `alarmedBatches` outlives the opening: see `StreamKnowledge`. */
export function countedStream(
  deps: CountingDeps,
  stream: string,
  opened: OpenedStream,
  { alarmedBatches, onCounted }: Pick<StreamKnowledge, 'alarmedBatches'> & { readonly onCounted: () => void },
): CountedStream {
  const { store, accounting, metrics, log, signal, site } = deps
  const { sequence, units } = opened
  let head = opened.head
  let counted: Promise<void> = Promise.resolve()

  const append: CountedStream['append'] = async (messages, own) => {
    const plan = requestPlan({ stream, site, sequence, units, alarmedBatches }, messages, own)
    const span = appendSpan(deps.tracer, messages)
    const outcome = await appendPlan(deps, stream, plan, span.traceparent)
    span.end()
    metrics.appends++
    if (outcome?.kind === 'sealed') return false
    const before = head
    const sources = plan.figures(outcome, (revision) => revision > before)
    moveHead(outcome)
    const newUnits = new Map(plan.newUnits)
    if (outcome && 'recorded' in outcome) await countStrangers(outcome.recorded, before, sources, newUnits)
    metrics.alarms += plan.sideEvents.alarms
    metrics.gaps += plan.sideEvents.gaps
    metrics.clockSteps += plan.sideEvents.clockSteps
    counted = accounting.account({ stream, accountedRevision: head, sources, newUnits }).then(() => {
      addFigures(opened.figures, sources)
      onCounted()
      for (const delta of sources.values()) {
        metrics.readings.duplicate += delta.duplicate
        metrics.readings.quarantined += delta.quarantined
        metrics.readings.stored += delta.received - delta.duplicate - delta.quarantined
      }
      for (const { acknowledge } of messages) acknowledge()
    })
    // A failure shows where the next statement awaits it, and at once here.
    counted.catch((error: unknown) => {
      if (!signal.aborted) deps.onFailure(error)
    })
    return true
  }

  const appendExactly: CountedStream['appendExactly'] = async (make, isWanted = () => true) => {
    await counted
    while (isWanted()) {
      const plan = requestPlan(nothingKnown(stream, site), [], [make()])
      const before = head
      const outcome = await appendPlan(deps, stream, plan, undefined, before < 0n ? 'noStream' : before)
      if (outcome?.kind === 'sealed') return 'sealed'
      const sources = new Map<string, SourceDelta>()
      const newUnits = new Map<string, string>()
      if (outcome?.kind === 'conflict') {
        if (outcome.actual === 'noStream' || outcome.actual <= before)
          throw new Error(`${stream} ends at ${outcome.actual}, but revision ${before} was written`)
        head = outcome.actual
        await countStrangers([], before, sources, newUnits)
      } else moveHead(outcome)
      counted = accounting
        .account({ stream, accountedRevision: head, sources, newUnits })
        .then(() => addFigures(opened.figures, sources))
      await counted
      if (outcome?.kind !== 'conflict') return 'appended'
    }
    return 'moot'
  }

  const moveHead = (outcome: AppendOutcome | undefined): void => {
    if (outcome?.kind !== 'appended' && outcome?.kind !== 'duplicate') return
    for (const { revision } of outcome.recorded) if (revision > head) head = revision
  }

  /**
   * Only one ingest writes a stream, but one that was paused and has been replaced meanwhile may still bring its last
   * append in. Its readings are in the record, so they count as received; their senders were never answered, and what
   * they deliver again counts once more, as duplicate.
   */
  const countStrangers = async (
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
      countStored(store, stream, range, units),
    )
    log.warn(
      { stream, from: String(range.from) },
      'another ingest had written to this stream; its readings are counted',
    )
    addDeltas(sources, found.sources)
    for (const [tag, unit] of found.newUnits) newUnits.set(tag, unit)
  }

  return {
    sequence,
    head: () => head,
    figures: () => [...opened.figures.values()].sort((a, b) => (a.topic < b.topic ? -1 : 1)),
    append,
    appendExactly,
    counted: () => counted,
  }
}

const nothingKnown = (stream: string, site: string): StreamKnowledge => ({
  stream,
  site,
  sequence: streamSequence(),
  units: new Map(),
  alarmedBatches: new Set(),
})
