/** The checkpoint of the read models: one row, written in the transaction that writes what it covers. */
import type { Checkpoint } from '../../infra/event-store/checkpoint.ts'
import type { Pool, PoolClient } from '../../infra/postgres/pool.ts'

export type ReadModelCheckpoint = {
  /** Changes when a rebuild replaces the tables. */
  readonly generation: string
  readonly checkpoint: Checkpoint | undefined
  readonly recordedAt: string | null
}

export async function readCheckpoint(client: Pool | PoolClient): Promise<ReadModelCheckpoint> {
  const { rows } = await client.query<{
    generation: string
    store_id: string | null
    position: bigint | null
    event_id: string | null
    recorded_at: Date | null
  }>('SELECT generation, store_id, position, event_id, recorded_at FROM checkpoint')
  const row = rows[0]
  if (!row) throw new Error('the read models have no checkpoint row: run the migrations, or rebuild')
  return {
    generation: row.generation,
    checkpoint:
      row.store_id === null || row.position === null || row.event_id === null
        ? undefined
        : { storeId: row.store_id, position: row.position, eventId: row.event_id },
    recordedAt: row.recorded_at?.toISOString() ?? null,
  }
}

/** Moves the checkpoint on, but only from where we left it. Throws `CheckpointMovedError` otherwise. */
export async function moveCheckpoint(
  client: PoolClient,
  from: ReadModelCheckpoint,
  to: Checkpoint,
  recordedAt: string,
): Promise<void> {
  const { rowCount } = await client.query(
    `UPDATE checkpoint SET store_id = $1, position = $2, event_id = $3, recorded_at = $4, projected_at = clock_timestamp()
     WHERE generation = $5 AND position IS NOT DISTINCT FROM $6::int8 AND event_id IS NOT DISTINCT FROM $7::uuid`,
    [
      to.storeId,
      to.position,
      to.eventId,
      recordedAt,
      from.generation,
      from.checkpoint?.position ?? null,
      from.checkpoint?.eventId ?? null,
    ],
  )
  if (rowCount !== 1) throw new CheckpointMovedError(from)
}

/** Somebody else moved the checkpoint: another projector is active, or the tables were rebuilt. */
export class CheckpointMovedError extends Error {
  readonly code = 'checkpoint-moved'
  constructor(readonly expected: ReadModelCheckpoint) {
    super(
      `the read models' checkpoint is no longer at position ${expected.checkpoint?.position ?? 'none'}: another projector is active`,
    )
  }
}
