/** The events that ingest writes, built from what it decoded and found. Pure but for the ids that must be drawn. */
import { createHash, randomBytes } from 'node:crypto'
import type { Actor, ClientEvent } from '../schemas/event.ts'
import type { ReadingFlag } from '../schemas/events/sensor-events.ts'
import { derivedId, readingId, uuidV7 } from '../schemas/ids.ts'
import { streams } from '../schemas/streams.ts'
import type { DecodedMessage, DecodedReading, Rejected } from './decoded-message.ts'
import type { ClockStep } from './sequence/clock-steps.ts'
import type { Gap } from './sequence/tag-series.ts'

const ingestActor: Actor = { kind: 'service', id: 'ingest', role: 'ingest' }

/** Time-ordered and drawn: for what has no identity of its own. */
const drawnId = (unixMs: number): string => uuidV7(unixMs, randomBytes(10))

/** What the events of one message share, worked out once. */
export type MessageContext = {
  readonly message: DecodedMessage
  readonly occurredAt: string
  readonly receivedAt: string
  readonly source: { readonly topic: string; readonly seq?: number }
  readonly actor: Actor
  readonly site: string
}

export function messageContext(message: DecodedMessage, site: string): MessageContext {
  return {
    message,
    occurredAt: instantOf(message.atMs),
    receivedAt: instantOf(message.receivedAtMs),
    source:
      message.seq === undefined ? { topic: message.source } : { topic: message.source, seq: message.seq },
    actor: deviceActor(message.vessel),
    site,
  }
}

/** MQTT never tells who published: the device is known by its vessel, and by the source topic. */
function deviceActor(vessel: string | undefined): Actor {
  return { kind: 'device', id: vessel ?? 'unknown', role: 'sensor' }
}

/** A reading with a source time is the same event however often it is delivered; one without has no identity. */
export function readingEventId({ message }: MessageContext, tag: string): string {
  return message.hasSourceTime
    ? readingId({ vessel: message.vessel ?? '', tag, atMs: message.atMs, seq: message.seq })
    : drawnId(message.receivedAtMs)
}

export function readingEvent(
  context: MessageContext,
  reading: DecodedReading,
  id: string,
  flags: readonly ReadingFlag[] | undefined,
): ClientEvent {
  const data: Record<string, unknown> = {
    vessel: context.message.vessel,
    tag: reading.definition.tag,
    value: reading.value,
    unit: reading.unit,
    quality: reading.quality,
  }
  if (flags !== undefined) data.flags = flags
  return {
    id,
    type: 'SensorReadingRecorded',
    schemaVersion: 1,
    occurredAt: context.occurredAt,
    receivedAt: context.receivedAt,
    actor: context.actor,
    source: context.source,
    origin: context.message.origin,
    site: context.site,
    data,
  }
}

const wholeBytes = 32 * 1024
const keptBytes = 16 * 1024
/** What the rejected values of one message may keep together, so that any message fits into one append. */
const keptBytesOfMessage = 384 * 1024

/** With source time and sequence a rejected reading is the same event at every delivery, like an accepted one. */
export function quarantineEvent(context: MessageContext, rejected: Rejected): ClientEvent {
  const { message } = context
  const { payload } = message
  const rawLength = message.oversized?.length ?? payload.length
  const rawSha256 = message.oversized?.sha256 ?? createHash('sha256').update(payload).digest('hex')
  const hasIdentity = message.hasSourceTime && message.seq !== undefined
  const share = Math.floor(keptBytesOfMessage / message.items.length)
  const truncated = rawLength > Math.min(wholeBytes, share)
  return {
    id: hasIdentity
      ? derivedId(
          message.atMs,
          'quarantine/v1',
          message.topic,
          message.atMs,
          message.seq ?? '',
          rejected.reason,
          rejected.field,
          rawSha256,
        )
      : drawnId(message.receivedAtMs),
    type: 'ReadingQuarantined',
    schemaVersion: 1,
    occurredAt: context.occurredAt,
    receivedAt: context.receivedAt,
    actor: context.actor,
    source: context.source,
    origin: message.origin,
    site: context.site,
    data: {
      vessel: message.vessel ?? null,
      tag: rejected.tag,
      topic: message.topic,
      reason: rejected.reason,
      field: rejected.field,
      rule: rejected.rule,
      raw: (truncated ? payload.subarray(0, Math.min(keptBytes, share)) : payload).toString('base64'),
      rawLength,
      rawSha256,
      truncated,
      possiblyDuplicate: message.dup && !hasIdentity,
    },
  }
}

export function boundsAlarm(
  context: MessageContext,
  reading: DecodedReading,
  readingEventId: string,
): ClientEvent {
  const { definition, value, unit } = reading
  const [low, high] = definition.hardBounds
  return byIngest(
    context,
    derivedId(context.message.atMs, 'alarm/v1', 'physical_bounds_violation', readingEventId),
    {
      type: 'AlarmRaised',
      data: {
        level: 'critical',
        category: 'sensor_failure',
        name: 'physical_bounds_violation',
        message: `${definition.label} of ${context.message.vessel} read ${value} ${unit}, possible is ${low} to ${high} ${definition.unit}`,
        vessel: context.message.vessel ?? null,
        tag: definition.tag,
      },
    },
  )
}

