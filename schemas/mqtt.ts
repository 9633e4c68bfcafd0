/**
 * MQTT contracts. In: `bioprocess/pichia/<vessel>/sensors/<tag…>` (one reading) and
 * `bioprocess/pichia/<vessel>/sensors` (many tags, one message). Out: `…/telemetry/<kind>`.
 * Control topics exist and are never written.
 */
import { z } from 'zod'
import { origin } from './event.ts'
import { processPhase } from './events/process-events.ts'
import { quality } from './events/sensor-events.ts'

export const topicPrefix = 'bioprocess/pichia'
/** One subscription covers both forms: `#` also matches the parent level. */
export const sensorSubscription = `${topicPrefix}/+/sensors/#`
export const sensorTopic = (vessel: string, tag?: string) =>
  `${topicPrefix}/${vessel}/sensors${tag ? `/${tag}` : ''}`
export const maximumPayloadBytes = 64 * 1024

/** Splits a sensor topic; `tagPath` is undefined for the many-tag form. Undefined when it is no sensor topic. */
export function parseSensorTopic(topic: string): { vessel: string; tagPath: string | undefined } | undefined {
  const match = /^bioprocess\/pichia\/([^/]+)\/sensors(?:\/(.+))?$/.exec(topic)
  return match ? { vessel: match[1]!, tagPath: match[2] } : undefined
}

/** ISO 8601 with an explicit zone; any number of decimals (kept to the millisecond). */
export const sourceTime = z
  .string()
  .regex(
    /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/,
    'a time in ISO 8601 with its zone, e.g. 2026-11-21T09:30:00.000Z',
  )

/** A reading with everything a reading should carry; a bare JSON number is accepted too. */
export const singleReadingPayload = z.strictObject({
  value: z.number(),
  unit: z.string().optional(),
  at: sourceTime.optional(),
  seq: z.int().nonnegative().optional(),
  quality: quality.optional(),
  origin: origin.optional(),
})

/** Many tags in one message share source time and sequence; each becomes an event of its own. */
export const manyTagPayload = z.strictObject({
  at: sourceTime,
  seq: z.int().nonnegative().optional(),
  values: z
    .record(z.string(), z.unknown())
    .refine((values) => Object.keys(values).length > 0, 'at least one value'),
  units: z.record(z.string(), z.string()).optional(),
  quality: quality.optional(),
  origin: origin.optional(),
})

/** What the product publishes about a vessel, for displays. QoS 1, not retained; a copy, never the record. */
export const telemetryKinds = [
  'prediction',
  'cer',
  'our',
  'otr',
  'rq',
  'kla',
  'mu',
  'mu-gas',
  'mu-cer',
  'qo2',
  'qco2',
  'biomass',
  'volume',
  'cumulative-co2',
  'cumulative-o2',
  'cumulative-od',
  'cumulative-base',
  'cumulative-torque',
  'cumulative-temperature-deviation',
  'carbon-closure',
  'gas-closure',
  'phase',
] as const
export type TelemetryKind = (typeof telemetryKinds)[number]
export const telemetryTopic = (vessel: string, kind: TelemetryKind) =>
  `${topicPrefix}/${vessel}/telemetry/${kind}`

/**
 * One quantity of one closed window, or the prediction with all its horizons. Unit UCUM; `at` is the window's end; without a
 * value the quality is `bad` and a reason is given.
 */
export const telemetryPayload = z.strictObject({
  /** Of the phase of growth its name (`lag`, `exponential`, `decelerating`, `stationary`), else a number. */
  value: z.union([z.number(), processPhase]).nullable(),
  unit: z.string(),
  at: z.string(),
  quality: z.enum(['good', 'bad']),
  reason: z.string().optional(),
  detail: z.string().optional(),
  /** Of a cumulative sum: seconds since T = 0 that it does not hold, for want of readings. */
  uncoveredSeconds: z.number().nonnegative().optional(),
  /** Of a prediction: the horizon that `value` (its p50) is for, and all of them. */
  horizon: z.string().nullable().optional(),
  horizons: z
    .array(z.object({ horizon: z.string(), p5: z.number(), p50: z.number(), p95: z.number() }))
    .optional(),
  modelHash: z.string().optional(),
})
export type TelemetryPayload = z.infer<typeof telemetryPayload>
