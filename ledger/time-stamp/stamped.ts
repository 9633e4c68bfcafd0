/** Time stamps as they are kept: the authority's answer, the chain that it verified under, and the event that names it. */
import { createHash } from 'node:crypto'
import { toInstant } from '../../infra/clock.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import type { ClientEvent } from '../../schemas/event.ts'
import { derivedId } from '../../schemas/ids.ts'

export type StampedCheckpoint = {
  /** Of its `CheckpointTimeStamped` event. */
  readonly eventId: string
  readonly size: bigint
  readonly authority: string
  readonly stampedAtMs: number
  readonly receivedAtMs: number
  /** The checkpoint's text (without signatures): what the imprint is over. */
  readonly checkpoint: string
  /** DER of the TimeStampResp (a `.tsr` file): `openssl ts -verify -in` reads it. */
  readonly response: Buffer
  /** PEM, the authority's certificate first, the trusted one last. */
  readonly chain: string
}

export type TimeStamps = {
  /** Idempotent. */
  keep(stamped: StampedCheckpoint): Promise<void>
  /** Time stamps over checkpoints of `size` or more entries, smallest first, at most `limit` (default 100). */
  timeStampsFor(size: bigint, limit?: number): Promise<readonly StampedCheckpoint[]>
  /** Kept, but not yet known to stand in the event store. */
  unlogged(): Promise<readonly StampedCheckpoint[]>
  markLogged(eventId: string): Promise<void>
  /** The newest of an authority. */
  newest(authority: string): Promise<StampedCheckpoint | undefined>
}

export function stampedEventId(response: Uint8Array): string {
  return derivedId(0, 'checkpoint-time-stamped/v1', createHash('sha256').update(response).digest('hex'))
}

/** The event that says so; the same for the same answer at any time. */
export function stampedEvent(stamped: StampedCheckpoint, site: string): ClientEvent {
  const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('base64')
  return {
    id: stamped.eventId,
    type: 'CheckpointTimeStamped',
    schemaVersion: 1,
    occurredAt: toInstant(stamped.stampedAtMs),
    receivedAt: toInstant(stamped.receivedAtMs),
    actor: { kind: 'service', id: 'ledger', role: 'ledger' },
    origin: 'live',
    site,
    data: {
      size: String(stamped.size),
      imprint: sha256(stamped.checkpoint),
      tokenSha256: sha256(stamped.response),
      authority: stamped.authority,
      stampedAt: toInstant(stamped.stampedAtMs),
    },
  }
}

type Row = {
  readonly event_id: string
  readonly size: bigint
  readonly authority: string
  readonly stamped_at: Date
  readonly received_at: Date
  readonly checkpoint: string
  readonly response: Buffer
  readonly chain: string
}

const columns = 'event_id, size, authority, stamped_at, received_at, checkpoint, response, chain'

export function postgresTimeStamps(pool: Pool): TimeStamps {
  const select = async (rest: string, values: readonly unknown[]) => {
    const { rows } = await pool.query<Row>(`SELECT ${columns} FROM ledger.time_stamp ${rest}`, [...values])
    return rows.map(stampedOf)
  }
  return {
    keep: async (stamped) => {
      await pool.query(
        `INSERT INTO ledger.time_stamp (${columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (event_id) DO NOTHING`,
        [
          stamped.eventId,
          stamped.size,
          stamped.authority,
          toInstant(stamped.stampedAtMs),
          toInstant(stamped.receivedAtMs),
          stamped.checkpoint,
          stamped.response,
          stamped.chain,
        ],
      )
    },
    timeStampsFor: (size, limit = 100) =>
      select('WHERE size >= $1 ORDER BY size, stamped_at, event_id LIMIT $2', [size, limit]),
    unlogged: () => select('WHERE logged_at IS NULL ORDER BY received_at LIMIT 100', []),
    markLogged: async (eventId) => {
      await pool.query('UPDATE ledger.time_stamp SET logged_at = clock_timestamp() WHERE event_id = $1', [
        eventId,
      ])
    },
    newest: async (authority) =>
      (await select('WHERE authority = $1 ORDER BY size DESC, stamped_at DESC LIMIT 1', [authority]))[0],
  }
}

const stampedOf = (row: Row): StampedCheckpoint => ({
  eventId: row.event_id,
  size: row.size,
  authority: row.authority,
  stampedAtMs: row.stamped_at.getTime(),
  receivedAtMs: row.received_at.getTime(),
  checkpoint: row.checkpoint,
  response: row.response,
  chain: row.chain,
})
