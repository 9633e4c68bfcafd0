/**
 * Folds a page of one stream into rows: a pure function of the state before and the events. How a stream is cut
 * into pages changes neither the rows nor the state after. An event it cannot apply (unknown type or newer
 * version, content its type does not allow, a missing revision) throws `FoldError` naming the event.
 */
import type { RecordedEvent } from '../../schemas/event.ts'
import { findEventType, sentenceOf, upcast } from '../../schemas/events/registry.ts'
import { quality, readingFlag } from '../../schemas/events/sensor-events.ts'
import { isUsable, markOf, noPoints } from '../tables/point-columns.ts'
import { foldEvidence } from './evidence-rows.ts'
import { foldBatch } from './fold-batch.ts'
import {
  batchIdOfStream,
  noRows,
  type SeriesState,
  type StatedSource,
  type StreamRows,
  type StreamState,
  seriesKey,
  type TopicCount,
} from './stream-state.ts'
import { addToWindow, emptyWindow, type WindowStatistics, windowStart } from './window.ts'

/** Newest versions of closed windows that readings of the page fall into, by `lateWindowKey`. */
export type LateWindows = ReadonlyMap<string, WindowStatistics>
export const lateWindowKey = (series: string, start: number): string => `${series}\n${start}`

export type Folded = { readonly state: StreamState; readonly rows: StreamRows }

export function foldStream(before: StreamState, events: readonly RecordedEvent[], late: LateWindows): Folded {
  const draft = draftOf(before, late)
  for (const [index, event] of events.entries()) {
    try {
      apply(draft, event)
    } catch (error) {
      throw new FoldError(event, index, error instanceof Error ? error.message : String(error))
    }
  }
  const { rows, revision, batch, series, openGaps, counts } = draft
  return { rows, state: { stream: before.stream, revision, batch, series, openGaps, counts } }
}

/** The projection cannot apply this event; `index` is its place in the page of its stream. */
export class FoldError extends Error {
  readonly code = 'unprojectable-event'
  constructor(
    readonly event: RecordedEvent,
    readonly index: number,
    readonly finding: string,
  ) {
    super(`event ${event.id} (${event.type}) at position ${event.position} of ${event.stream}: ${finding}`)
  }
}

type Draft = ReturnType<typeof draftOf>

function draftOf(before: StreamState, late: LateWindows) {
  return {
    stream: before.stream,
    batchId: batchIdOfStream(before.stream),
    revision: before.revision,
    batch: before.batch,
    before: before.series,
    series: new Map(before.series),
    openGaps: new Map(before.openGaps),
    counts: new Map<string, TopicCount>(before.counts),
    lateWindows: new Map(late),
    rows: noRows(),
  }
}

function apply(draft: Draft, recorded: RecordedEvent): void {
  if (recorded.revision !== draft.revision + 1n)
    throw new Error(
      `revision ${recorded.revision} follows ${draft.revision}: events of the stream are missing`,
    )
  const event = currentForm(recorded)
  if (event.type === 'SensorReadingRecorded') foldReading(draft, event)
  else foldRecord(draft, event)
  draft.revision = recorded.revision
}

/** The event at its type's current version, lifted where it is older. */
function currentForm(event: RecordedEvent): RecordedEvent {
  const definition = findEventType(event.type)
  if (!definition) throw new Error(`the type ${event.type} is not known here`)
  if (event.schemaVersion === definition.schemaVersion) return event
  if (event.schemaVersion > definition.schemaVersion)
    throw new Error(
      `schema version ${event.schemaVersion} of ${event.type} is newer than ${definition.schemaVersion}, the newest known here`,
    )
  return upcast(event)
}

function foldReading(draft: Draft, event: RecordedEvent): void {
  const { tag, unit, value, quality: stated, flags } = event.data
  const at = Date.parse(event.occurredAt)
  if (typeof tag !== 'string' || typeof unit !== 'string' || tag.includes('\n') || unit.includes('\n'))
    throw new Error('a reading needs a tag and a unit')
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Error('a reading needs a finite value')
  if (Number.isNaN(at)) throw new Error(`${event.occurredAt} is no instant`)
  const mark = markOf(quality.parse(stated), flags === undefined ? [] : readingFlag.array().parse(flags))

  const key = seriesKey(tag, unit)
  const series = seriesForChange(draft, key, tag, unit, at, event.position)
  const points = draft.rows.points.get(key) ?? noPoints()
  if (points.at.length === 0) draft.rows.points.set(key, points)
  points.at.push(at)
  points.value.push(value)
  points.position.push(event.position)
  points.mark.push(mark)
  foldIntoWindow(draft, key, series, at, value, isUsable(mark), event.position)
  count(draft, event.source?.topic ?? '', 'stored')
}

