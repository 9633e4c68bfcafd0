/**
 * The projector's loop: pages from the store's subscription, applied one after the other with the next page
 * read ahead. Broken connections are retried with back-off; a rebuild that replaced the tables is followed; another
 * active projector ends this one.
 */
import type { EventPage, EventStore } from '../infra/event-store/event-store.ts'
import type { Logger } from '../infra/log.ts'
import type { Pool } from '../infra/postgres/pool.ts'
import type { Tracer } from '../infra/telemetry/tracer.ts'
import type { RecordedEvent } from '../schemas/event.ts'
import { openPageApplier, type PageApplier, wasCommitted } from './apply-page.ts'
import { CheckpointMovedError, readCheckpoint } from './tables/checkpoint-row.ts'
import type { Parking } from './tables/parked.ts'
import { isDataError } from './tables/sql-errors.ts'
import type { Packing } from './tables/stream-write.ts'

export type ProjectorDeps = {
  readonly store: EventStore
  readonly pool: Pool
  readonly log: Logger
  readonly signal: AbortSignal
  readonly pageSize: number
  readonly packing?: Packing | undefined
  readonly tracer: Tracer
  /** After each page is durable. */
  readonly onApplied: (applied: Applied) => void
  readonly onParked: (parkings: readonly Parking[]) => void
  /** Called about once a second while there is nothing new, and after pages. */
  readonly onTurn: (isCaughtUp: boolean) => Promise<void>
  readonly onTrouble: (error: unknown) => void
}

export type Applied = {
  readonly position: bigint
  readonly recordedAt: string
  readonly events: number
  readonly caughtUp: boolean
}

/** Resolves when `signal` aborts; rejects when it must not go on (store replaced, another projector active). */
export async function runProjector(deps: ProjectorDeps): Promise<void> {
  while (!deps.signal.aborted) {
    try {
      const applier = await retrying(deps, () => openPageApplier(deps.pool, deps.store, deps.packing))
      await follow(deps, applier)
    } catch (error) {
      if (deps.signal.aborted) return
      if (error instanceof CommittedAfterAll) continue
      if (!(error instanceof CheckpointMovedError)) throw error
      const now = await retrying(deps, () => readCheckpoint(deps.pool))
      if (now.generation === error.expected.generation) throw error
      deps.log.info('the read models were rebuilt: going on from the new tables')
    }
  }
}

async function follow(deps: ProjectorDeps, applier: PageApplier): Promise<void> {
  const after = applier.checkpoint().checkpoint?.position
  const end = new AbortController()
  const pages = deps.store.subscribe({
    ...(after === undefined ? {} : { after }),
    pageSize: deps.pageSize,
    signal: AbortSignal.any([deps.signal, end.signal]),
  })
  for await (const page of oneAhead(pages, end)) {
    if (deps.signal.aborted) return
    const position = applier.checkpoint().checkpoint?.position
    const first = page.events[0]
    if (first && position !== undefined && first.position <= position)
      throw new Error(`the store sent position ${first.position} again after ${position}`)
    if (page.events.length > 0) await applyPage(deps, applier, page)
    await deps.onTurn(page.caughtUp)
  }
}

async function applyPage(deps: ProjectorDeps, applier: PageApplier, page: EventPage): Promise<void> {
  const from = applier.checkpoint()
  const last = page.events.at(-1) as RecordedEvent
  const span = deps.tracer.startSpan('projection.page', {
    links: traceparentsOf(page.events),
    attributes: { events: page.events.length, position: String(last.position) },
  })
  let failedBefore = false
  const parkings = await retrying(deps, async () => {
    if (failedBefore && (await wasCommitted(deps.pool, from, page.events)))
      throw new CommittedAfterAll(from.generation)
    failedBefore = true
    return await applier.apply(page.events)
  }).catch((error: unknown) => {
    deps.tracer.endSpan(span, { error })
    throw error
  })
  deps.tracer.endSpan(span)
  if (parkings.length > 0) deps.onParked(parkings)
  deps.onApplied({
    position: last.position,
    recordedAt: last.recordedAt,
    events: page.events.length,
    caughtUp: page.caughtUp,
  })
}

/** Asked for only by a tracer that is on. */
function* traceparentsOf(events: readonly RecordedEvent[]): Iterable<string | undefined> {
  for (const event of events) yield event.traceparent
}

/** The answer to a commit was lost: what we remember is older than the tables, so it is read anew. */
class CommittedAfterAll extends Error {
  constructor(readonly generation: string) {
    super('the transaction was committed although its answer was lost')
  }
}

/** Tries again, 0.1 s to 5 s apart, until it works, the signal aborts, or the error is none that passes. */
async function retrying<Result>(deps: ProjectorDeps, work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (!mayPass(error) || deps.signal.aborted) throw error
      deps.onTrouble(error)
      deps.log.warn({ err: error, attempt }, 'the projection cannot go on at present and tries again')
      await pause(Math.min(5_000, 100 * 2 ** attempt), deps.signal)
      deps.signal.throwIfAborted()
    }
  }
}

function mayPass(error: unknown): boolean {
  if (error instanceof CheckpointMovedError || error instanceof CommittedAfterAll) return false
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'store-unavailable') return true
  return typeof code === 'string'
    ? code !== 'store-replaced' && !isDataError(error)
    : error instanceof Error && isConnectionLoss(error)
}

/** node-postgres reports a lost connection without a code. */
const isConnectionLoss = (error: Error): boolean => /connection|timeout|terminat/i.test(error.message)

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((settle) => {
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done, { once: true })
    function done() {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      settle()
    }
  })
}

/** Asks for the next page while the present one is being applied; `end` releases a question still open. */
async function* oneAhead<Item>(source: AsyncIterable<Item>, end: AbortController): AsyncGenerator<Item> {
  const iterator = source[Symbol.asyncIterator]()
  let next = iterator.next()
  // Its failure is seen when it is awaited below.
  next.catch(() => {})
  try {
    while (true) {
      const { done, value } = await next
      if (done) return
      next = iterator.next()
      next.catch(() => {})
      yield value
    }
  } finally {
    end.abort()
    await iterator.return?.()
  }
}
