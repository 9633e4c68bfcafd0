/**
 * The vessel feed as the store's own subscription: one lane with every vessel, one worker at a time (an advisory lock of
 * the group's name), its checkpoint in Postgres.
 */
import type { RecordedEvent } from '../../schemas/event.ts'
import { assertSameStore, type Checkpoint, StoreReplacedError } from '../event-store/checkpoint.ts'
import type { EventStore } from '../event-store/event-store.ts'
import type { Logger } from '../log.ts'
import { createPool } from '../postgres/pool.ts'
import { whileHolding } from '../postgres/while-holding.ts'
import { untilItWorks } from '../until-it-works.ts'
import { readFeedCheckpoint, writeFeedCheckpoint } from './checkpoints.ts'
import type { FeedConsumer, FeedEvent, VesselFeed } from './feed.ts'
import { readVesselFromStore } from './read-vessel.ts'
import { routedCategories, vesselRouting } from './vessel-routing.ts'

const storeLane = 'store'
const checkpointEveryMs = 1_000

export type StoreFeedDeps = {
  readonly store: EventStore
  /** Database with the schema of `migrateFeed`; `bioledger_app` suffices. */
  readonly postgresUrl: string
  readonly log: Logger
  /** Events a delivery at most; default 2,000. */
  readonly pageSize?: number
}

export function storeVesselFeed(deps: StoreFeedDeps): VesselFeed {
  const { store, log } = deps
  const pool = createPool(deps.postgresUrl, { name: 'feed', max: 2 })
  let position: bigint | undefined
  let isOwner = false

  async function lead(consumer: FeedConsumer, signal: AbortSignal): Promise<void> {
    const patience = { log, signal, isFinal: (error: unknown) => error instanceof StoreReplacedError }
    const from = await untilItWorks({ ...patience, what: 'read the checkpoint of the feed' }, async () => {
      const checkpoint = await readFeedCheckpoint(pool, consumer.group)
      await assertSameStore(store, checkpoint)
      return checkpoint
    })
    position = from?.position
    const checkpoint = latestCheckpoint(consumer.group, from)
    const routing = vesselRouting(store)
    isOwner = true
    await consumer.onAssigned([storeLane])
    try {
      for await (const page of store.subscribe({
        ...(from === undefined ? {} : { after: from.position }),
        filter: { categories: routedCategories },
        ...(deps.pageSize === undefined ? {} : { pageSize: deps.pageSize }),
        signal,
      })) {
        if (signal.aborted) break
        const last = page.events.at(-1)
        if (last) {
          const events = await untilItWorks({ ...patience, what: 'read the batches of the feed' }, () =>
            routed(routing, page.events),
          )
          if (events.length > 0)
            await consumer.onEvents({ lane: storeLane, events, caughtUp: page.caughtUp, signal })
          checkpoint.reached(last)
          position = last.position
        }
        await checkpoint.write('when due')
      }
    } finally {
      isOwner = false
      try {
        await checkpoint.write('now')
      } finally {
        await consumer.onRevoked([storeLane])
      }
    }
  }

  function latestCheckpoint(group: string, from: Checkpoint | undefined) {
    let reached = from
    let written = from
    let dueAt = 0
    return {
      reached(event: RecordedEvent): void {
        reached = { storeId: store.storeId, position: event.position, eventId: event.id }
      },
      /** One that cannot be written costs repetition after a restart, nothing else. */
      async write(when: 'now' | 'when due'): Promise<void> {
        if (!reached || reached === written) return
        if (when !== 'now' && performance.now() < dueAt) return
        try {
          await writeFeedCheckpoint(pool, group, reached)
          written = reached
        } catch (error) {
          log.warn({ err: error, group }, 'the checkpoint of the feed could not be written')
        }
        dueAt = performance.now() + checkpointEveryMs
      },
    }
  }

  return {
    async run(consumer) {
      await whileHolding(
        { pool, log, signal: consumer.signal },
        `bioledger-feed-${consumer.group}`,
        ({ signal }) => lead(consumer, signal),
      )
    },
    readVessel: (vessel, range) => readVesselFromStore(store, vessel, range),
    progress: () => (isOwner ? [{ lane: storeLane, position, waiting: undefined }] : []),
    close: () => pool.end(),
  }
}

async function routed(
  routing: ReturnType<typeof vesselRouting>,
  events: readonly RecordedEvent[],
): Promise<readonly FeedEvent[]> {
  const feed: FeedEvent[] = []
  for (const event of events) {
    const found = routing.routeOf(event)
    const route = found instanceof Promise ? await found : found
    if (route.kind === 'vessel') feed.push({ vessel: route.vessel, event })
    else if (route.kind === 'every-vessel') feed.push({ vessel: undefined, event })
  }
  return feed
}
