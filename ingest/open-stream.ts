/**
 * Picks a stream up where it was left, also after a kill: its durable figures, its last events, and what was
 * appended but not accounted when the process died. Those readings are counted as received now; when the broker
 * delivers them again they count as received once more, and as duplicates: the balance stays exact.
 */
import type { EventStore } from '../infra/event-store/event-store.ts'
import type { RecordedEvent } from '../schemas/event.ts'
import type { Accounting } from './accounting.ts'
import type { SourceFigures } from './events.ts'
import { deltaOf, type SourceDelta } from './source-delta.ts'
import { type StreamSequence, streamSequence } from './stream-sequence.ts'

export type OpenedStream = {
  /** −1 for a stream without events. */
  readonly head: bigint
  readonly isSealed: boolean
  readonly figures: Map<string, SourceFigures>
  /** The figures are not the last event of the stream. */
  readonly isUnstated: boolean
  readonly units: Map<string, string>
  readonly sequence: StreamSequence
}

/** The store holds less of a stream than was accounted: it was reset or restored. */
export class StreamLostError extends Error {
  readonly code = 'store-replaced'
  constructor(
    readonly stream: string,
    readonly accounted: bigint,
    readonly found: bigint,
  ) {
    super(
      `stream ${stream} ends at revision ${found}, but ingest has accounted it up to ${accounted}: the event store was reset or restored`,
    )
  }
}

const tailLength = 2_000

export async function openStream(
  deps: { readonly store: EventStore; readonly accounting: Accounting },
  stream: string,
): Promise<OpenedStream> {
  const { store, accounting } = deps
  const account = await accounting.open(stream)
  const tail: RecordedEvent[] = []
  for await (const event of store.readStream(stream, { direction: 'backwards', maxCount: tailLength }))
    tail.push(event)
  tail.reverse()
  const head = tail.at(-1)?.revision ?? -1n
  if (head < account.accountedRevision) throw new StreamLostError(stream, account.accountedRevision, head)

  const figures = new Map(account.sources.map((source) => [source.topic, source]))
  const units = new Map(account.units)
  if (head > account.accountedRevision) {
    const found = await countStored(store, stream, { from: account.accountedRevision + 1n }, units)
    await accounting.account({ stream, accountedRevision: head, ...found })
    addFigures(figures, found.sources)
  }
  const sequence = streamSequence()
  for (const event of tail) sequence.restore(event)
  const last = tail.at(-1)
  return {
    head,
    isSealed: last?.type === 'StreamSealed',
    figures,
    isUnstated: last?.type === 'IngressStated' ? !states(last, figures) : figures.size > 0,
    units,
    sequence,
  }
}

export function addFigures(
  figures: Map<string, SourceFigures>,
  deltas: ReadonlyMap<string, SourceDelta>,
): void {
  for (const [topic, delta] of deltas) {
    const before = figures.get(topic)
    figures.set(topic, {
      topic,
      received: (before?.received ?? 0) + delta.received,
      duplicate: (before?.duplicate ?? 0) + delta.duplicate,
      quarantined: (before?.quarantined ?? 0) + delta.quarantined,
    })
  }
}

/**
 * Figures of readings and quarantines that stand in the stream but were never counted; `to` is inclusive, `except` are
 * ids that are counted elsewhere. Adds the units of tags that are new to `units`.
 */
export async function countStored(
  store: EventStore,
  stream: string,
  range: { readonly from: bigint; readonly to?: bigint; readonly except?: ReadonlySet<string> },
  units: Map<string, string>,
): Promise<{ sources: Map<string, SourceDelta>; newUnits: Map<string, string> }> {
  const sources = new Map<string, SourceDelta>()
  const newUnits = new Map<string, string>()
  for await (const event of store.readStream(stream, { from: range.from })) {
    if (range.to !== undefined && event.revision > range.to) break
    if (range.except?.has(event.id)) continue
    const isReading = event.type === 'SensorReadingRecorded'
    if (!isReading && event.type !== 'ReadingQuarantined') continue
    const topic = event.source?.topic ?? ''
    const delta = deltaOf(sources, topic)
    delta.received++
    if (!isReading) delta.quarantined++
    const { tag, unit } = event.data
    if (!isReading || typeof tag !== 'string' || typeof unit !== 'string' || units.has(tag)) continue
    units.set(tag, unit)
    newUnits.set(tag, unit)
  }
  return { sources, newUnits }
}

function states(event: RecordedEvent, figures: ReadonlyMap<string, SourceFigures>): boolean {
  const sources = event.data.sources as readonly SourceFigures[]
  return (
    sources.length === figures.size &&
    sources.every((source) => {
      const known = figures.get(source.topic)
      return (
        known?.received === source.received &&
        known.duplicate === source.duplicate &&
        known.quarantined === source.quarantined
      )
    })
  )
}
