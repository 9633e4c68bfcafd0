/** What an extract may be asked for: of which batch, how much of it, as of when, and for which purpose. */
import { z } from 'zod'
import { instant, uuid } from '../../schemas/event.ts'

export const extractPurposes = [
  'inspection',
  'audit',
  'sponsor',
  'batch-review',
  'investigation',
  'retention',
] as const

export const extractRequest = z
  .strictObject({
    batchId: uuid,
    purpose: z.enum(extractPurposes).default('batch-review'),
    /** In the words of whoever asks, e.g. the number of an inspection. */
    purposeText: z.string().min(1).max(150).optional(),
    /** The record of the batch as recorded up to then, inclusive; default: all of it. */
    asOf: instant.optional(),
    /** Bulk streams only as recorded from here to there, both inclusive. */
    from: instant.optional(),
    to: instant.optional(),
    signaturesOnly: z.boolean().default(false),
  })
  .refine(({ from, to, signaturesOnly }) => !signaturesOnly || (from === undefined && to === undefined), {
    path: ['signaturesOnly'],
    message: 'signatures alone, or a range, not both',
  })
  .refine(({ from, to }) => from === undefined || to === undefined || from <= to, {
    path: ['to'],
    message: 'the range ends after it begins',
  })
  .refine(({ from, asOf }) => from === undefined || asOf === undefined || from <= asOf, {
    path: ['from'],
    message: 'the range begins no later than asOf',
  })
  .refine(({ to, asOf }) => to === undefined || asOf === undefined || to <= asOf, {
    path: ['to'],
    message: 'the range ends no later than asOf',
  })

export type ExtractRequest = z.infer<typeof extractRequest>

export type Scope = 'whole' | 'range' | 'signatures-only'

export function scopeOf({ from, to, signaturesOnly }: ExtractRequest): Scope {
  if (signaturesOnly) return 'signatures-only'
  return from === undefined && to === undefined ? 'whole' : 'range'
}
