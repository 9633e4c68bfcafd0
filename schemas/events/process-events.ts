/** What the product derives from a vessel's readings, window by window: rates, states and how each value was cleaned. */
import { z } from 'zod'
import { instant, uuid } from '../event.ts'
import { eventType } from './event-type.ts'

/** A store position in an event's payload. */
export const positionText = z.string().regex(/^(0|[1-9]\d{0,18})$/, 'a store position in decimal digits')

export const processPhase = z.enum(['lag', 'exponential', 'decelerating', 'stationary'])
export type ProcessPhase = z.infer<typeof processPhase>

/** How a cleaned value came about; `good` is the raw value itself. */
export const cleanedQuality = z.enum([
  'good',
  'stale',
  'interpolated',
  'kalman',
  'clipped',
  'invalid',
  'missing',
])
export type CleanedQuality = z.infer<typeof cleanedQuality>

/** A derived value, or why there is none (`low_signal`, `missing_input`, …). */
export const derivedValue = z.strictObject({ value: z.number().nullable(), reason: z.string().optional() })

/**
 * One closed 30-s window of a batch: derived quantities, and per tag how many readings it rests on. `occurredAt` is the
 * window's end, `receivedAt` the store's clock of the reading that closed it, so that recomputing gives the same bytes.
 */
export const processWindowDerived = eventType({
  type: 'ProcessWindowDerived',
  schemaVersion: 1,
  criticality: 'major',
  typedByPeople: false,
  data: z.strictObject({
    batchId: uuid,
    vessel: z.string(),
    window: z.strictObject({ from: instant, to: instant }),
    inputPositions: z.strictObject({ from: positionText, to: positionText }),
    rulesVersion: z.string(),
    phase: processPhase.nullable(),
    /** Keys such as `CER`, `OUR`, `RQ`, `kLa`, `mu`; names and units: `domain/process-windows/derived-quantities.ts`. */
    derived: z.record(z.string(), derivedValue),
    /** Tags whose cleaned value is not simply good: worst quality, rule and the raw positions concerned. */
    corrections: z.array(
      z.strictObject({
        tag: z.string(),
        quality: cleanedQuality,
        rule: z.string(),
        count: z.int().positive(),
        positions: z.strictObject({ from: positionText, to: positionText }).optional(),
      }),
    ),
    /** 0 to 100. */
    qualityScore: z.number().min(0).max(100),
    /** The depletion rule was met in this window. */
    depletionConfirmed: z.boolean().optional(),
  }),
  upcasters: {},
  sentence: (data) => `process values of ${data.vessel} were derived for the 30 s up to ${data.window.to}`,
})
