/** Streams that stopped at an event the projection cannot apply, and what waits behind it. */
import type { Pool, PoolClient } from '../../infra/postgres/pool.ts'
import type { RecordedEvent } from '../../schemas/event.ts'

export type Parking = {
  readonly stream: string
  /** The event that stopped the stream and those after it; or more of a stream that stopped before. */
  readonly events: readonly RecordedEvent[]
  /** Why it stopped; undefined when it had stopped before. */
  readonly cause: string | undefined
}

export type ParkedKey = {
  readonly stream: string
  readonly position: bigint
  readonly eventId: string
  readonly type: string
  readonly message: string
}

export async function loadParkedStreams(pool: Pool): Promise<ReadonlySet<string>> {
  const { rows } = await pool.query<{ stream: string }>('SELECT stream FROM parked_key')
  return new Set(rows.map((row) => row.stream))
}

/** Streams that stopped at or before `position` (all without it), oldest first. */
export async function loadParkedKeys(client: Pool | PoolClient, position?: bigint): Promise<ParkedKey[]> {
  const { rows } = await client.query<{
    stream: string
    position: bigint
    event_id: string
    type: string
    message: string
  }>(
    'SELECT stream, position, event_id, type, message FROM parked_key WHERE $1::int8 IS NULL OR position <= $1 ORDER BY position',
    [position ?? null],
  )
  return rows.map(({ event_id, ...row }) => ({ ...row, eventId: event_id }))
}

/** Those whose alarm is not in the store yet. */
export async function loadUnalarmed(pool: Pool): Promise<ParkedKey[]> {
  const { rows } = await pool.query<{
    stream: string
    position: bigint
    event_id: string
    type: string
    message: string
  }>('SELECT stream, position, event_id, type, message FROM parked_key WHERE NOT alarmed ORDER BY position')
  return rows.map(({ event_id, ...row }) => ({ ...row, eventId: event_id }))
}

export async function markAlarmed(pool: Pool, stream: string): Promise<void> {
  await pool.query('UPDATE parked_key SET alarmed = true WHERE stream = $1', [stream])
}

export async function writeParked(client: PoolClient, parkings: readonly Parking[]): Promise<void> {
  const stopped = parkings.filter((parking) => parking.cause !== undefined)
  if (stopped.length > 0)
    await client.query(
      `INSERT INTO parked_key (stream, position, event_id, type, message)
       SELECT * FROM unnest($1::text[], $2::int8[], $3::uuid[], $4::text[], $5::text[])`,
      [
        stopped.map((parking) => parking.stream),
        stopped.map((parking) => parking.events[0]?.position),
        stopped.map((parking) => parking.events[0]?.id),
        stopped.map((parking) => parking.events[0]?.type),
        stopped.map((parking) => printable(parking.cause ?? '')),
      ],
    )
  const events = parkings.flatMap((parking) => parking.events)
  if (events.length > 0)
    await client.query(
      `INSERT INTO parked_event (stream, position, revision, event_id, type)
       SELECT * FROM unnest($1::text[], $2::int8[], $3::int8[], $4::uuid[], $5::text[])`,
      [
        events.map((event) => event.stream),
        events.map((event) => event.position),
        events.map((event) => event.revision),
        events.map((event) => event.id),
        events.map((event) => event.type),
      ],
    )
}

/** A cause may quote what the database refused, NUL among it. */
const printable = (text: string): string => text.replaceAll('\u0000', '\\u0000').slice(0, 2_000)
