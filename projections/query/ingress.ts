/**
 * The ingress balance: what ingest says has arrived (its last statement in the batch's reading stream) against
 * what the read models hold of the stream up to that statement. Both are counted independently, so it can fail.
 */

import type { z } from 'zod'
import type { PoolClient } from '../../infra/postgres/pool.ts'
import type { ingressBalance } from '../../schemas/http.ts'
import type { StatedSource, TopicCount } from '../fold/stream-state.ts'
import { knownAt, openPoints } from '../tables/point-columns.ts'

export type Balance = Omit<z.infer<typeof ingressBalance>, 'asOf'>

export async function readIngress(client: PoolClient, stream: string, position: bigint): Promise<Balance> {
  const { rows } = await client.query<{
    position: bigint
    stated: StatedSource[]
    counted: Record<string, TopicCount>
  }>(
    'SELECT position, stated, counted FROM ingress_statement WHERE stream = $1 AND position <= $2 ORDER BY position DESC LIMIT 1',
    [stream, position],
  )
  const statement = rows[0]
  const covered = statement?.position ?? -1n
  const heldThen = statement ? await countHeld(client, stream, covered) : { readings: 0, quarantined: 0 }
  const heldNow = await countHeld(client, stream, position)
  return balanceOf(statement?.stated ?? [], statement?.counted ?? {}, heldThen, heldNow)
}

/** Names of the streams that held a reading, a quarantined message or a statement by then, after `after`. */
export async function readFedStreams(
  client: PoolClient,
  position: bigint,
  after: string,
  limit: number,
): Promise<string[]> {
  const { rows } = await client.query<{ stream: string }>(
    `SELECT stream FROM (
       SELECT stream FROM series WHERE first_position <= $1
       UNION SELECT stream FROM quarantine WHERE position <= $1
       UNION SELECT stream FROM ingress_statement WHERE position <= $1) AS fed
     WHERE stream COLLATE "C" > $2 ORDER BY stream COLLATE "C" LIMIT $3`,
    [position, after, limit],
  )
  return rows.map(({ stream }) => stream)
}

type Held = { readonly readings: number; readonly quarantined: number }

function balanceOf(
  stated: readonly StatedSource[],
  counted: Readonly<Record<string, TopicCount>>,
  heldThen: Held,
  heldNow: Held,
): Balance {
  const statedByTopic = new Map(stated.map((source) => [source.topic, source]))
  const topics = [...new Set([...statedByTopic.keys(), ...Object.keys(counted)])].sort()
  const bySource = topics.map((topic) => {
    const source = statedByTopic.get(topic)
    return {
      topic,
      received: source?.received ?? 0,
      stored: counted[topic]?.stored ?? 0,
      duplicate: source?.duplicate ?? 0,
      quarantined: counted[topic]?.quarantined ?? 0,
    }
  })
  const total = (pick: (source: (typeof bySource)[number]) => number) =>
    bySource.reduce((sum, source) => sum + pick(source), 0)
  const stored = total((source) => source.stored)
  const quarantined = total((source) => source.quarantined)
  return {
    received: total((source) => source.received),
    stored,
    duplicate: total((source) => source.duplicate),
    quarantined,
    balanced:
      stored === heldThen.readings &&
      quarantined === heldThen.quarantined &&
      bySource.every(
        (source) =>
          source.received === source.stored + source.duplicate + source.quarantined &&
          source.quarantined === (statedByTopic.get(source.topic)?.quarantined ?? 0),
      ),
    sinceStatement: heldNow.readings - heldThen.readings + (heldNow.quarantined - heldThen.quarantined),
    bySource,
  }
}

/** Rows that the tables hold of the stream up to the position: the readings themselves, not a counter. */
async function countHeld(client: PoolClient, stream: string, position: bigint): Promise<Held> {
  const { rows: whole } = await client.query<{ count: string }>(
    `SELECT coalesce(sum(chunk.count), 0) AS count FROM series JOIN reading_chunk AS chunk USING (series_id)
     WHERE series.stream = $1 AND chunk.first_position <= $2 AND chunk.last_position <= $2`,
    [stream, position],
  )
  const { rows: begun } = await client.query<{ points: Buffer }>(
    `SELECT chunk.points FROM series JOIN reading_chunk AS chunk USING (series_id)
     WHERE series.stream = $1 AND chunk.first_position <= $2 AND chunk.last_position > $2
     UNION ALL SELECT points FROM reading_tail WHERE stream = $1 AND first_position <= $2`,
    [stream, position],
  )
  const { rows: quarantined } = await client.query<{ count: bigint }>(
    'SELECT count(*) AS count FROM quarantine WHERE stream = $1 AND position <= $2',
    [stream, position],
  )
  return {
    readings: begun.reduce(
      (sum, row) => sum + knownAt(openPoints(row.points), position),
      Number(whole[0]?.count ?? 0),
    ),
    quarantined: Number(quarantined[0]?.count ?? 0),
  }
}
