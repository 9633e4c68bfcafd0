/** States the heads of all streams at the size that the log has at this moment. */
import type { PoolClient } from '../../infra/postgres/pool.ts'
import { streams } from '../../schemas/streams.ts'
import type { OwnEvents } from '../sequencer/own-event.ts'
import { readStreamHeads, writeHeadsRecords } from '../storage/heads-rows.ts'

/**
 * `exclusive` keeps the sequencer's own writes out meanwhile. The list is durable before the event is appended: what is
 * stated can be shown. Nothing is stated about an empty log.
 */
export async function stateHeads(deps: {
  readonly exclusive: <Result>(work: (client: PoolClient) => Promise<Result>) => Promise<Result>
  readonly siteKey: Buffer
  readonly own: OwnEvents
}): Promise<void> {
  const stated = await deps.exclusive(async (client) => {
    const { rows } = await client.query<{ size: bigint; recorded_at: Date | null }>(
      'SELECT size, recorded_at FROM ledger.log',
    )
    const size = rows[0]?.size ?? 0n
    if (size === 0n) return undefined
    const records = await readStreamHeads(client, deps.siteKey)
    const recordedAt = rows[0]?.recorded_at?.toISOString()
    return { size, recordedAt, count: records.length, root: await writeHeadsRecords(client, size, records) }
  })
  if (!stated) return
  await deps.own.append(streams.ledgerHeads, 'HeadsStated', {
    size: String(stated.size),
    streams: String(stated.count),
    total: String(stated.size),
    root: stated.root.toString('base64'),
    ...(stated.recordedAt === undefined ? {} : { recordedUpTo: stated.recordedAt }),
  })
}
