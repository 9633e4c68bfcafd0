/**
 * The embedded default and the small lab's event store, in Postgres: gapless positions in commit order, given under
 * one advisory lock by one group committer; append-only by trigger and by role (docs/decisions/0004).
 */
import { fileURLToPath } from 'node:url'
import type { Instant } from '../../../schemas/event.ts'
import type { Logger } from '../../log.ts'
import { migrate } from '../../postgres/migrate.ts'
import { createPool } from '../../postgres/pool.ts'
import { type EventStore, StoreUnavailableError } from '../event-store.ts'
import { createCommitter } from './committer.ts'
import { createInterning } from './interning.ts'
import { limits, prepareRequest } from './prepared-request.ts'
import { createEventReader } from './read-events.ts'
import { instantOf, readingRows } from './reading-row.ts'
import { createBell, readAllPages, subscriptionPages } from './subscription.ts'

export type PostgresEventStoreOptions = {
  /** Connects as a role that may append and read (`bioledger_app`). */
  readonly appUrl: string
  readonly log?: Logger
  /** Events that may wait for the committer; beyond it appends are refused. Default 50,000. */
  readonly queueLimitEvents?: number
  /** Events that a commit takes at least before it leaves the rest to the next one. Default 2,000. */
  readonly flushEvents?: number
}

/** Creates or updates schema `event_store`. `adminUrl` may create roles. */
export async function migrateEventStore(options: { adminUrl: string }): Promise<void> {
  const pool = createPool(options.adminUrl, { name: 'event-store-migration', max: 1 })
  try {
    const path = (name: string) => fileURLToPath(new URL(name, import.meta.url))
    const functions = ['append', 'intern', 'pass_instant'].map((name) => path(`./functions/${name}.sql`))
    await migrate(pool, path('./migrations/'), 'event-store', [...functions, path('./grants.sql')])
  } finally {
    await pool.end()
  }
}

/** Throws when the schema is missing or the server does not answer. */
export async function postgresEventStore(options: PostgresEventStoreOptions): Promise<EventStore> {
  const { appUrl, log } = options
  const writePool = createPool(appUrl, { name: 'event-store-append', max: 1 })
  const readPool = createPool(appUrl, { name: 'event-store-read', max: 6 })
  const close = async () => {
    await writePool.end()
    await readPool.end()
  }
  let storeId: string
  try {
    const { rows } = await readPool.query<{ store_id: string }>('SELECT store_id FROM event_store.store')
    storeId = rows[0]!.store_id
  } catch (error) {
    await close()
    throw error
  }
  const interning = createInterning(readPool)
  const committer = createCommitter({
    pool: writePool,
    interning,
    log,
    queueLimitEvents: options.queueLimitEvents ?? 50_000,
    flushEvents: options.flushEvents ?? 2_000,
  })
  const reader = createEventReader(readPool, interning)
  const bell = createBell(appUrl, log)
  const readingRow = readingRows()
  const headPosition = async (): Promise<bigint> =>
    (await readPool.query<{ position: bigint }>('SELECT position FROM event_store.head')).rows[0]!.position
  const closing = new AbortController()

  return {
    storeId,
    limits,
    append: (requests) => {
      try {
        return committer.append(requests.map((request) => prepareRequest(request, readingRow)))
      } catch (error) {
        return Promise.reject(error)
      }
    },
    readStream: async function* (stream, { from, direction = 'forwards', maxCount } = {}) {
      let at = from
      let left = maxCount ?? Number.POSITIVE_INFINITY
      while (left > 0) {
        const limit = Math.min(1_000, left)
        const events = await reader.stream(stream, { from: at, direction, limit })
        yield* events
        left -= events.length
        const last = events.at(-1)
        if (!last || events.length < limit) return
        at = direction === 'forwards' ? last.revision + 1n : last.revision - 1n
        if (at < 0n) return
      }
    },
    readById: (id) => reader.byId(id),
    readAll: (readOptions = {}) => readAllPages({ reader, headPosition }, readOptions),
    subscribe: (subscribeOptions) =>
      subscriptionPages(
        { reader, headPosition, bell, log },
        { ...subscribeOptions, signal: AbortSignal.any([subscribeOptions.signal, closing.signal]) },
      ),
    head: async () => {
      const { rows } = await readPool.query<{ last_position: bigint; recorded_ms: bigint }>(
        'SELECT last_position, recorded_ms FROM event_store.commit ORDER BY last_position DESC LIMIT 1',
      )
      return (
        rows[0] && { position: rows[0].last_position, recordedAt: instantOf(Number(rows[0].recorded_ms)) }
      )
    },
    positionAt: async (at) => {
      const { rows } = await readPool.query<{ passed: boolean; position: bigint | null }>(
        'SELECT * FROM event_store.pass_instant($1)',
        [msOf(at)],
      )
      return { passed: rows[0]!.passed, position: rows[0]!.position ?? undefined }
    },
    recordedAtOf: async (position) => {
      const { rows } = await readPool.query<{ recorded_ms: bigint }>(
        `SELECT recorded_ms FROM event_store.event WHERE position = (SELECT max(position) FROM event_store.event WHERE position <= $1)`,
        [position],
      )
      return rows[0] && instantOf(Number(rows[0].recorded_ms))
    },
    close: async () => {
      closing.abort()
      await committer.close()
      await bell.close()
      await close()
    },
  }
}

function msOf(at: Instant): number {
  const ms = Date.parse(at)
  if (Number.isNaN(ms)) throw new StoreUnavailableError(`${at} is no instant`)
  return ms
}
