/** Forecasts of OD600 as evidence: issued, withheld with a reason, scored by a later sample. */
import { z } from 'zod'
import { instant, uuid } from '../event.ts'
import { eventType } from './event-type.ts'
import { positionText, processPhase } from './process-events.ts'

export const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in 64 hexadecimal digits')

/** `PT0S` is the soft sensor: OD600 now, without the online OD probe. The others forecast from the window's end. */
export const horizon = z.enum(['PT0S', 'PT30S', 'PT30M', 'PT1H', 'PT2H'])
export type Horizon = z.infer<typeof horizon>

export const withholdReason = z.enum([
  'phase-not-covered',
  'outside-trained-range',
  'too-many-missing',
  'inputs-disagree',
  'interval-too-wide',
  'model-not-approved',
  'model-suspended',
  'hash-mismatch',
  'no-model',
])
export type WithholdReason = z.infer<typeof withholdReason>

/** What both outcomes share: whose window it was, which model looked at which events. */
const basis = {
  batchId: uuid,
  vessel: z.string(),
  window: z.strictObject({ from: instant, to: instant }),
  modelId: z.string(),
  modelVersion: z.string(),
  /** SHA-256 over the model's files, and over the names, order and versions of its features. */
  modelHash: sha256Hex,
  featureSchemaHash: sha256Hex,
  /** SHA-256 over the feature vector as little-endian float32. */
  inputHash: sha256Hex,
  /** First and last event that this window folded. */
  inputPositions: z.strictObject({ from: positionText, to: positionText }),
  phase: processPhase.nullable(),
  hoursSinceInoculation: z.number(),
  runtime: z.string(),
}

const quantiles = { p5: z.number(), p50: z.number(), p95: z.number() }

export const odForecastIssued = eventType({
  type: 'OdForecastIssued',
  schemaVersion: 1,
  criticality: 'major',
  typedByPeople: false,
  data: z.strictObject({
    ...basis,
    /** What the forecast starts from: OD600 now by the online probe (window mean), and µ in 1/h. */
    lastValue: z.number().nullable(),
    lastMu: z.number().nullable(),
    /** OD600 in AU; `PT0S` first where the soft sensor is issued. */
    horizons: z.array(z.strictObject({ horizon, ...quantiles })).min(1),
    /** Minutes from the window's end to glycerol depletion (S < 0.1 g/L); absent after it. */
    depletionMinutes: z.strictObject(quantiles).optional(),
    /** 0 (at the border of what was trained) to 1 (in its middle). */
    inDomainScore: z.number().min(0).max(1),
    /** Largest contributions to the 30-min forecast, in log OD600. */
    attributions: z.array(z.strictObject({ feature: z.string(), contribution: z.number() })).max(10),
  }),
  upcasters: {},
  sentence: (data) => {
    const half = data.horizons.find((one) => one.horizon === 'PT30M') ?? data.horizons[0]!
    return `${data.modelId} ${data.modelVersion} forecast OD600 ${half.p50.toFixed(2)} (90 % interval ${half.p5.toFixed(2)} to ${half.p95.toFixed(2)}) ${half.horizon.slice(2).toLowerCase()} ahead for ${data.vessel}`
  },
})

export const forecastWithheld = eventType({
  type: 'ForecastWithheld',
  schemaVersion: 1,
  criticality: 'major',
  typedByPeople: false,
  data: z.strictObject({
    ...basis,
    reason: withholdReason,
    /** What was found against which rule, for a reader: "temperature 34.1 °C, trained up to 32 °C". */
    detail: z.string(),
    /** 0 where the input was judged at all. */
    inDomainScore: z.number().min(0).max(1).nullable(),
  }),
  upcasters: {},
  sentence: (data) =>
    `${data.modelId} ${data.modelVersion} withheld its forecast for ${data.vessel}: ${data.detail} (${data.reason})`,
})

/** An offline OD600 met the forecasts that had been made for its time. */
export const forecastScored = eventType({
  type: 'ForecastScored',
  schemaVersion: 1,
  criticality: 'major',
  typedByPeople: false,
  data: z.strictObject({
    batchId: uuid,
    vessel: z.string(),
    modelHash: sha256Hex,
    sampleEventId: uuid,
    sampledAt: instant,
    /** Offline OD600, AU. */
    measured: z.number().positive(),
    scores: z
      .array(
        z.strictObject({
          horizon,
          forecastEventId: uuid,
          issuedAt: instant,
          phase: processPhase.nullable(),
          ...quantiles,
          /** |p50 − measured| / measured. */
          relativeError: z.number().nonnegative(),
          /** p5 ≤ measured ≤ p95. The interval is calibrated for the true OD600, which the assay only approximates. */
          covered: z.boolean(),
          /** The same with the interval widened by the assay's own error: what the monitoring of coverage counts. */
          coveredWithAssayError: z.boolean().optional(),
        }),
      )
      .min(1),
  }),
  upcasters: {},
  sentence: (data) => {
    const half = data.scores.find((one) => one.horizon === 'PT30M') ?? data.scores[0]!
    return `offline OD600 ${data.measured} met the forecast ${half.p50.toFixed(2)} of ${half.issuedAt} (${half.horizon}): ${(100 * half.relativeError).toFixed(1)} % off`
  },
})
