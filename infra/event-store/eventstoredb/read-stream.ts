/**
 * Reads one stream in chunks, each a call of its own that ends by itself, so that leaving the loop leaves nothing
 * open at the server. An event is given out only when the index has passed it: its record time is known then.
 *
 * Retention metadata and soft deletes hide events from stream reads; the index knows that they were there, and
 * while no scavenge has run they are still read from `$all`: history never ends silently earlier than it did.
 */
import type { RecordedEvent } from '../../../schemas/event.ts'
import type { ReadStreamOptions } from '../event-store.ts'
import type { Connection, Placed } from './connection.ts'
import { EventMissingError, failureOf, unavailable } from './errors.ts'
import type { Follower } from './follower.ts'
import type { EventIndex } from './index/event-index.ts'
import { isOwnStream, isSystemStream } from './own-streams.ts'
import type { RecordClock } from './record-clock.ts'
import { fromWire, recordedEvent } from './wire-format.ts'

export type ReaderDeps = {
  readonly connection: Connection
  readonly follower: Follower
  readonly index: EventIndex
  readonly clock: RecordClock
  readonly indexTimeoutMs: number
  readonly readAttempts: number
}

const chunkEvents = 1_000

export async function* readStreamOf(
  deps: ReaderDeps,
  stream: string,
  options: ReadStreamOptions,
): AsyncGenerator<RecordedEvent> {
  const backwards = options.direction === 'backwards'
  let left = options.maxCount ?? Number.POSITIVE_INFINITY
  if (isOwnStream(stream) || isSystemStream(stream)) return
  let next: bigint | undefined = options.from ?? (backwards ? undefined : 0n)
  while (left > 0) {
    const asked = Math.min(chunkEvents, left)
    const chunk = await chunkOf(deps, stream, next ?? 'end', backwards, asked)
    const ends = chunk.length < asked
    const revisions = spanOf(next, chunk, ends, (await deps.index.stream(stream))?.head, backwards)
    const shown = new Map(chunk.map((placed) => [placed.event.revision, placed]))
    for (const revision of revisions) {
      const placed = shown.get(revision) ?? (await hidden(deps, stream, revision))
      next = backwards ? revision - 1n : revision + 1n
      const event = placed && toRecorded(deps.clock, placed)
      if (!event) continue
      yield event
      if (--left <= 0) return
    }
    if (ends || (next !== undefined && next < 0n)) return
  }
}

/**
 * The revisions that a chunk stands for: all up to its last one, hidden ones included; when the server has no
 * more of them, all that the index knows.
 */
function* spanOf(
  next: bigint | undefined,
  chunk: readonly Placed[],
  ends: boolean,
  head: bigint | undefined,
  backwards: boolean,
): Generator<bigint> {
  let top = head ?? -1n
  for (const placed of chunk) if (placed.event.revision > top) top = placed.event.revision
  if (backwards) {
    const last = ends ? 0n : chunk.at(-1)!.event.revision
    for (let at = next !== undefined && next < top ? next : top; at >= last; at--) yield at
  } else {
    const last = ends ? top : chunk.at(-1)!.event.revision
    for (let at = next ?? 0n; at <= last; at++) yield at
  }
}

async function chunkOf(
  deps: ReaderDeps,
  stream: string,
  from: bigint | 'start' | 'end',
  backwards: boolean,
  maxCount: number,
): Promise<readonly Placed[]> {
  const direction = backwards ? 'backwards' : 'forwards'
  const chunk = await withReadAttempts(deps, `read of ${stream}`, async () => {
    try {
      return await deps.connection.readStream(stream, { from, direction, maxCount })
    } catch (error) {
      const kind = failureOf(error)
      if (kind === 'missing' || kind === 'deleted') return []
      throw error
    }
  })
  // In either direction the furthest position is the first's or the last's.
  for (const placed of [chunk[0], chunk.at(-1)])
    if (placed) await deps.follower.reach(placed.position, deps.indexTimeoutMs)
  return chunk
}

/** An event that the stream no longer shows, read where the index says that it stands in `$all`. */
async function hidden(deps: ReaderDeps, stream: string, revision: bigint): Promise<Placed | undefined> {
  const entry = await deps.index.atRevision(stream, revision)
  if (!entry) return undefined
  const placed = await eventAt(deps, entry.position)
  if (placed?.event.id !== entry.id) throw new EventMissingError(stream, revision, entry.position)
  return placed
}

/** The event that stands exactly at this position. */
export async function eventAt(deps: ReaderDeps, position: bigint): Promise<Placed | undefined> {
  return await withReadAttempts(deps, `read at position ${position}`, async () => {
    try {
      const [placed] = await deps.connection.readAll({ from: position, direction: 'forwards', maxCount: 1 })
      return placed?.position === position ? placed : undefined
    } catch (error) {
      if (failureOf(error) === 'bad-position') return undefined
      throw error
    }
  })
}

/** Reads change nothing, so an unknown failure is simply tried again, a bounded number of times. */
export async function withReadAttempts<Result>(
  deps: { readonly readAttempts: number; readonly follower: Follower },
  what: string,
  read: () => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    deps.follower.assertUsable()
    try {
      return await read()
    } catch (error) {
      if (failureOf(error) === 'refused' || attempt >= deps.readAttempts) throw unavailable(what, error)
      await new Promise((settle) => setTimeout(settle, 25 * 2 ** attempt))
    }
  }
}

/** Undefined for an event that is none of ours. The index must have passed it. */
export function toRecorded(clock: RecordClock, { event, position }: Placed): RecordedEvent | undefined {
  if (isSystemStream(event.streamId) || isOwnStream(event.streamId)) return undefined
  const client = fromWire(event)
  if (!client) return undefined
  const recordedAt = new Date(clock.of(position, event.created.getTime())).toISOString()
  const place = { stream: event.streamId, revision: event.revision, position, recordedAt }
  return recordedEvent(client, place, event.metadata)
}
