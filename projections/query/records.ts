/** Batches, timeline, gaps and quarantine as known at a position. Every list has a total order and a page key. */
import type { PoolClient } from '../../infra/postgres/pool.ts'
import type { Batch } from '../../schemas/http.ts'
import { type BatchRow, batchColumns, batchOf } from '../tables/batch-row.ts'

export async function readBatch(
  client: PoolClient,
  batchId: string,
  position: bigint,
): Promise<Batch | undefined> {
  const { rows } = await client.query<BatchRow>(
    `SELECT ${batchColumns} FROM batch WHERE batch_id = $1 AND known @> $2::int8`,
    [batchId, position],
  )
  return rows[0] && batchOf(rows[0])
}

export type BatchFilter = {
  readonly status?: string | undefined
  readonly vessel?: string | undefined
  readonly campaign?: string | undefined
}

/** Newest first: by creation time, then id. `after` is the key of the last one before. */
export async function readBatches(
  client: PoolClient,
  position: bigint,
  filter: BatchFilter,
  after: readonly [createdAt: string, id: string] | undefined,
  limit: number,
): Promise<Batch[]> {
  const { rows } = await client.query<BatchRow>(
    `SELECT ${batchColumns} FROM batch WHERE known @> $1::int8
       AND ($2::text IS NULL OR status = $2) AND ($3::text IS NULL OR vessel = $3) AND ($4::text IS NULL OR campaign = $4)
       AND ($5::timestamptz IS NULL OR (created_at, batch_id) < ($5, $6::uuid))
     ORDER BY created_at DESC, batch_id DESC LIMIT $7`,
    [
      position,
      filter.status ?? null,
      filter.vessel ?? null,
      filter.campaign ?? null,
      after?.[0] ?? null,
      after?.[1] ?? null,
      limit,
    ],
  )
  return rows.map(batchOf)
}

export type TimelineItem = {
  readonly position: string
  readonly eventId: string
  readonly stream: string
  readonly revision: string
  readonly type: string
  readonly occurredAt: string
  readonly receivedAt: string
  readonly recordedAt: string
  readonly actor: { readonly kind: string; readonly id: string; readonly role: string }
  readonly origin: 'live' | 'simulated' | 'replayed'
  readonly sentence: string
}

export type TimelineQuestion = {
  readonly batchId: string
  /** Both exclusive. */
  readonly after?: bigint | undefined
  readonly before?: bigint | undefined
  /** Inclusive. */
  readonly through: bigint
  readonly types?: readonly string[] | undefined
  readonly newestFirst: boolean
  readonly limit: number
}

/** As the index `timeline_records_by_batch` says it. */
const withoutSeries = "type NOT IN ('ProcessWindowDerived', 'OdForecastIssued', 'ForecastWithheld')"

/** Without `types`: all but what comes every 30 s (forecasts, derived windows), which would hide everything else. */
export async function readTimeline(client: PoolClient, question: TimelineQuestion): Promise<TimelineItem[]> {
  const { rows } = await client.query<{
    position: bigint
    event_id: string
    stream: string
    revision: bigint
    type: string
    occurred_at: Date
    received_at: Date
    recorded_at: Date
    actor_kind: string
    actor_id: string
    actor_role: string
    origin: TimelineItem['origin']
    sentence: string
  }>(
    `SELECT position, event_id, stream, revision, type, occurred_at, received_at, recorded_at, actor_kind, actor_id, actor_role, origin, sentence
     FROM timeline WHERE batch_id = $1 AND position <= $2 AND position > $3 AND ($4::int8 IS NULL OR position < $4)
       AND ${question.types === undefined ? withoutSeries : 'type = ANY($5)'}
     ORDER BY position ${question.newestFirst ? 'DESC' : 'ASC'} LIMIT ${question.types === undefined ? '$5' : '$6'}`,
    [
      question.batchId,
      question.through,
      question.after ?? -1n,
      question.before ?? null,
      ...(question.types === undefined ? [] : [question.types]),
      question.limit,
    ],
  )
  return rows.map((row) => ({
    position: row.position.toString(),
    eventId: row.event_id,
    stream: row.stream,
    revision: row.revision.toString(),
    type: row.type,
    occurredAt: row.occurred_at.toISOString(),
    receivedAt: row.received_at.toISOString(),
    recordedAt: row.recorded_at.toISOString(),
    actor: { kind: row.actor_kind, id: row.actor_id, role: row.actor_role },
    origin: row.origin,
    sentence: row.sentence,
  }))
}

export type Gap = {
  readonly tag: string
  readonly from: string
  readonly to: string | null
  readonly missing: number | null
  readonly position: string
}

/** In order of their detection. */
export async function readGaps(
  client: PoolClient,
  stream: string,
  position: bigint,
  tag: string | undefined,
  after: bigint | undefined,
  limit: number,
): Promise<Gap[]> {
  const { rows } = await client.query<{
    opened_position: bigint
    tag: string
    from_at: Date
    to_at: Date | null
    missing: number | null
  }>(
    `SELECT opened_position, tag, from_at, to_at, missing FROM gap
     WHERE stream = $1 AND known @> $2::int8 AND opened_position > $3 AND ($4::text IS NULL OR tag = $4)
     ORDER BY opened_position LIMIT $5`,
    [stream, position, after ?? -1n, tag ?? null, limit],
  )
  return rows.map((row) => ({
    tag: row.tag,
    from: row.from_at.toISOString(),
    to: row.to_at?.toISOString() ?? null,
    missing: row.missing,
    position: row.opened_position.toString(),
  }))
}

export type QuarantinedMessage = {
  readonly position: string
  readonly recordedAt: string
  readonly receivedAt: string
  readonly vessel: string | null
  readonly tag: string | null
  readonly topic: string
  readonly reason: string
  readonly field: string
  readonly rule: string
  readonly raw: string
  readonly rawLength: number
  readonly truncated: boolean
}

/** In order of recording; of one stream or (undefined) of all. */
export async function readQuarantine(
  client: PoolClient,
  stream: string | undefined,
  position: bigint,
  after: bigint | undefined,
  limit: number,
): Promise<QuarantinedMessage[]> {
  const { rows } = await client.query<{
    position: bigint
    recorded_at: Date
    received_at: Date
    vessel: string | null
    tag: string | null
    topic: string
    reason: string
    field: string
    rule: string
    raw: string
    raw_length: number
    truncated: boolean
  }>(
    `SELECT position, recorded_at, received_at, vessel, tag, topic, reason, field, rule, raw, raw_length, truncated FROM quarantine
     WHERE ($1::text IS NULL OR stream = $1) AND position <= $2 AND position > $3 ORDER BY position LIMIT $4`,
    [stream ?? null, position, after ?? -1n, limit],
  )
  return rows.map((row) => ({
    position: row.position.toString(),
    recordedAt: row.recorded_at.toISOString(),
    receivedAt: row.received_at.toISOString(),
    vessel: row.vessel,
    tag: row.tag,
    topic: row.topic,
    reason: row.reason,
    field: row.field,
    rule: row.rule,
    raw: row.raw,
    rawLength: row.raw_length,
    truncated: row.truncated,
  }))
}
