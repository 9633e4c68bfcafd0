/**
 * Writes what a page added, one statement a table. Readings of a stream gather in tail frames until there are
 * enough of them to be packed by series; then the frames become chunks in the same transaction.
 */
import type { PoolClient } from '../../infra/postgres/pool.ts'
import type { StreamRows, StreamState } from '../fold/stream-state.ts'
import {
  noPoints,
  noPointsOfSeries,
  openPoints,
  type Points,
  type PointsOfSeries,
  packableLength,
  packPoints,
  pointAt,
} from './point-columns.ts'

/** A stream's part of a page, with what the tables (not the fold) need to know of it. */
export type StreamWrite = {
  readonly stream: string
  readonly rows: StreamRows
  readonly state: StreamState
  readonly lastPosition: bigint
  readonly seriesIds: ReadonlyMap<string, number>
  readonly tail: Tail
}
export type Tail = { readonly frames: number; readonly points: number }

/** When tail frames become chunks. */
export type Packing = {
  readonly framesBeforeChunks: number
  readonly pointsBeforeChunks: number
  /** Readings of one page that go into chunks without waiting. */
  readonly pointsForChunksAtOnce: number
  readonly pointsPerChunk: number
}
export const usualPacking: Packing = {
  framesBeforeChunks: 192,
  pointsBeforeChunks: 8_192,
  pointsForChunksAtOnce: 2_048,
  pointsPerChunk: 16_384,
}

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
  await writeSeries(client, writes)
  await writeWindows(client, writes)
  const tails = await writeReadings(client, writes, packing)
  await writeStates(client, writes, tails)
  return tails
}

type Column = readonly unknown[]

/** `sql` takes each column as one array parameter. */
async function insert(client: PoolClient, sql: string, columns: readonly Column[]): Promise<void> {
  if ((columns[0]?.length ?? 0) > 0) await client.query(sql, columns as unknown[])
}

const columnsOf = <Row>(rows: readonly Row[], ...cells: ((row: Row) => unknown)[]): Column[] =>
  cells.map((cell) => rows.map(cell))

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

type Chunk = { id: number; points: Points; start: number; length: number }

async function writeReadings(
  client: PoolClient,
  writes: readonly StreamWrite[],
  limits: Packing,
): Promise<Map<string, Tail>> {
  const tails = new Map<string, Tail>()
  const frames: { stream: string; points: PointsOfSeries; start: number; length: number }[] = []
  const packing: { write: StreamWrite; series: Map<number, Points> }[] = []
  for (const write of writes) {
    const added = sum([...write.rows.points.values()].map((points) => points.at.length))
    const frame = added > 0 ? frameOf(write) : undefined
    const pieces = frame ? piecesOf(frame, frame.at.length) : []
    const after = { frames: write.tail.frames + pieces.length, points: write.tail.points + added }
    if (isReadyForChunks(limits, write, added, after)) {
      const series = new Map<number, Points>()
      for (const [key, points] of write.rows.points) series.set(seriesId(write, key), points)
      packing.push({ write, series })
      tails.set(write.stream, { frames: 0, points: 0 })
    } else {
      if (frame) frames.push(...pieces.map((piece) => ({ stream: write.stream, points: frame, ...piece })))
      tails.set(write.stream, after)
    }
  }
  const taken = await takeTails(
    client,
    packing.filter(({ write }) => write.tail.frames > 0).map(({ write }) => write.stream),
  )
  await writeChunks(
    client,
    packing.flatMap(({ write, series }) =>
      chunksOf(joined(taken.get(write.stream), series), limits.pointsPerChunk),
    ),
  )
  await insert(
    client,
    `INSERT INTO reading_tail (stream, first_position, last_position, points)
     SELECT * FROM unnest($1::text[], $2::int8[], $3::int8[], $4::bytea[])`,
    columnsOf(
      frames,
      (frame) => frame.stream,
      (frame) => frame.points.position[frame.start],
      (frame) => frame.points.position[frame.start + frame.length - 1],
      (frame) => packPoints(frame.points, frame.start, frame.length),
    ),
  )
  return tails
}

/** Thresholds differ a little by stream, so that vessels started together are not packed together. */
function isReadyForChunks(limits: Packing, write: StreamWrite, added: number, after: Tail): boolean {
  if (after.points === 0) return false
  const spread = (write.stream.charCodeAt(write.stream.length - 1) * 31) % (1 + limits.framesBeforeChunks / 3)
  return (
    write.rows.sealed ||
    added >= limits.pointsForChunksAtOnce ||
    after.frames >= limits.framesBeforeChunks + spread ||
    after.points >= limits.pointsBeforeChunks
  )
}

