/** Facts that come from devices, and what ingest found out about their messages. */
import { z } from 'zod'
import { instant } from '../event.ts'
import { findTag } from '../tags.ts'
import { eventType } from './event-type.ts'

export const quality = z.enum(['good', 'uncertain', 'bad'])
export type Quality = z.infer<typeof quality>

/** What ingest noticed about a reading's delivery or value; sorted, without repeats, absent when there is nothing. */
export const readingFlag = z.enum([
  'clock-stepped', // the source's clock jumped back although its sequence went on
  'late', // arrived more than a minute after its source time
  'out-of-hard-bounds', // impossible value: stored as bad, and an alarm
  'out-of-order', // source time before the newest of its tag
  'possibly-duplicate', // a bare number delivered again by the broker
  'stream-sealed', // belonged to a batch whose stream was already sealed
])
export type ReadingFlag = z.infer<typeof readingFlag>

export const quarantineReason = z.enum([
  'unknown-tag',
  'unknown-vessel',
  'wrong-unit',
  'not-a-number',
  'not-finite',
  'time-in-future',
  'bad-time',
  'payload-too-large',
  'not-utf8',
  'not-json',
  'schema',
  'id-collision',
])
export type QuarantineReason = z.infer<typeof quarantineReason>

const label = (tag: string) => findTag(tag)?.label ?? tag
const unitLabel = (tag: string, unit: string) => {
  const definition = findTag(tag)
  return definition && definition.unit === unit ? definition.unitLabel : unit
}

export const sensorReadingRecorded = eventType({
  type: 'SensorReadingRecorded',
  schemaVersion: 1,
  criticality: 'critical',
  typedByPeople: false,
  data: z.strictObject({
    vessel: z.string(),
    tag: z.string(),
    value: z.number(),
    unit: z.string(),
    quality,
    flags: z.array(readingFlag).min(1).optional(),
  }),
  upcasters: {},
  sentence: (data) =>
    `${label(data.tag)} of ${data.vessel} read ${data.value} ${unitLabel(data.tag, data.unit)} (${data.quality})`,
})

export const readingQuarantined = eventType({
  type: 'ReadingQuarantined',
  schemaVersion: 1,
  criticality: 'major',
  typedByPeople: false,
  data: z.strictObject({
    vessel: z.string().nullable(),
    tag: z.string().nullable(),
    topic: z.string(),
    reason: quarantineReason,
    /** Where in the message (JSON pointer, "" for the whole), and the rule it broke. */
    field: z.string(),
    rule: z.string(),
    /** Base64 of the raw bytes; above 32 kB the first 16 KiB. */
    raw: z.string(),
    rawLength: z.int().nonnegative(),
    rawSha256: z.string().regex(/^[0-9a-f]{64}$/),
    truncated: z.boolean(),
    possiblyDuplicate: z.boolean(),
  }),
  upcasters: {},
  sentence: (data) => `a message on ${data.topic} was quarantined: ${data.rule} (${data.reason})`,
})

export const sensorGapDetected = eventType({
  type: 'SensorGapDetected',
  schemaVersion: 1,
  criticality: 'major',
  typedByPeople: false,
  data: z.strictObject({
    vessel: z.string(),
    tag: z.string(),
    lastReadingAt: instant,
    expectedIntervalSeconds: z.number().positive(),
  }),
  upcasters: {},
  sentence: (data) => `${label(data.tag)} of ${data.vessel} fell silent after ${data.lastReadingAt}`,
})

export const sensorGapClosed = eventType({
  type: 'SensorGapClosed',
  schemaVersion: 1,
  criticality: 'major',
  typedByPeople: false,
  data: z.strictObject({
    vessel: z.string(),
    tag: z.string(),
    from: instant,
    to: instant,
    missing: z.int().nonnegative(),
  }),
  upcasters: {},
  sentence: (data) =>
    `${label(data.tag)} of ${data.vessel} came back: ${data.missing} readings missing from ${data.from} to ${data.to}`,
})

export const sourceClockStepped = eventType({
  type: 'SourceClockStepped',
  schemaVersion: 1,
  criticality: 'major',
  typedByPeople: false,
  data: z.strictObject({
    vessel: z.string(),
    topic: z.string(),
    from: instant,
    to: instant,
    stepSeconds: z.number(),
  }),
  upcasters: {},
  sentence: (data) => `the clock behind ${data.topic} stepped by ${data.stepSeconds} s`,
})

export const alarmRaised = eventType({
  type: 'AlarmRaised',
  schemaVersion: 1,
  criticality: 'critical',
  typedByPeople: false,
  data: z.strictObject({
    level: z.enum(['info', 'warning', 'error', 'critical']),
    category: z.enum([
      'data_quality',
      'missing_data',
      'sensor_failure',
      'process_anomaly',
      'metabolic_shift',
      'equipment_warning',
      'store_integrity',
      'projection_failure',
      'model_governance',
    ]),
    name: z.string(),
    message: z.string(),
    vessel: z.string().nullable(),
    tag: z.string().nullable(),
  }),
  upcasters: {},
  sentence: (data) => `${data.level} alarm ${data.name}: ${data.message}`,
})

/**
 * Ingest's own count of what arrived for this stream, cumulative and per topic, as of this event's revision:
 * every reading or quarantine with a lower revision of the stream is covered. Counted at arrival,
 * independently of what became of the messages, so that the balance can fail.
 */
export const ingressStated = eventType({
  type: 'IngressStated',
  schemaVersion: 1,
  criticality: 'critical',
  typedByPeople: false,
  data: z.strictObject({
    sources: z.array(
      z.strictObject({
        topic: z.string(),
        received: z.int().nonnegative(),
        duplicate: z.int().nonnegative(),
        quarantined: z.int().nonnegative(),
      }),
    ),
  }),
  upcasters: {},
  sentence: (data) =>
    `${data.sources.reduce((sum, source) => sum + source.received, 0)} readings had arrived from ${data.sources.length} sources`,
})

/** The last event of a closed bulk stream: nothing follows it. */
export const streamSealed = eventType({
  type: 'StreamSealed',
  schemaVersion: 1,
  criticality: 'critical',
  typedByPeople: false,
  /** Events in the stream before this one. */
  data: z.strictObject({ count: z.int().nonnegative() }),
  upcasters: {},
  sentence: (data) => `the stream was sealed after ${data.count} events`,
})
