/**
 * The id index in Postgres: where each event id stands, each stream's last revision, and the clamped record time.
 * It is fed from `$all` alone and in its order, so it can be thrown away and built again.
 */
import type { Instant } from '../../../../schemas/event.ts'
import { inTransaction, type Pool } from '../../../postgres/pool.ts'

export type IndexedEvent = {
  readonly id: string
  readonly stream: string
  readonly revision: bigint
  readonly position: bigint
  readonly recordedAt: Instant
  readonly fingerprint: string
}

export type IndexProgress = {
  readonly storeId: string
  /** The last position of `$all` taken in, of whatever event; -1 before the first. */
  readonly position: bigint
  readonly recordedAtMs: number
}

/** Between these positions (inclusive) the server's clock stood before a time already given out. */
export type ClockStep = { readonly from: bigint; until: bigint; readonly recordedAtMs: number }

export type IndexedStream = { readonly head: bigint; readonly sealed: boolean }

export type IndexPage = {
  /** Where the index stood before this page. */
  readonly after: bigint
  readonly through: bigint
  readonly recordedAtMs: number
  readonly events: readonly IndexedEvent[]
  readonly heads: ReadonlyMap<string, IndexedStream>
  readonly clockSteps: readonly ClockStep[]
}

export type EventIndex = ReturnType<typeof eventIndex>

export function eventIndex(pool: Pool) {
  const findByIds = coalesced((ids: readonly string[]) => selectByIds(pool, ids))

  return {
    /** Where the index stands; it is given to this store when it has never been opened before. */
    async open(storeId: string): Promise<{ progress: IndexProgress; clockSteps: ClockStep[] }> {
      await pool.query(
        `INSERT INTO eventstoredb_index.progress (store_id, position, recorded_at) VALUES ($1, -1, to_timestamp(0))
         ON CONFLICT (only_row) DO NOTHING`,
        [storeId],
      )
      const progress = await pool.query(
        'SELECT store_id, position, recorded_at FROM eventstoredb_index.progress',
      )
      const steps = await pool.query(
        'SELECT from_position, until_position, recorded_at FROM eventstoredb_index.clock_step ORDER BY from_position',
      )
      const row = progress.rows[0] as { store_id: string; position: bigint; recorded_at: Date }
      return {
        progress: {
          storeId: row.store_id,
          position: row.position,
          recordedAtMs: row.recorded_at.getTime(),
        },
        clockSteps: steps.rows.map(
          (step: { from_position: bigint; until_position: bigint; recorded_at: Date }) => ({
            from: step.from_position,
            until: step.until_position,
            recordedAtMs: step.recorded_at.getTime(),
          }),
        ),
      }
    },

    /** Answers the positions of events in this page whose id stands in the store already. */
    async record(page: IndexPage): Promise<readonly bigint[]> {
      const { events, clockSteps } = page
      const heads = [...page.heads]
      return await inTransaction(pool, async (client) => {
        const { rows } = await client.query(
          'SELECT eventstoredb_index.record_page($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) AS doubled',
          [
            page.after,
            page.through,
            new Date(page.recordedAtMs),
            events.map((event) => event.position),
            events.map((event) => event.stream),
            events.map((event) => event.revision),
            events.map((event) => event.id),
            events.map((event) => event.recordedAt),
            events.map((event) => Buffer.from(event.fingerprint, 'hex')),
            heads.map(([name]) => name),
            heads.map(([, stream]) => stream.head),
            heads.map(([, stream]) => stream.sealed),
            clockSteps.map((step) => step.from),
            clockSteps.map((step) => step.until),
            clockSteps.map((step) => new Date(step.recordedAtMs)),
          ],
        )
        return (rows[0] as { doubled: string[] }).doubled.map(BigInt)
      })
    },

    /** By id; where an id stands twice, its first place. Calls made at the same time share one query. */
    findByIds,

    async stream(name: string): Promise<IndexedStream | undefined> {
      const { rows } = await pool.query(
        'SELECT head_revision, sealed FROM eventstoredb_index.stream WHERE name = $1',
        [name],
      )
      const row = rows[0] as { head_revision: bigint; sealed: boolean } | undefined
      return row && { head: row.head_revision, sealed: row.sealed }
    },

    async atRevision(stream: string, revision: bigint): Promise<IndexedEvent | undefined> {
      const { rows } = await pool.query(
        `${selectEvent} WHERE stream.name = $1 AND event.revision = $2 ORDER BY event.position LIMIT 1`,
        [stream, revision],
      )
      return rows[0] && toIndexed(rows[0])
    },

    /** The last event at or before `position`; the last of all without it. */
    async lastEvent(position?: bigint): Promise<IndexedEvent | undefined> {
      const { rows } = await pool.query(
        `${selectEvent} WHERE $1::bigint IS NULL OR event.position <= $1 ORDER BY event.position DESC LIMIT 1`,
        [position ?? null],
      )
      return rows[0] && toIndexed(rows[0])
    },

    async lastPositionAt(at: Instant): Promise<bigint | undefined> {
      const { rows } = await pool.query('SELECT eventstoredb_index.last_position_at($1) AS position', [at])
      return (rows[0] as { position: bigint | null }).position ?? undefined
    },

    async close(): Promise<void> {
      await pool.end()
    },
  }
}

/** The index stands before where its feeder has seen it: it was restored, or its server lost what it had committed. */
export const hasLostItsEnd = (error: unknown): boolean => (error as { code?: unknown }).code === 'BL001'

const selectEvent = `SELECT event.position, stream.name, event.revision, event.event_id, event.recorded_at, event.fingerprint
   FROM eventstoredb_index.event JOIN eventstoredb_index.stream USING (stream_key)`

type EventRow = {
  position: bigint
  name: string
  revision: bigint
  event_id: string
  recorded_at: Date
  fingerprint: Buffer
}

const toIndexed = (row: EventRow): IndexedEvent => ({
  id: row.event_id,
  stream: row.name,
  revision: row.revision,
  position: row.position,
  recordedAt: row.recorded_at.toISOString(),
  fingerprint: row.fingerprint.toString('hex'),
})

async function selectByIds(pool: Pool, ids: readonly string[]): Promise<Map<string, IndexedEvent>> {
  const { rows } = await pool.query(
    `${selectEvent} WHERE event.event_id = ANY($1::uuid[]) ORDER BY event.position DESC`,
    [ids],
  )
  return new Map(rows.map((row: EventRow) => [row.event_id, toIndexed(row)]))
}

/** Keys asked for while a query runs are asked for together in the next one. */
function coalesced<Value>(query: (keys: readonly string[]) => Promise<Map<string, Value>>) {
  let next: { readonly keys: Set<string>; readonly answer: Promise<Map<string, Value>> } | undefined
  let running: Promise<unknown> = Promise.resolve()
  return async (keys: readonly string[]): Promise<Map<string, Value>> => {
    if (keys.length === 0) return new Map()
    if (!next) {
      const asked = new Set<string>()
      const answer = running.then(() => {
        next = undefined
        return query([...asked])
      })
      next = { keys: asked, answer }
      running = answer.catch(() => {})
    }
    const batch = next
    for (const key of keys) batch.keys.add(key)
    const found = await batch.answer
    const mine = new Map<string, Value>()
    for (const key of keys) {
      const value = found.get(key)
      if (value !== undefined) mine.set(key, value)
    }
    return mine
  }
}
