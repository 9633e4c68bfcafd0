/** Checkpoints of feed consumers in Postgres (schema `feed`), one a group. */
import { fileURLToPath } from 'node:url'
import type { Checkpoint } from '../event-store/checkpoint.ts'
import { migrate } from '../postgres/migrate.ts'
import { createPool, type Pool } from '../postgres/pool.ts'

/** Creates or updates schema `feed`. */
export async function migrateFeed(options: { readonly adminUrl: string }): Promise<void> {
  const pool = createPool(options.adminUrl, { name: 'feed-migration', max: 1 })
  try {
    await migrate(pool, fileURLToPath(new URL('./migrations/', import.meta.url)), 'feed')
  } finally {
    await pool.end()
  }
}

export async function readFeedCheckpoint(pool: Pool, group: string): Promise<Checkpoint | undefined> {
  const { rows } = await pool.query<{ store_id: string; position: bigint; event_id: string }>(
    'SELECT store_id, position, event_id FROM feed.checkpoint WHERE consumer_group = $1',
    [group],
  )
  const row = rows[0]
  return row && { storeId: row.store_id, position: row.position, eventId: row.event_id }
}

/** Never moves backwards: a worker that lost its turn cannot undo the progress of the next one. */
export async function writeFeedCheckpoint(pool: Pool, group: string, checkpoint: Checkpoint): Promise<void> {
  await pool.query(
    `INSERT INTO feed.checkpoint (consumer_group, store_id, position, event_id) VALUES ($1, $2, $3, $4)
     ON CONFLICT (consumer_group) DO UPDATE
       SET position = excluded.position, event_id = excluded.event_id, written_at = clock_timestamp()
       WHERE feed.checkpoint.store_id = excluded.store_id AND feed.checkpoint.position < excluded.position`,
    [group, checkpoint.storeId, checkpoint.position, checkpoint.eventId],
  )
}
