/** Answers of the query side about cleaned readings and what was found in the raw ones, version 1. */
import { z } from 'zod'
import { instant } from './event.ts'
import { cleanedQuality, positionText } from './events/process-events.ts'
import { asOf } from './http.ts'

export const cleanedPoint = z.object({
  at: instant,
  /** Of a `missing` point only: it stands for the whole span from `at` up to here (exclusive). */
  to: instant.optional(),
  /** In the tag's own unit; null where there is none (`invalid`, `missing`). */
  value: z.number().nullable(),
  quality: cleanedQuality,
  /** Name and version of the rule that made it. */
  rule: z.string(),
  /** The raw readings that it rests on: itself, the last one before an open gap, or both ends of a closed gap. */
  positions: z.array(positionText),
  /** Of a `kalman` point: square of its standard error, in the unit squared. */
  variance: z.number().optional(),
  /** Of a `kalman` point: first and last position, and number, of all readings the smoother used, `positions` among them. */
  basis: z.object({ from: positionText, to: positionText, count: z.int() }).optional(),
})

export const cleanedSeries = z.object({
  tag: z.string(),
  /** The tag's own unit (UCUM), whatever unit a reading was sent in. */
  unit: z.string(),
  rulesVersion: z.string(),
  /** Up to when a gap at the end is followed. */
  until: instant.nullable(),
  points: z.array(cleanedPoint),
  /** Raw readings looked at. */
  sourceCount: z.int(),
  /** Points of the answer by quality. */
  counts: z.partialRecord(cleanedQuality, z.int()),
  asOf,
})

export const dataFinding = z.object({
  finding: z.enum(['missing_data_too_long', 'window_mostly_missing']),
  level: z.enum(['error', 'warning']),
  tag: z.string(),
  from: instant,
  to: instant,
  /** No usable reading has come since: `to` is only where the answer ends. */
  open: z.boolean(),
  expected: z.int(),
  missing: z.int(),
  rule: z.string(),
  /** The last usable reading before and the first one after, as far as there are any. */
  positions: z.array(positionText),
  sentence: z.string(),
})
export const dataFindingList = z.object({
  items: z.array(dataFinding),
  next: z.string().nullable(),
  asOf,
})
