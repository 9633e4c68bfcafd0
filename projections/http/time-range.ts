/** `from` and `to` of a question about a span of source time. */
import { ProblemError } from '../../infra/http/problem.ts'
import type { TimeRange } from '../query/readings.ts'
import { instantParameter } from './as-of.ts'

export const rangeParameters = {
  from: instantParameter.optional().describe('Source time, inclusive'),
  to: instantParameter.optional().describe('Source time, exclusive'),
}

/** Half-open; 422 when it ends before it begins. */
export function rangeOf(query: { from?: string | undefined; to?: string | undefined }): TimeRange {
  const fromMs = query.from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(query.from)
  const toMs = query.to === undefined ? Number.POSITIVE_INFINITY : Date.parse(query.to)
  if (toMs < fromMs)
    throw new ProblemError({
      status: 422,
      code: 'empty-range',
      detail: `the range ends (to ${query.to}) before it begins (from ${query.from})`,
      rule: 'from is at or before to; from belongs to the range, to does not',
    })
  return { fromMs, toMs }
}
