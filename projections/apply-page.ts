/**
 * Applies pages of events to the read models: fold, rows and checkpoint in one transaction, moved on by
 * compare-and-set so that only one projector can be active. An event that cannot be applied stops its own
 * stream: that event and what follows it are parked in order, everything else goes on.
 */
import { assertSameStore } from '../infra/event-store/checkpoint.ts'
import type { EventStore } from '../infra/event-store/event-store.ts'
import { inTransaction, type Pool, type PoolClient } from '../infra/postgres/pool.ts'
import type { RecordedEvent } from '../schemas/event.ts'
import { FoldError, foldStream, type LateWindows } from './fold/fold-stream.ts'
import { newStream, type StreamState, seriesKey } from './fold/stream-state.ts'
import { windowStart } from './fold/window.ts'
import {
  CheckpointMovedError,
  moveCheckpoint,
  type ReadModelCheckpoint,
  readCheckpoint,
} from './tables/checkpoint-row.ts'
import { type LoadedStream, loadStreams, loadWindows } from './tables/load-states.ts'
import { loadParkedStreams, type Parking, writeParked } from './tables/parked.ts'
import { isDataError } from './tables/sql-errors.ts'
import { type Packing, type StreamWrite, type Tail, usualPacking } from './tables/stream-write.ts'
import { writeRows } from './tables/write-rows.ts'

export type PageApplier = {
  readonly checkpoint: () => ReadModelCheckpoint
  /** Events in position order, all after the checkpoint. Gives the streams that stopped in this page. */
  readonly apply: (events: readonly RecordedEvent[]) => Promise<readonly Parking[]>
  readonly parkedStreams: () => ReadonlySet<string>
}

const rememberedStreams = 20_000

/** Reads the checkpoint; throws `StoreReplacedError` when the store is not the one the tables were built from. */
export async function openPageApplier(
  pool: Pool,
  store: EventStore,
  packing: Packing = usualPacking,
): Promise<PageApplier> {
  let at = await readCheckpoint(pool)
  await assertSameStore(store, at.checkpoint)
  let parked = await loadParkedStreams(pool)
  let nextSeriesId = await loadNextSeriesId(pool)
  const remembered = new Map<string, LoadedStream>()

  return {
    checkpoint: () => at,
    parkedStreams: () => parked,
    apply: async (events) => {
      const last = events.at(-1)
      if (!last) return []
      const target = { storeId: store.storeId, position: last.position, eventId: last.id }
      const pages = byStream(events)
      await recall(
        pool,
        remembered,
        [...pages.keys()].filter((stream) => !parked.has(stream)),
      )
      const late = await loadLateWindows(pool, pages, remembered)

      const attempt = async (write: Writer) => {
        const plan = planOf(pages, parked, remembered, late, nextSeriesId, packing)
        const done = await inTransaction(pool, async (client) => {
          await moveCheckpoint(client, at, target, last.recordedAt)
          return await write(client, plan)
        })
        return { ...done, nextSeriesId: plan.nextSeriesId() }
      }
      let done: Awaited<ReturnType<typeof attempt>>
      try {
        done = await attempt(writeWhole)
      } catch (error) {
        if (!isDataError(error)) throw error
        done = await attempt(writeCarefully)
      }
      for (const [stream, entry] of done.streams) remember(remembered, stream, entry)
      nextSeriesId = done.nextSeriesId
      if (done.parkings.length > 0)
        parked = new Set([...parked, ...done.parkings.map((parking) => parking.stream)])
      at = { generation: at.generation, checkpoint: target, recordedAt: last.recordedAt }
      return done.parkings
    },
  }
}

/** True when the failed attempt to move from `from` to the last of `events` was committed all the same. */
export async function wasCommitted(
  pool: Pool,
  from: ReadModelCheckpoint,
  events: readonly RecordedEvent[],
): Promise<boolean> {
  const now = await readCheckpoint(pool)
  if (now.generation !== from.generation) throw new CheckpointMovedError(from)
  if (now.checkpoint?.position === from.checkpoint?.position) return false
  if (now.checkpoint?.eventId === events.at(-1)?.id) return true
  throw new CheckpointMovedError(from)
}

