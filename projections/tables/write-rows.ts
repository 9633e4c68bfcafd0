/** Writes what a page added, one statement a table. */
import type { PoolClient } from '../../infra/postgres/pool.ts'
import { columnsOf, insert, type Packing, type StreamWrite, seriesId, type Tail } from './stream-write.ts'
import { writeEvidence } from './write-evidence.ts'
import { writeReadings } from './write-readings.ts'

/** Returns the tail of each stream after the write. */
export async function writeRows(
  client: PoolClient,
  writes: readonly StreamWrite[],
  packing: Packing,
): Promise<ReadonlyMap<string, Tail>> {
  await writeBatches(client, writes)
  await writeGaps(client, writes)
  await writeTimeline(client, writes)
  await writeQuarantine(client, writes)
  await writeStatements(client, writes)
  await writeEvidence(client, writes)
  await writeSeries(client, writes)
  await writeWindows(client, writes)
  const tails = await writeReadings(client, writes, packing)
  await writeStates(client, writes, tails)
  return tails
}

/** A version is known from its event up to the next version's. */
function withEnds<Version extends { readonly knownFrom: bigint }>(
  versions: readonly Version[],
  keyOf: (version: Version) => string,
): { version: Version; until: bigint | null; first: boolean }[] {
  const next = new Map<string, bigint>()
  const ended: { version: Version; until: bigint | null; first: boolean }[] = []
  for (const version of versions.toReversed()) {
    ended.push({ version, until: next.get(keyOf(version)) ?? null, first: false })
    next.set(keyOf(version), version.knownFrom)
  }
  const seen = new Set<string>()
  return ended.toReversed().map((entry) => {
    const first = !seen.has(keyOf(entry.version))
    seen.add(keyOf(entry.version))
    return { ...entry, first }
  })
}

async function writeBatches(client: PoolClient, writes: readonly StreamWrite[]): Promise<void> {
  const versions = withEnds(
    writes.flatMap((write) => write.rows.batches),
    (version) => version.batch.id,
  )
  const firsts = versions.filter((entry) => entry.first)
  await insert(
    client,
    `UPDATE batch SET known = int8range(lower(known), newer.known_from)
     FROM unnest($1::uuid[], $2::int8[]) AS newer (batch_id, known_from)
     WHERE batch.batch_id = newer.batch_id AND upper_inf(known)`,
    columnsOf(
      firsts,
      (entry) => entry.version.batch.id,
      (entry) => entry.version.knownFrom,
    ),
  )
  await insert(
    client,
    `INSERT INTO batch (batch_id, known, revision, campaign, number, attempt, phase, vessel, status, origin, created_at,
       inoculated_at, closed_at, outcome, operator_id, variation, notes, sample_count)
     SELECT batch_id, int8range(known_from, known_until), revision, campaign, number, attempt, phase, vessel, status, origin, created_at,
       inoculated_at, closed_at, outcome, operator_id, variation, notes, sample_count
     FROM unnest($1::uuid[], $2::int8[], $3::int8[], $4::int8[], $5::text[], $6::int4[], $7::int4[], $8::text[], $9::text[], $10::text[],
       $11::text[], $12::timestamptz[], $13::timestamptz[], $14::timestamptz[], $15::text[], $16::text[], $17::text[], $18::text[], $19::int4[])
       AS version (batch_id, known_from, known_until, revision, campaign, number, attempt, phase, vessel, status, origin, created_at,
         inoculated_at, closed_at, outcome, operator_id, variation, notes, sample_count)`,
    columnsOf(
      versions,
      ({ version }) => version.batch.id,
      ({ version }) => version.knownFrom,
      ({ until }) => until,
      ({ version }) => version.batch.revision,
      ({ version }) => version.batch.campaign,
      ({ version }) => version.batch.number,
      ({ version }) => version.batch.attempt,
      ({ version }) => version.batch.phase,
      ({ version }) => version.batch.vessel,
      ({ version }) => version.batch.status,
      ({ version }) => version.batch.origin,
      ({ version }) => version.batch.createdAt,
      ({ version }) => version.batch.inoculatedAt,
      ({ version }) => version.batch.closedAt,
      ({ version }) => version.batch.outcome,
      ({ version }) => version.batch.operatorId,
      ({ version }) => version.batch.variation,
      ({ version }) => version.batch.notes,
      ({ version }) => version.batch.sampleCount,
    ),
  )
}

