/**
 * The one writer of the log: follows the event store in its global order, integrates every event, and at a fixed
 * cadence publishes what has become durable. An idle log does not grow: heads are stated only when something other than
 * the ledger's own statements came, or when an extract asks.
 *
 * Order of every step: entries, tiles, size and root become durable together; then size and root are kept outside the
 * database; then they are signed; then the note is published. A kill between any two of them loses nothing and never
 * makes two roots for one size (`publisher.ts` says why).
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { EventStore } from '../../infra/event-store/event-store.ts'
import type { Logger } from '../../infra/log.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import type { RecordedEvent } from '../../schemas/event.ts'
import { findEventType } from '../../schemas/events/registry.ts'
import { stateHeads } from '../heads/state-heads.ts'
import type { KeyVault } from '../keys/key-vault.ts'
import { keyStatements } from '../keys/state-keys.ts'
import { writeBatch } from '../storage/write-batch.ts'
import { integrator, type StreamHead } from './integrate.ts'
import { type Lease, withLease } from './lease.ts'
import { type DurableState, type OpenLog, openLog } from './open-log.ts'
import type { OwnEvents } from './own-event.ts'
import { publish } from './publisher.ts'
import { isRefusal, LedgerRefusedError } from './refusal.ts'
import type { SignedState } from './signed-state.ts'

export type SequencerDeps = {
  readonly store: EventStore
  readonly pool: Pool
  readonly log: Logger
  readonly own: OwnEvents
  readonly signal: AbortSignal
  readonly originPrefix: string
  readonly signedState: SignedState
  /** What stands against signing on; asked before the first signature after each opening. */
  readonly contradictions: (origin: string) => Promise<readonly string[]>
  readonly openVault: (origin: string) => Promise<KeyVault>
  readonly cadenceMs: number
  readonly headsEveryMs: number
  readonly pageSize: number
  readonly on: {
    readonly standby: () => void
    readonly open: (origin: string, durable: DurableState | undefined) => void
    readonly integrated: (events: number, state: DurableState, caughtUp: boolean) => void
    readonly published: (size: bigint) => void
    readonly trouble: (error: unknown) => void
  }
}

const streamsKept = 50_000

/** Resolves when `signal` aborts; rejects when the log must not go on (`isRefusal`). Everything else is tried again. */
export async function runSequencer(deps: SequencerDeps): Promise<void> {
  const { pool, signal } = deps
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      await withLease({ pool, signal, onStandby: deps.on.standby }, async (lease) => {
        const log = await lease.exclusive((client) => openLog(client, deps))
        const contradictions = await deps.contradictions(log.origin)
        if (contradictions.length > 0) throw new LedgerRefusedError(contradictions.join('; '))
        attempt = 0
        await write(deps, lease, log)
      })
    } catch (error) {
      if (signal.aborted) return
      if (isRefusal(error)) throw error
      deps.on.trouble(error)
      deps.log.warn({ err: error, attempt }, 'the ledger cannot go on at present and opens its log anew')
      await delay(Math.min(5_000, 100 * 2 ** attempt), undefined, { signal }).catch(() => {})
    }
  }
}

