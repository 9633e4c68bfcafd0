/**
 * Answers of the query side about forecasts, derived process values, models and offline samples, version 1.
 * A forecast never stands among measured values: these answers are its own lists, and `kind` says what it is.
 */
import { z } from 'zod'
import { instant, origin } from './event.ts'
import { horizon, sha256Hex, withholdReason } from './events/forecast-events.ts'
import { cleanedQuality, derivedValue, positionText, processPhase } from './events/process-events.ts'
import { asOf } from './http.ts'

const quantiles = { p5: z.number(), p50: z.number(), p95: z.number() }
const positions = z.object({ from: positionText, to: positionText })

const basis = {
  /** End of the 30-s window that was looked at; horizons count from here. */
  issuedAt: instant,
  window: z.object({ from: instant, to: instant }),
  recordedAt: instant,
  modelId: z.string(),
  modelVersion: z.string(),
  modelHash: sha256Hex,
  featureSchemaHash: sha256Hex,
  inputHash: sha256Hex,
  inputPositions: positions,
  phase: processPhase.nullable(),
  hoursSinceInoculation: z.number(),
}
const where = { position: z.string(), eventId: z.string() }

export const forecastItem = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('issued'),
    ...basis,
    inDomainScore: z.number().nullable(),
    lastValue: z.number().nullable(),
    lastMu: z.number().nullable(),
    horizons: z.array(z.object({ horizon, ...quantiles })),
    depletionMinutes: z.object(quantiles).optional(),
    attributions: z.array(z.object({ feature: z.string(), contribution: z.number() })),
    ...where,
  }),
  z.object({
    kind: z.literal('withheld'),
    ...basis,
    inDomainScore: z.number().nullable(),
    reason: withholdReason,
    detail: z.string(),
    ...where,
  }),
])

export const forecastList = z.object({
  items: z.array(forecastItem),
  next: z.string().nullable(),
  /** With `points`: whether the list was thinned, to slices of how many seconds, out of how many. */
  reduced: z.boolean().optional(),
  bucketSeconds: z.number().nullable().optional(),
  sourceCount: z.int().optional(),
  asOf,
})

export const horizonCoverage = z.object({
  horizon,
  /** Of the forecasts that a sample scored, those whose interval, widened by the assay's own error, held it. */
  covered: z.int(),
  scored: z.int(),
  coverage: z.number(),
  /** Mean of |p50 − measured| / measured. */
  meanRelativeError: z.number(),
})
export const forecastCoverage = z.object({
  /** What the interval p5 to p95 promises. */
  stated: z.literal(0.9),
  items: z.array(horizonCoverage),
  issued: z.int(),
  withheld: z.array(z.object({ reason: withholdReason, count: z.int() })),
  asOf,
})

/** A run of windows in which no forecast was issued, for one and the same reason. */
export const withheldSpan = z.object({
  from: instant,
  to: instant,
  reason: withholdReason,
  /** Of the newest of them. */
  detail: z.string(),
  count: z.int(),
  modelId: z.string(),
  modelVersion: z.string(),
})
export const withheldSpanList = z.object({
  items: z.array(withheldSpan),
  next: z.string().nullable(),
  asOf,
})

export const derivedPoint = z.object({
  /** End of the window. */
  at: instant,
  value: z.number().nullable(),
  quality: z.enum(['good', 'missing']),
  /** Why there is no value. */
  reason: z.string().optional(),
  position: z.string(),
})
export const derivedSeries = z.object({
  key: z.string(),
  label: z.string(),
  /** UCUM; of the values. */
  unit: z.string(),
  /** For people: value × displayFactor, in displayUnit, with so many decimals. */
  displayUnit: z.string(),
  displayFactor: z.number(),
  decimals: z.int(),
  reduced: z.boolean(),
  reduce: z.enum(['none', 'minmax', 'mean']),
  bucketSeconds: z.number().nullable(),
  sourceCount: z.int(),
  points: z.array(derivedPoint),
  asOf,
})

export const processWindowItem = z.object({
  from: instant,
  to: instant,
  phase: processPhase.nullable(),
  qualityScore: z.number(),
  derived: z.record(z.string(), derivedValue),
  corrections: z.array(
    z.object({
      tag: z.string(),
      quality: cleanedQuality,
      rule: z.string(),
      count: z.int(),
      positions: positions.optional(),
    }),
  ),
  depletionConfirmed: z.boolean(),
  rulesVersion: z.string(),
  inputPositions: positions,
  position: z.string(),
  eventId: z.string(),
})
export const processWindowList = z.object({
  items: z.array(processWindowItem),
  next: z.string().nullable(),
  asOf,
})

export const modelVersion = z.object({
  modelId: z.string(),
  version: z.string(),
  use: z.string(),
  state: z.enum(['registered', 'approved', 'active', 'superseded', 'suspended', 'retired']),
  stateSince: instant,
  approvedFor: z.array(origin),
  /** Kinds of data that it forecasts for as of the answer; empty unless it is active. */
  activeFor: z.array(origin),
  suspension: z.object({ rule: z.string(), finding: z.string(), automatic: z.boolean() }).nullable(),
  modelHash: sha256Hex,
  featureSchemaHash: sha256Hex.nullable(),
  registeredAt: instant.nullable(),
  cardSha256: sha256Hex.nullable(),
  reportSha256: sha256Hex.nullable(),
  files: z.array(z.object({ name: z.string(), bytes: z.int(), sha256: sha256Hex })),
  criteria: z.record(z.string(), z.number()),
  trainingData: z.string().nullable(),
})
export const modelList = z.object({ items: z.array(modelVersion), next: z.string().nullable(), asOf })

export const modelHistoryItem = z.object({
  position: z.string(),
  eventId: z.string(),
  type: z.string(),
  version: z.string().nullable(),
  occurredAt: instant,
  recordedAt: instant,
  actor: z.object({ kind: z.string(), id: z.string(), role: z.string() }),
  sentence: z.string(),
})
export const model = z.object({
  modelId: z.string(),
  versions: z.array(modelVersion),
  history: z.array(modelHistoryItem),
  asOf,
})

/** Figures that a person typed stand as typed. */
export const offlineSample = z.object({
  sampleId: z.string(),
  sampleNumber: z.int(),
  replicate: z.int().nullable(),
  sampledAt: instant,
  recordedAt: instant,
  takenBy: z.string(),
  timepointHours: z.string(),
  od600Raw: z.string(),
  dilutionFactor: z.string(),
  od600: z.string(),
  contaminationDetected: z.boolean(),
  lateEntry: z.boolean(),
  position: z.string(),
  eventId: z.string(),
})
export const offlineSampleList = z.object({
  items: z.array(offlineSample),
  next: z.string().nullable(),
  asOf,
})

/**
 * Further events of the live feed: `forecasts` (issued and withheld ones as they were recorded) and `derived`
 * (closed windows: value or reason of each quantity), each at most one a second.
 */
export const liveForecasts = z.object({ position: z.string(), items: z.array(forecastItem) })
export const liveDerived = z.object({
  position: z.string(),
  windows: z.array(
    z.object({
      at: instant,
      phase: processPhase.nullable(),
      derived: z.record(z.string(), derivedValue),
      position: z.string(),
    }),
  ),
})
