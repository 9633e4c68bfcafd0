/**
 * The event store port over Postgres: the embedded default and the small lab's store.
 *
 * Positions are gapless and in commit order: a counter under one advisory lock, fed by one group committer. The
 * adapter works with a role that may read and call functions only; `migrateEventStore` makes those beforehand. Other
 * processes may append at the same time: safe, only slower.
 */
import { uuid } from '../../../schemas/event.ts'
import type { Logger } from '../../log.ts'
import type { EventStore } from '../event-store.ts'
import { prepareAppend } from '../prepare-append.ts'
import { decodeRows, instantOf } from './decode-rows.ts'
import { dictionary } from './dictionary.ts'
import { groupCommit } from './group-commit.ts'
import { pagesOf } from './pages.ts'
import { readStreamOf } from './read-stream.ts'
import { assertStoreId, openReads, openSession, readStoreId } from './session.ts'
import { statements } from './statements.ts'
import { subscribeTo } from './subscribe.ts'
import { openWakeUp } from './wake-up.ts'
import { writeFlush } from './write-flush.ts'

export type PostgresEventStoreOptions = {
  /** The product's role; `migrateEventStore` has been run. */
  readonly appUrl: string
  readonly log?: Logger | undefined
  /** Events of append calls not yet answered; beyond it calls get `StoreOverloadedError`. */
  readonly queueLimitEvents?: number | undefined
  /** Events a commit at most; a larger request is a commit of its own. */
  readonly flushEvents?: number | undefined
  /** How long a flush or a read may take before its outcome counts as unknown. */
  readonly timeoutMs?: number | undefined
  readonly readConnections?: number | undefined
}

const limits = { eventsPerAppend: 2_000, bytesPerAppend: 2 * 1024 * 1024 }
const defaultPageSize = 2_000
/** Before this, nothing can have been recorded, and not every database can spell the instant. */
const beginningOfTime = '1970-01-01T00:00:00.000Z'

/** Throws `StoreUnavailableError` when Postgres does not answer or holds no event store. */
export async function postgresEventStore(options: PostgresEventStoreOptions): Promise<EventStore> {
  const { log } = options
  const timeoutMs = options.timeoutMs ?? 30_000
  const settings = (name: string) => ({ url: options.appUrl, name, timeoutMs })
  const reads = openReads(settings('event-reads'), options.readConnections ?? 6)
  let storeId: string
  try {
    storeId = await readStoreId(reads.run)
  } catch (error) {
    await reads.close()
    throw error
  }
  const decode = decodeRows(dictionary())
  const pages = pagesOf(reads, decode)
  const wakeUp = openWakeUp(settings('event-wake-up'))
  const preparation = prepareAppend(limits)
  const session = openSession(settings('event-append'), async (client) => {
    await assertStoreId(client, storeId)
    // A restored database may hold fewer templates than we knew.
    preparation.forgetTemplateIds()
  })
  const flush = writeFlush(decode)
  const committer = groupCommit({
    limits: {
      queueLimitEvents: options.queueLimitEvents ?? 50_000,
      flushEvents: options.flushEvents ?? 2_000,
    },
    log,
    async flush(requests) {
      const client = await session.client()
      try {
        return await flush(client, requests)
      } catch (error) {
        session.abandon()
        throw error
      }
    },
  })
  const end = new AbortController()
  let closing: Promise<void> | undefined

  return {
    storeId,
    limits,

    append: async (requests) => await committer.append(requests.map(preparation.prepare)),

    readStream: (stream, range = {}) => readStreamOf({ reads, decode }, stream, range),

    async readById(id) {
      if (!uuid.safeParse(id).success) return undefined
      const [event] = await decode(reads.run, await reads.run(statements.byIds, [[id]]))
      return event
    },

    async saltsOf(events) {
      if (events.length === 0) return new Map()
      const rows = await reads.run(statements.salts, [events.map((event) => event.id)])
      return new Map(
        rows.map(([id, salt]) => [id as string, Buffer.from((salt as string).slice(2), 'hex')] as const),
      )
    },

    async *readAll(range = {}) {
      const { filter, signal } = range
      const horizon = await pages.horizon(filter)
      const until =
        range.until !== undefined && range.until < horizon.position ? range.until : horizon.position
      const { withoutReadings } = horizon
      const pageSize = range.pageSize ?? defaultPageSize
      for await (const page of pages.between({
        after: range.after ?? 0n,
        until,
        filter,
        withoutReadings,
        pageSize,
        signal,
      }))
        yield { ...page, caughtUp: page.through >= horizon.position }
    },

    subscribe: (range) =>
      subscribeTo(
        { pages, wakeUp, storeId, log },
        {
          ...range,
          pageSize: range.pageSize ?? defaultPageSize,
          signal: AbortSignal.any([range.signal, end.signal]),
        },
      ),

    async head() {
      const [row] = await reads.run(statements.head)
      return row && { position: BigInt(row[0] as string), recordedAt: instantOf(row[1] as string) }
    },

    async positionAt(at) {
      if (at < beginningOfTime) return { passed: true, position: undefined }
      const [row] = await reads.run(statements.passInstant, [at])
      const [passed, position] = row ?? []
      return { passed: passed === 't', position: position ? BigInt(position) : undefined }
    },

    async recordedAtOf(position) {
      const [row] = await reads.run(statements.recordedAt, [position])
      return row && instantOf(row[0] as string)
    },

    close() {
      closing ??= (async () => {
        await committer.close()
        end.abort()
        await wakeUp.close()
        await session.close()
        await reads.close()
      })()
      return closing
    },
  }
}

export { migrateEventStore } from './migrate-event-store.ts'