async function write(deps: SequencerDeps, lease: Lease, log: OpenLog): Promise<void> {
  const vault = await deps.openVault(log.origin)
  const keys = keyStatements({ store: deps.store, vault, own: deps.own })
  deps.on.open(log.origin, log.durable)
  const end = new AbortController()
  const signal = AbortSignal.any([deps.signal, lease.lost, end.signal])
  const state = {
    durable: log.durable,
    publishedSize: log.publishedSize,
    signed: log.signed,
    isBeyondStatement: log.isBeyondStatement,
    statedAt: performance.now(),
    headsAsked: false,
  }

  async function follow(): Promise<void> {
    const heads = new Map<string, StreamHead>()
    const { integrate } = integrator({ ...log, heads })
    const after = log.durable?.position
    let written: Promise<void> = Promise.resolve()
    const pages = deps.store.subscribe({
      ...(after === undefined ? {} : { after }),
      pageSize: deps.pageSize,
      signal,
    })
    for await (const page of pages) {
      if (page.events.length === 0) continue
      await loadHeads(deps.pool, heads, page.events)
      const batch = integrate(page.events, await saltsOf(deps.store, page.events))
      await written
      written = lease.exclusive(async (client) => {
        await writeBatch(client, batch, { fence: log.fence, storeId: deps.store.storeId })
        const { size, root, last } = batch
        state.durable = {
          size,
          root,
          position: last.position,
          eventId: last.id,
          recordedAt: last.recordedAt,
        }
        state.isBeyondStatement ||= batch.isSubstantial
        deps.on.integrated(page.events.length, state.durable, page.caughtUp)
      })
      // Its failure is seen when it is awaited, by the next page or at the end; the turns see that nothing more came.
      written.catch(() => end.abort())
      // At the store's end events are left to gather: a transaction for each append would cost more than the sealing.
      if (page.caughtUp) await delay(deps.cadenceMs / 2, undefined, { signal }).catch(() => {})
      if (heads.size <= streamsKept) continue
      await written
      heads.clear()
    }
    await written
  }

  async function turns(): Promise<void> {
    await keys.state(state.publishedSize)
    while (!signal.aborted) {
      await delay(deps.cadenceMs, undefined, { signal }).catch(() => {})
      if (signal.aborted) return
      const isGrown = state.durable !== undefined && state.durable.size > state.publishedSize
      // Before every signature: a key that was revoked meanwhile must not make another one.
      if (isGrown || (await vault.logKeys()).replaced) await keys.state(state.publishedSize)
      if (state.durable && isGrown) {
        const published = state.durable
        state.signed = await publish({ ...deps, ...log, lease, vault, keys, signal }, published, state.signed)
        state.publishedSize = published.size
        deps.on.published(published.size)
      }
      await stateHeadsIfDue()
    }
  }

  async function stateHeadsIfDue(): Promise<void> {
    const { rowCount } = await deps.pool.query('DELETE FROM ledger.heads_request')
    state.headsAsked ||= (rowCount ?? 0) > 0
    const isDue = state.isBeyondStatement && performance.now() - state.statedAt >= deps.headsEveryMs
    if (!isDue && !(state.headsAsked && (await isBeyondLastStatement(deps.pool)))) {
      state.headsAsked = false
      return
    }
    state.isBeyondStatement = false
    state.statedAt = performance.now()
    await stateHeads({ exclusive: lease.exclusive, siteKey: log.siteKey, own: deps.own })
    state.headsAsked = false
  }

  await bothOrNone([follow(), turns()], end)
  if (lease.lost.aborted && !deps.signal.aborted)
    throw new Error('the connection that holds the right to write the log was lost')
}

/** The first failure ends both; both have ended when this settles. */
async function bothOrNone(works: readonly Promise<void>[], end: AbortController): Promise<void> {
  for (const work of works) work.catch(() => end.abort())
  const outcomes = await Promise.allSettled(works)
  const failed = outcomes.filter((outcome) => outcome.status === 'rejected').map((outcome) => outcome.reason)
  if (failed.length > 0) throw failed.find(isRefusal) ?? failed[0]
}

async function saltsOf(
  store: EventStore,
  events: readonly RecordedEvent[],
): Promise<ReadonlyMap<string, Uint8Array>> {
  const typed = events.filter((event) => findEventType(event.type)?.typedByPeople === true)
  return typed.length === 0 ? new Map() : await store.saltsOf(typed)
}

/** Heads of the events' streams that are not in memory; a stream that the log does not hold stays unknown. */
async function loadHeads(
  pool: Pool,
  heads: Map<string, StreamHead>,
  events: readonly RecordedEvent[],
): Promise<void> {
  const unknown = new Set<string>()
  for (const { stream } of events) if (!heads.has(stream)) unknown.add(stream)
  if (unknown.size === 0) return
  const { rows } = await pool.query<{
    stream_key: number
    name: string
    event_count: bigint
    last_index: bigint
    last_hash: Buffer
  }>('SELECT stream_key, name, event_count, last_index, last_hash FROM ledger.stream WHERE name = ANY ($1)', [
    [...unknown],
  ])
  for (const row of rows)
    heads.set(row.name, {
      streamKey: row.stream_key,
      count: row.event_count,
      lastIndex: row.last_index,
      lastHash: row.last_hash.toString('base64'),
    })
}

/** False while the last entry states the heads of all entries before it: another statement would say nothing new. */
async function isBeyondLastStatement(pool: Pool): Promise<boolean> {
  const { rows } = await pool.query<{ beyond: boolean }>(
    `SELECT log.size > 1 + coalesce(
      (SELECT max(size) FROM ledger.heads_statement WHERE event_index IS NOT NULL), -1) AS beyond FROM ledger.log`,
  )
  return rows[0]?.beyond ?? false
}