/** One a batch and idle stream, however many readings come too late: the id knows nothing of the reading. */
export function sealedAlarm(
  context: MessageContext,
  batchId: string,
  endedAtMs: number,
  stream: string,
): ClientEvent {
  return byIngest(context, derivedId(endedAtMs, 'alarm/v1', 'reading_after_seal', batchId, stream), {
    type: 'AlarmRaised',
    data: {
      level: 'warning',
      category: 'data_quality',
      name: 'reading_after_seal',
      message: `readings of batch ${batchId} arrived after its stream ${streams.reading(batchId)} was sealed; they stand in ${stream}`,
      vessel: context.message.vessel ?? null,
      tag: null,
    },
  })
}

export function clockStepped(context: MessageContext, step: ClockStep): ClientEvent {
  const { message } = context
  return byIngest(
    context,
    derivedId(step.toMs, 'clock-step/v1', message.topic, step.fromMs, step.toMs, message.seq ?? ''),
    {
      type: 'SourceClockStepped',
      data: {
        vessel: message.vessel,
        topic: message.topic,
        from: instantOf(step.fromMs),
        to: instantOf(step.toMs),
        stepSeconds: (step.toMs - step.fromMs) / 1000,
      },
    },
  )
}

/** What a gap leaves on record: that it opened (unless it is there already) and, when it ended, that it closed. */
export function gapEvents(
  stream: string,
  vessel: string,
  gap: Gap,
  circumstances: {
    readonly receivedAtMs: number
    readonly origin: ClientEvent['origin']
    readonly site: string
  },
): ClientEvent[] {
  const events: ClientEvent[] = []
  const from = instantOf(gap.fromMs)
  const common = {
    schemaVersion: 1,
    receivedAt: instantOf(circumstances.receivedAtMs),
    actor: ingestActor,
    origin: circumstances.origin,
    site: circumstances.site,
  }
  if (!gap.wasDetected)
    events.push({
      ...common,
      id: derivedId(gap.fromMs, 'gap-detected/v1', stream, gap.tag, gap.fromMs),
      type: 'SensorGapDetected',
      occurredAt: from,
      data: {
        vessel,
        tag: gap.tag,
        lastReadingAt: from,
        expectedIntervalSeconds: gap.expectedIntervalSeconds,
      },
    })
  if (gap.toMs !== undefined) {
    const to = instantOf(gap.toMs)
    events.push({
      ...common,
      id: derivedId(gap.toMs, 'gap-closed/v1', stream, gap.tag, gap.fromMs, gap.toMs),
      type: 'SensorGapClosed',
      occurredAt: to,
      data: { vessel, tag: gap.tag, from, to, missing: gap.missing },
    })
  }
  return events
}

export type SourceFigures = {
  readonly topic: string
  readonly received: number
  readonly duplicate: number
  readonly quarantined: number
}

export function ingressStated(sources: readonly SourceFigures[], nowMs: number, site: string): ClientEvent {
  const now = instantOf(nowMs)
  return {
    id: drawnId(nowMs),
    type: 'IngressStated',
    schemaVersion: 1,
    occurredAt: now,
    receivedAt: now,
    actor: ingestActor,
    origin: 'live',
    site,
    data: { sources },
  }
}

/** `count`: events in the stream before it. The same event whenever it is tried. */
export function streamSealed(
  stream: string,
  count: bigint,
  endedAtMs: number,
  nowMs: number,
  site: string,
): ClientEvent {
  return {
    id: derivedId(endedAtMs, 'sealed/v1', stream),
    type: 'StreamSealed',
    schemaVersion: 1,
    occurredAt: instantOf(endedAtMs),
    receivedAt: instantOf(nowMs),
    actor: ingestActor,
    origin: 'live',
    site,
    data: { count: Number(count) },
  }
}

/** Whether a stored event states what this one does; what depends on the delivery (flags, arrival) is left aside. */
export function isSameFact(stored: ClientEvent, candidate: ClientEvent): boolean {
  if (stored.type !== candidate.type || stored.occurredAt !== candidate.occurredAt) return false
  if (stored.origin !== candidate.origin || stored.source?.seq !== candidate.source?.seq) return false
  const names =
    candidate.type === 'SensorReadingRecorded'
      ? ['vessel', 'tag', 'value', 'unit', 'quality']
      : ['topic', 'reason', 'field', 'rawSha256']
  return names.every((name) => stored.data[name] === candidate.data[name])
}

function byIngest(
  context: MessageContext,
  id: string,
  event: { readonly type: string; readonly data: Record<string, unknown> },
): ClientEvent {
  return {
    id,
    schemaVersion: 1,
    occurredAt: context.occurredAt,
    receivedAt: context.receivedAt,
    actor: ingestActor,
    source: context.source,
    origin: context.message.origin,
    site: context.site,
    ...event,
  }
}

let lastMs = Number.NaN
let lastInstant = ''

/** Neighbouring messages mostly share their instants to the millisecond or come in pairs: the last one is kept. */
function instantOf(ms: number): string {
  if (ms === lastMs) return lastInstant
  lastMs = ms
  lastInstant = new Date(ms).toISOString()
  return lastInstant
}
