/** A version of a batch as its table holds it, and as the contract spells it. */
import type { Batch } from '../../schemas/http.ts'

export const batchColumns =
  'batch_id, revision, campaign, number, attempt, phase, vessel, status, origin, created_at, inoculated_at, closed_at, ' +
  'outcome, operator_id, variation, notes, sample_count'

export type BatchRow = {
  readonly batch_id: string
  readonly revision: bigint
  readonly campaign: string
  readonly number: number
  readonly attempt: number
  readonly phase: Batch['phase']
  readonly vessel: string
  readonly status: Batch['status']
  readonly origin: Batch['origin']
  readonly created_at: Date
  readonly inoculated_at: Date | null
  readonly closed_at: Date | null
  readonly outcome: string | null
  readonly operator_id: string | null
  readonly variation: string | null
  readonly notes: string | null
  readonly sample_count: number
}

export const batchOf = (row: BatchRow): Batch => ({
  id: row.batch_id,
  campaign: row.campaign,
  number: row.number,
  attempt: row.attempt,
  phase: row.phase,
  vessel: row.vessel,
  status: row.status,
  origin: row.origin,
  createdAt: row.created_at.toISOString(),
  inoculatedAt: row.inoculated_at?.toISOString() ?? null,
  closedAt: row.closed_at?.toISOString() ?? null,
  outcome: row.outcome,
  operatorId: row.operator_id,
  variation: row.variation,
  notes: row.notes,
  sampleCount: row.sample_count,
  revision: row.revision.toString(),
})