function seriesForChange(
  draft: Draft,
  key: string,
  tag: string,
  unit: string,
  at: number,
  position: bigint,
): SeriesState {
  const known = draft.series.get(key)
  if (known && known !== draft.before.get(key)) return known
  const series = known
    ? { ...known }
    : { tag, unit, newestAt: at, openStart: windowStart(at), open: emptyWindow }
  if (!known) draft.rows.newSeries.push({ key, tag, unit, position })
  draft.series.set(key, series)
  return series
}

function foldIntoWindow(
  draft: Draft,
  key: string,
  series: SeriesState,
  at: number,
  value: number,
  usable: boolean,
  position: bigint,
): void {
  const start = windowStart(at)
  if (start === series.openStart) {
    series.open = addToWindow(series.open, value, usable)
  } else if (start > series.openStart) {
    closeWindow(draft, key, series.openStart, position, series.open)
    series.openStart = start
    series.open = addToWindow(emptyWindow, value, usable)
  } else {
    const closed = draft.lateWindows.get(lateWindowKey(key, start)) ?? emptyWindow
    closeWindow(draft, key, start, position, addToWindow(closed, value, usable))
  }
  if (at > series.newestAt) series.newestAt = at
}

function closeWindow(
  draft: Draft,
  key: string,
  start: number,
  knownFrom: bigint,
  statistics: WindowStatistics,
): void {
  draft.rows.windows.push({ series: key, start, knownFrom, statistics })
  draft.lateWindows.set(lateWindowKey(key, start), statistics)
}

function foldRecord(draft: Draft, event: RecordedEvent): void {
  const checked = findEventType(event.type)?.data.safeParse(event.data)
  if (!checked?.success)
    throw new Error(
      `its data are not what ${event.type} allows: ${checked?.error.issues[0]?.path.join('/')} ${checked?.error.issues[0]?.message}`,
    )
  if (event.type === 'IngressStated') {
    const { sources } = event.data as { sources: StatedSource[] }
    draft.rows.statements.push({
      position: event.position,
      revision: event.revision,
      stated: sources,
      counted: Object.fromEntries(draft.counts),
    })
    return
  }
  foldEvidence(draft.rows, event, draft.batchId)
  draft.rows.timeline.push(timelineRow(draft, event))
  if (draft.stream.startsWith('batch-')) {
    const batch = foldBatch(draft.batch, event)
    if (batch) draft.rows.batches.push({ knownFrom: event.position, batch })
    draft.batch = batch
  }
  if (event.type === 'SensorGapDetected') openGap(draft, event)
  if (event.type === 'SensorGapClosed') closeGap(draft, event)
  if (event.type === 'ReadingQuarantined') quarantined(draft, event)
  if (event.type === 'StreamSealed') draft.rows.sealed = true
}

function timelineRow(draft: Draft, event: RecordedEvent) {
  const named = event.data.batchId
  return {
    position: event.position,
    revision: event.revision,
    batchId: draft.batchId ?? (typeof named === 'string' ? named : null),
    eventId: event.id,
    type: event.type,
    occurredAt: event.occurredAt,
    receivedAt: event.receivedAt,
    recordedAt: event.recordedAt,
    actor: event.actor,
    origin: event.origin,
    sentence: sentenceOf(event),
  }
}

function openGap(draft: Draft, event: RecordedEvent): void {
  const { tag, lastReadingAt } = event.data as { tag: string; lastReadingAt: string }
  draft.openGaps.set(tag, { openedPosition: event.position, from: lastReadingAt })
  draft.rows.gaps.push({
    openedPosition: event.position,
    knownFrom: event.position,
    tag,
    from: lastReadingAt,
    to: null,
    missing: null,
  })
}

/** A gap that closes without having been open (found afterwards) begins its life closed. */
function closeGap(draft: Draft, event: RecordedEvent): void {
  const { tag, from, to, missing } = event.data as { tag: string; from: string; to: string; missing: number }
  const open = draft.openGaps.get(tag)
  const matches = open?.from === from
  if (matches) draft.openGaps.delete(tag)
  draft.rows.gaps.push({
    openedPosition: matches ? open.openedPosition : event.position,
    knownFrom: event.position,
    tag,
    from,
    to,
    missing,
  })
}

function quarantined(draft: Draft, event: RecordedEvent): void {
  const data = event.data as Omit<StreamRows['quarantine'][number], 'position' | 'recordedAt' | 'receivedAt'>
  draft.rows.quarantine.push({
    position: event.position,
    recordedAt: event.recordedAt,
    receivedAt: event.receivedAt,
    vessel: data.vessel,
    tag: data.tag,
    topic: data.topic,
    reason: data.reason,
    field: data.field,
    rule: data.rule,
    raw: data.raw,
    rawLength: data.rawLength,
    truncated: data.truncated,
  })
  count(draft, data.topic, 'quarantined')
}

function count(draft: Draft, topic: string, what: keyof TopicCount): void {
  const known = draft.counts.get(topic) ?? { stored: 0, quarantined: 0 }
  draft.counts.set(topic, { ...known, [what]: known[what] + 1 })
}