function byStream(events: readonly RecordedEvent[]): Map<string, RecordedEvent[]> {
  const pages = new Map<string, RecordedEvent[]>()
  for (const event of events) {
    const page = pages.get(event.stream)
    if (page) page.push(event)
    else pages.set(event.stream, [event])
  }
  return pages
}

async function recall(
  pool: Pool,
  remembered: Map<string, LoadedStream>,
  streams: readonly string[],
): Promise<void> {
  const unknown = streams.filter((stream) => !remembered.has(stream))
  if (unknown.length === 0) return
  const loaded = await loadStreams(pool, unknown)
  for (const stream of unknown)
    remember(
      remembered,
      stream,
      loaded.get(stream) ?? {
        state: newStream(stream),
        tail: { frames: 0, points: 0 },
        seriesIds: new Map(),
      },
      streams.length,
    )
}

function remember(
  remembered: Map<string, LoadedStream>,
  stream: string,
  entry: LoadedStream,
  needed = 0,
): void {
  remembered.delete(stream)
  remembered.set(stream, entry)
  const limit = Math.max(rememberedStreams, needed)
  for (const oldest of remembered.keys()) {
    if (remembered.size <= limit) break
    remembered.delete(oldest)
  }
}

/** Closed windows that readings of the page fall into, as they stand now. */
async function loadLateWindows(
  pool: Pool,
  pages: ReadonlyMap<string, readonly RecordedEvent[]>,
  remembered: ReadonlyMap<string, LoadedStream>,
): Promise<ReadonlyMap<string, LateWindows>> {
  const wanted = new Map<string, { stream: string; series: string; id: number; start: number }>()
  for (const [stream, events] of pages) {
    const entry = remembered.get(stream)
    if (!entry || entry.state.series.size === 0) continue
    const newest = new Map<string, string>()
    for (const event of events) {
      if (event.type !== 'SensorReadingRecorded') continue
      const series = seriesKey(String(event.data.tag), String(event.data.unit))
      const known = entry.state.series.get(series)
      const id = entry.seriesIds.get(series)
      if (!known || id === undefined) continue
      const newestAt = newest.get(series) ?? new Date(known.newestAt).toISOString()
      if (event.occurredAt >= newestAt) newest.set(series, event.occurredAt)
      else {
        const start = windowStart(Date.parse(event.occurredAt))
        if (start < windowStart(Date.parse(newestAt)))
          wanted.set(`${id} ${start}`, { stream, series, id, start })
      }
    }
  }
  return await loadWindows(pool, [...wanted.values()])
}

type Plan = {
  readonly streams: readonly { readonly stream: string; readonly events: readonly RecordedEvent[] }[]
  readonly parked: ReadonlySet<string>
  /** Folds the events of one stream from its remembered state; throws `FoldError`. */
  readonly fold: (stream: string, events: readonly RecordedEvent[]) => StreamWrite
  readonly nextSeriesId: () => number
  readonly packing: Packing
}

function planOf(
  pages: ReadonlyMap<string, readonly RecordedEvent[]>,
  parked: ReadonlySet<string>,
  remembered: ReadonlyMap<string, LoadedStream>,
  late: ReadonlyMap<string, LateWindows>,
  firstSeriesId: number,
  packing: Packing,
): Plan {
  let nextSeriesId = firstSeriesId
  return {
    streams: [...pages].map(([stream, events]) => ({ stream, events })),
    parked,
    packing,
    nextSeriesId: () => nextSeriesId,
    fold: (stream, events) => {
      const entry = remembered.get(stream)
      if (!entry) throw new Error(`the state of ${stream} was not loaded`)
      const { state, rows } = foldStream(entry.state, events, late.get(stream) ?? new Map())
      const seriesIds = new Map(entry.seriesIds)
      for (const series of rows.newSeries) seriesIds.set(series.key, nextSeriesId++)
      return { stream, rows, state, lastPosition: events.at(-1)?.position ?? 0n, seriesIds, tail: entry.tail }
    },
  }
}