async function writeGaps(client: PoolClient, writes: readonly StreamWrite[]): Promise<void> {
  const versions = withEnds(
    writes.flatMap((write) => write.rows.gaps.map((gap) => ({ ...gap, stream: write.stream }))),
    (version) => version.openedPosition.toString(),
  )
  const firsts = versions.filter((entry) => entry.first)
  await insert(
    client,
    `UPDATE gap SET known = int8range(lower(known), newer.known_from)
     FROM unnest($1::int8[], $2::int8[]) AS newer (opened_position, known_from)
     WHERE gap.opened_position = newer.opened_position AND upper_inf(known)`,
    columnsOf(
      firsts,
      (entry) => entry.version.openedPosition,
      (entry) => entry.version.knownFrom,
    ),
  )
  await insert(
    client,
    `INSERT INTO gap (opened_position, known, stream, tag, from_at, to_at, missing)
     SELECT opened_position, int8range(known_from, known_until), stream, tag, from_at, to_at, missing
     FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::int4[])
       AS version (opened_position, known_from, known_until, stream, tag, from_at, to_at, missing)`,
    columnsOf(
      versions,
      ({ version }) => version.openedPosition,
      ({ version }) => version.knownFrom,
      ({ until }) => until,
      ({ version }) => version.stream,
      ({ version }) => version.tag,
      ({ version }) => version.from,
      ({ version }) => version.to,
      ({ version }) => version.missing,
    ),
  )
}

async function writeTimeline(client: PoolClient, writes: readonly StreamWrite[]): Promise<void> {
  const rows = writes.flatMap((write) => write.rows.timeline.map((row) => ({ ...row, stream: write.stream })))
  await insert(
    client,
    `INSERT INTO timeline (position, stream, revision, batch_id, event_id, type, occurred_at, received_at, recorded_at,
       actor_kind, actor_id, actor_role, origin, sentence)
     SELECT * FROM unnest($1::int8[], $2::text[], $3::int8[], $4::uuid[], $5::uuid[], $6::text[], $7::timestamptz[], $8::timestamptz[],
       $9::timestamptz[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[])`,
    columnsOf(
      rows,
      (row) => row.position,
      (row) => row.stream,
      (row) => row.revision,
      (row) => row.batchId,
      (row) => row.eventId,
      (row) => row.type,
      (row) => row.occurredAt,
      (row) => row.receivedAt,
      (row) => row.recordedAt,
      (row) => row.actor.kind,
      (row) => row.actor.id,
      (row) => row.actor.role,
      (row) => row.origin,
      (row) => row.sentence,
    ),
  )
}

async function writeQuarantine(client: PoolClient, writes: readonly StreamWrite[]): Promise<void> {
  const rows = writes.flatMap((write) =>
    write.rows.quarantine.map((row) => ({ ...row, stream: write.stream })),
  )
  await insert(
    client,
    `INSERT INTO quarantine (position, stream, recorded_at, received_at, vessel, tag, topic, reason, field, rule, raw, raw_length, truncated)
     SELECT * FROM unnest($1::int8[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::text[],
       $9::text[], $10::text[], $11::text[], $12::int4[], $13::boolean[])`,
    columnsOf(
      rows,
      (row) => row.position,
      (row) => row.stream,
      (row) => row.recordedAt,
      (row) => row.receivedAt,
      (row) => row.vessel,
      (row) => row.tag,
      (row) => row.topic,
      (row) => row.reason,
      (row) => row.field,
      (row) => row.rule,
      (row) => row.raw,
      (row) => row.rawLength,
      (row) => row.truncated,
    ),
  )
}

