/**
 * Writes readings. Those of a stream gather in tail frames until there are enough of them to be packed by series;
 * then the frames become chunks in the same transaction.
 */
import type { PoolClient } from '../../infra/postgres/pool.ts'
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
import { columnsOf, insert, type Packing, type StreamWrite, seriesId, type Tail } from './stream-write.ts'

/** Returns the tail of each stream after the write. */
export async function writeReadings(
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

type Chunk = { id: number; points: Points; start: number; length: number }

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)