type Written = {
  readonly streams: readonly (readonly [string, LoadedStream])[]
  readonly parkings: readonly Parking[]
}
type Writer = (client: PoolClient, plan: Plan) => Promise<Written>

/** The usual way: one statement a table for the whole page. */
const writeWhole: Writer = async (client, plan) => {
  const writes: StreamWrite[] = []
  const parkings: Parking[] = []
  for (const { stream, events } of plan.streams) {
    if (plan.parked.has(stream)) parkings.push({ stream, events, cause: undefined })
    else foldOrPark(plan, stream, events, writes, parkings)
  }
  const tails = await writeRows(client, writes, plan.packing)
  await writeParked(client, parkings)
  return { streams: entriesOf(writes, tails), parkings: parkings.filter((parking) => parking.cause) }
}

function foldOrPark(
  plan: Plan,
  stream: string,
  events: readonly RecordedEvent[],
  writes: StreamWrite[],
  parkings: Parking[],
): void {
  try {
    writes.push(plan.fold(stream, events))
  } catch (error) {
    if (!(error instanceof FoldError)) throw error
    const before = events.slice(0, error.index)
    if (before.length > 0) writes.push(plan.fold(stream, before))
    parkings.push({ stream, events: events.slice(error.index), cause: error.finding })
  }
}

/** After the database refused the content of the page: stream by stream, to find the event that it refuses. */
const writeCarefully: Writer = async (client, plan) => {
  const streams: (readonly [string, LoadedStream])[] = []
  const parkings: Parking[] = []
  const tryWrite = async (stream: string, events: readonly RecordedEvent[], keep: boolean) => {
    await client.query('SAVEPOINT one_stream')
    try {
      const writes = events.length > 0 ? [plan.fold(stream, events)] : []
      const tails = await writeRows(client, writes, plan.packing)
      if (keep) streams.push(...entriesOf(writes, tails))
      await client.query(keep ? 'RELEASE SAVEPOINT one_stream' : 'ROLLBACK TO SAVEPOINT one_stream')
      return undefined
    } catch (error) {
      if (!isDataError(error) && !(error instanceof FoldError)) throw error
      await client.query('ROLLBACK TO SAVEPOINT one_stream')
      return error instanceof FoldError ? error.finding : (error as Error).message
    }
  }
  for (const { stream, events } of plan.streams) {
    if (plan.parked.has(stream)) {
      parkings.push({ stream, events, cause: undefined })
      continue
    }
    if ((await tryWrite(stream, events, true)) === undefined) continue
    let good = 0
    let bad = events.length
    while (bad - good > 1) {
      const middle = (good + bad) >>> 1
      if ((await tryWrite(stream, events.slice(0, middle), false)) === undefined) good = middle
      else bad = middle
    }
    const cause = await tryWrite(stream, events.slice(0, bad), false)
    await tryWrite(stream, events.slice(0, good), true)
    parkings.push({ stream, events: events.slice(good), cause: cause ?? 'the database refused it' })
  }
  await writeParked(client, parkings)
  return { streams, parkings: parkings.filter((parking) => parking.cause) }
}

const entriesOf = (
  writes: readonly StreamWrite[],
  tails: ReadonlyMap<string, Tail>,
): (readonly [string, LoadedStream])[] =>
  writes.map((write) => [
    write.stream,
    {
      state: write.state satisfies StreamState,
      tail: tails.get(write.stream) ?? write.tail,
      seriesIds: write.seriesIds,
    },
  ])

async function loadNextSeriesId(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ next: number }>(
    'SELECT coalesce(max(series_id), 0) + 1 AS next FROM series',
  )
  return rows[0]?.next ?? 1
}