/** A stream's readings of the page, all series together, in position order. */
function frameOf(write: StreamWrite): PointsOfSeries {
  const entries: { id: number; points: Points; index: number; position: bigint }[] = []
  for (const [key, points] of write.rows.points) {
    const id = seriesId(write, key)
    for (const [index, position] of points.position.entries()) entries.push({ id, points, index, position })
  }
  entries.sort((one, other) => (one.position < other.position ? -1 : 1))
  const frame = noPointsOfSeries()
  for (const { id, points, index, position } of entries) {
    frame.at.push(points.at[index] ?? 0)
    frame.value.push(points.value[index] ?? 0)
    frame.position.push(position)
    frame.mark.push(points.mark[index] ?? 0)
    frame.series.push(id)
  }
  return frame
}

async function takeTails(
  client: PoolClient,
  streams: readonly string[],
): Promise<Map<string, { first: bigint; points: Buffer }[]>> {
  const taken = new Map<string, { first: bigint; points: Buffer }[]>()
  if (streams.length === 0) return taken
  const { rows } = await client.query<{ stream: string; first_position: bigint; points: Buffer }>(
    'DELETE FROM reading_tail WHERE stream = ANY($1::text[]) RETURNING stream, first_position, points',
    [streams],
  )
  for (const row of rows) {
    const frames = taken.get(row.stream) ?? []
    frames.push({ first: row.first_position, points: row.points })
    taken.set(row.stream, frames)
  }
  for (const frames of taken.values()) frames.sort((one, other) => (one.first < other.first ? -1 : 1))
  return taken
}

/** Tail frames first, the page's own readings after them: position order within each series. */
function joined(
  frames: readonly { points: Buffer }[] | undefined,
  page: ReadonlyMap<number, Points>,
): Map<number, Points> {
  if (!frames) return new Map(page)
  const series = new Map<number, Points>()
  const pointsOf = (id: number) => {
    const known = series.get(id)
    if (known) return known
    const fresh = noPoints()
    series.set(id, fresh)
    return fresh
  }
  for (const frame of frames) {
    const packed = openPoints(frame.points)
    for (let index = 0; index < packed.length; index++) {
      const points = pointsOf(packed.series?.[index] ?? 0)
      const point = pointAt(packed, index)
      points.at.push(point.at)
      points.value.push(point.value)
      points.position.push(point.position)
      points.mark.push(point.mark)
    }
  }
  for (const [id, added] of page) {
    const points = pointsOf(id)
    for (const [index, at] of added.at.entries()) {
      points.at.push(at)
      points.value.push(added.value[index] ?? 0)
      points.position.push(added.position[index] ?? 0n)
      points.mark.push(added.mark[index] ?? 0)
    }
  }
  return series
}

function chunksOf(series: ReadonlyMap<number, Points>, pointsPerChunk: number): Chunk[] {
  const chunks: Chunk[] = []
  for (const [id, points] of series)
    chunks.push(...piecesOf(points, pointsPerChunk).map((piece) => ({ id, points, ...piece })))
  return chunks
}

/** Cuts points into pieces that can be packed. */
function piecesOf(points: Points, limit: number): { start: number; length: number }[] {
  const pieces: { start: number; length: number }[] = []
  for (let start = 0; start < points.at.length; ) {
    const length = packableLength(points, start, limit)
    pieces.push({ start, length })
    start += length
  }
  return pieces
}

async function writeChunks(client: PoolClient, chunks: readonly Chunk[]): Promise<void> {
  const bound = (pick: (one: number, other: number) => number) => (chunk: Chunk) => {
    let found = chunk.points.at[chunk.start] ?? 0
    for (let index = 1; index < chunk.length; index++)
      found = pick(found, chunk.points.at[chunk.start + index] ?? 0)
    return new Date(found).toISOString()
  }
  await insert(
    client,
    `INSERT INTO reading_chunk (series_id, first_position, last_position, min_at, max_at, count, points)
     SELECT * FROM unnest($1::int4[], $2::int8[], $3::int8[], $4::timestamptz[], $5::timestamptz[], $6::int4[], $7::bytea[])`,
    columnsOf(
      chunks,
      (chunk) => chunk.id,
      (chunk) => chunk.points.position[chunk.start],
      (chunk) => chunk.points.position[chunk.start + chunk.length - 1],
      bound(Math.min),
      bound(Math.max),
      (chunk) => chunk.length,
      (chunk) => packPoints(chunk.points, chunk.start, chunk.length),
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

function seriesId(write: StreamWrite, key: string): number {
  const id = write.seriesIds.get(key)
  if (id === undefined)
    throw new Error(`series ${key.replace('\n', ' in ')} of ${write.stream} has no number`)
  return id
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)