async function writeStatements(client: PoolClient, writes: readonly StreamWrite[]): Promise<void> {
  const rows = writes.flatMap((write) =>
    write.rows.statements.map((row) => ({ ...row, stream: write.stream })),
  )
  await insert(
    client,
    `INSERT INTO ingress_statement (stream, position, revision, stated, counted)
     SELECT * FROM unnest($1::text[], $2::int8[], $3::int8[], $4::jsonb[], $5::jsonb[])`,
    columnsOf(
      rows,
      (row) => row.stream,
      (row) => row.position,
      (row) => row.revision,
      (row) => JSON.stringify(row.stated),
      (row) => JSON.stringify(row.counted),
    ),
  )
}

async function writeSeries(client: PoolClient, writes: readonly StreamWrite[]): Promise<void> {
  const rows = writes.flatMap((write) =>
    write.rows.newSeries.map((series) => ({
      ...series,
      stream: write.stream,
      id: seriesId(write, series.key),
    })),
  )
  await insert(
    client,
    `INSERT INTO series (series_id, stream, tag, unit, first_position)
     SELECT * FROM unnest($1::int4[], $2::text[], $3::text[], $4::text[], $5::int8[])`,
    columnsOf(
      rows,
      (row) => row.id,
      (row) => row.stream,
      (row) => row.tag,
      (row) => row.unit,
      (row) => row.position,
    ),
  )
}

async function writeWindows(client: PoolClient, writes: readonly StreamWrite[]): Promise<void> {
  const rows = writes.flatMap((write) =>
    write.rows.windows.map((window) => ({ ...window, id: seriesId(write, window.series) })),
  )
  const measured =
    (pick: (window: (typeof rows)[number]['statistics']) => number) => (row: (typeof rows)[number]) =>
      row.statistics.usable === 0 ? null : pick(row.statistics)
  await insert(
    client,
    `INSERT INTO reading_window (series_id, from_at, known_from, usable, total, mean, squares, min, max)
     SELECT * FROM unnest($1::int4[], $2::timestamptz[], $3::int8[], $4::int4[], $5::int4[], $6::float8[], $7::float8[], $8::float8[], $9::float8[])`,
    columnsOf(
      rows,
      (row) => row.id,
      (row) => new Date(row.start).toISOString(),
      (row) => row.knownFrom,
      (row) => row.statistics.usable,
      (row) => row.statistics.total,
      measured((window) => window.mean),
      measured((window) => window.squares),
      measured((window) => window.min),
      measured((window) => window.max),
    ),
  )
}

async function writeStates(
  client: PoolClient,
  writes: readonly StreamWrite[],
  tails: ReadonlyMap<string, Tail>,
): Promise<void> {
  // Arrays of arrays must be rectangular in Postgres: topics and counts travel as JSON.
  await insert(
    client,
    `INSERT INTO stream_state AS known (stream, revision, position, topics, stored, quarantined, tail_frames, tail_points)
     SELECT page.stream, page.revision, page.position,
       ARRAY(SELECT jsonb_array_elements_text(page.counts -> 0)),
       ARRAY(SELECT jsonb_array_elements_text(page.counts -> 1)::int8),
       ARRAY(SELECT jsonb_array_elements_text(page.counts -> 2)::int8), page.tail_frames, page.tail_points
     FROM unnest($1::text[], $2::int8[], $3::int8[], $4::jsonb[], $5::int4[], $6::int4[])
       AS page (stream, revision, position, counts, tail_frames, tail_points)
     ON CONFLICT (stream) DO UPDATE SET revision = excluded.revision, position = excluded.position, topics = excluded.topics,
       stored = excluded.stored, quarantined = excluded.quarantined, tail_frames = excluded.tail_frames, tail_points = excluded.tail_points`,
    columnsOf(
      writes,
      (write) => write.stream,
      (write) => write.state.revision,
      (write) => write.lastPosition,
      (write) => {
        const counts = [...write.state.counts]
        return JSON.stringify([
          counts.map(([topic]) => topic),
          counts.map(([, count]) => count.stored),
          counts.map(([, count]) => count.quarantined),
        ])
      },
      (write) => tails.get(write.stream)?.frames ?? 0,
      (write) => tails.get(write.stream)?.points ?? 0,
    ),
  )
}
