/** Offline samples of a batch as known at a position, in the order of recording. */
import type { z } from 'zod'
import type { PoolClient } from '../../infra/postgres/pool.ts'
import type { offlineSample } from '../../schemas/http-evidence.ts'

export type OfflineSample = z.infer<typeof offlineSample>

export async function readSamples(
  client: PoolClient,
  batchId: string,
  position: bigint,
  after: bigint | undefined,
  limit: number,
): Promise<OfflineSample[]> {
  const { rows } = await client.query<{
    position: bigint
    event_id: string
    sample_id: string
    sample_number: number
    replicate: number | null
    sampled_at: Date
    recorded_at: Date
    actor_id: string
    timepoint_hours: string
    od600_raw: string
    dilution_factor: string
    od600: string
    contamination_detected: boolean
    late_entry: boolean
  }>(
    `SELECT position, event_id, sample_id, sample_number, replicate, sampled_at, recorded_at, actor_id, timepoint_hours, od600_raw,
       dilution_factor, od600, contamination_detected, late_entry
     FROM sample WHERE batch_id = $1 AND position <= $2 AND position > $3 ORDER BY position LIMIT $4`,
    [batchId, position, after ?? -1n, limit],
  )
  return rows.map((row) => ({
    sampleId: row.sample_id,
    sampleNumber: row.sample_number,
    replicate: row.replicate,
    sampledAt: row.sampled_at.toISOString(),
    recordedAt: row.recorded_at.toISOString(),
    takenBy: row.actor_id,
    timepointHours: row.timepoint_hours,
    od600Raw: row.od600_raw,
    dilutionFactor: row.dilution_factor,
    od600: row.od600,
    contaminationDetected: row.contamination_detected,
    lateEntry: row.late_entry,
    position: row.position.toString(),
    eventId: row.event_id,
  }))
}
