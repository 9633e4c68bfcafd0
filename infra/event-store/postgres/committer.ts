/**
 * The group committer: callers enqueue requests, one flush at a time takes many of them to the database in one
 * call and one commit. Its queue is hard-bounded. Requests for the same stream, or with a common event id, never
 * share a flush, so that each is judged after the one before it.
 */

import { categoryOf } from '../../../schemas/streams.ts'
import type { Logger } from '../../log.ts'
import type { Pool } from '../../postgres/pool.ts'
import {
  type AppendOutcome,
  type Recorded,
  StoreOverloadedError,
  StoreUnavailableError,
} from '../event-store.ts'
import type { Interning } from './interning.ts'
import type { PreparedRequest } from './prepared-request.ts'
import { instantOf } from './reading-row.ts'

export type Committer = {
  /** Rejects at once with `StoreOverloadedError` when the queue is full; later with `StoreUnavailableError`. */
  append(requests: readonly PreparedRequest[]): Promise<readonly AppendOutcome[]>
  queuedEvents(): number
  /** Waits for what is queued, then takes nothing more. */
  close(): Promise<void>
}

type Waiting = {
  readonly request: PreparedRequest
  readonly settle: (outcome: AppendOutcome) => void
  readonly fail: (error: Error) => void
}

export function createCommitter(deps: {
  pool: Pool
  interning: Interning
  log: Logger | undefined
  queueLimitEvents: number
  flushEvents: number
}): Committer {
  let queue: Waiting[] = []
  let queuedEvents = 0
  let flushing: Promise<void> | undefined
  let isClosed = false

  const run = async (): Promise<void> => {
    while (queue.length > 0) {
      const batch = takeBatch()
      try {
        const outcomes = await flush(batch.map(({ request }) => request))
        batch.forEach(({ settle }, index) => {
          settle(outcomes[index]!)
        })
      } catch (error) {
        deps.log?.warn({ requests: batch.length, error: messageOf(error) }, 'append failed, outcome unknown')
        for (const { fail } of batch)
          fail(
            new StoreUnavailableError(`the append was not answered: ${messageOf(error)}`, { cause: error }),
          )
      } finally {
        for (const { request } of batch) queuedEvents -= request.events.length
      }
    }
  }

  /** As many requests in order as a flush takes; what clashes with one taken waits for the next flush. */
  const takeBatch = (): Waiting[] => {
    const taken: Waiting[] = []
    const left: Waiting[] = []
    const streams = new Set<string>()
    const ids = new Set<string>()
    let events = 0
    for (const waiting of queue) {
      const { request } = waiting
      const clashes =
        events >= deps.flushEvents ||
        streams.has(request.stream) ||
        request.events.some((event) => ids.has(event.id))
      // Whatever waits blocks its stream and ids too: order among equals is kept.
      streams.add(request.stream)
      for (const event of request.events) ids.add(event.id)
      if (clashes) left.push(waiting)
      else {
        taken.push(waiting)
        events += request.events.length
      }
    }
    queue = left
    return taken
  }

  const flush = async (requests: readonly PreparedRequest[]): Promise<AppendOutcome[]> => {
    const events = requests.flatMap((request, index) =>
      request.events.map((event) => ({ event, index, traceparent: request.traceparent })),
    )
    await deps.interning.prepare(
      events.map(({ event }) => event.type),
      events.flatMap(({ event }) => event.reading?.template ?? []),
    )
    const column = <Value>(of: (entry: (typeof events)[number]) => Value): Value[] => events.map(of)
    const { rows } = await deps.pool.query<AnswerRow>({
      name: 'event-store-append',
      text: 'SELECT * FROM event_store.append($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16)',
      values: [
        requests.map(({ stream }) => stream),
        requests.map(({ stream }) => categoryOf(stream)),
        requests.map(({ expectedRevision }) => expectedNumber(expectedRevision)),
        column(({ index }) => index + 1),
        column(({ event }) => event.id),
        column(({ event }) => deps.interning.typeId(event.type)),
        column(({ event }) => event.fingerprint),
        column(({ event }) => (event.reading ? deps.interning.templateId(event.reading.template) : null)),
        column(({ event }) => event.reading?.occurredMs ?? null),
        column(({ event }) => event.reading?.receivedMs ?? null),
        column(({ event }) => event.reading?.seq ?? null),
        column(({ event }) => event.reading?.value ?? null),
        column(({ event }) => event.client ?? null),
        column(({ event }) => event.salt ?? null),
        column(({ traceparent }) => traceparent ?? null),
        column(({ event }) => event.isSeal),
      ],
    })
    return outcomesOf(requests, rows)
  }

  return {
    append: async (requests) => {
      if (isClosed) throw new StoreUnavailableError('the event store is closed')
      const events = requests.reduce((sum, request) => sum + request.events.length, 0)
      if (queuedEvents + events > deps.queueLimitEvents && queuedEvents > 0)
        throw new StoreOverloadedError(queuedEvents, deps.queueLimitEvents)
      queuedEvents += events
      const outcomes = Promise.all(
        requests.map(
          (request) => new Promise<AppendOutcome>((settle, fail) => queue.push({ request, settle, fail })),
        ),
      )
      // On the next turn: what arrives together is committed together.
      flushing ??= new Promise<void>((settle) => setImmediate(settle)).then(run).finally(() => {
        flushing = undefined
      })
      return await outcomes
    },
    queuedEvents: () => queuedEvents,
    close: async () => {
      isClosed = true
      await flushing
    },
  }
}

type AnswerRow = {
  request: number
  event: number | null
  outcome: string
  revision: bigint
  position: bigint
  recorded_ms: bigint
}

function outcomesOf(requests: readonly PreparedRequest[], rows: readonly AnswerRow[]): AppendOutcome[] {
  const firstEvent: number[] = []
  requests.reduce((before, request, index) => {
    firstEvent[index] = before
    return before + request.events.length
  }, 0)
  const known = new Map<number, AnswerRow>()
  for (const row of rows) if (row.event !== null) known.set(row.event - 1, row)
  const judged = rows.filter((row) => row.event === null).sort((a, b) => a.request - b.request)
  return requests.map((request, index): AppendOutcome => {
    const row = judged[index]!
    const start = firstEvent[index]!
    const there = request.events.map((_, at) => known.get(start + at))
    switch (row.outcome) {
      case 'conflict':
        return { kind: 'conflict', actual: row.revision < 0n ? 'noStream' : row.revision }
      case 'sealed':
        return { kind: 'sealed' }
      case 'id-collision':
        return { kind: 'id-collision', ids: collidingIds(request, there) }
      default: {
        let revision = row.revision
        let position = row.position
        const recorded = request.events.map(({ id }, at): Recorded => {
          const before = there[at]
          return before
            ? {
                id,
                revision: before.revision,
                position: before.position,
                recordedAt: instantOf(Number(before.recorded_ms)),
              }
            : {
                id,
                revision: revision++,
                position: position++,
                recordedAt: instantOf(Number(row.recorded_ms)),
              }
        })
        const answered = request.places.map((place) => recorded[place]!)
        if (row.outcome === 'duplicate') return { kind: 'duplicate', recorded: answered }
        return {
          kind: 'appended',
          recorded: answered,
          duplicates: new Set(request.events.filter((_, at) => there[at]).map(({ id }) => id)),
        }
      }
    }
  })
}

/** Ids with other content; where all content is the same, they stand in another stream. */
function collidingIds(request: PreparedRequest, there: readonly (AnswerRow | undefined)[]): string[] {
  const other = request.events.filter((_, at) => there[at]?.outcome === 'other')
  return (other.length > 0 ? other : request.events.filter((_, at) => there[at])).map(({ id }) => id)
}

function expectedNumber(expected: PreparedRequest['expectedRevision']): bigint {
  return expected === 'any'
    ? -1n
    : expected === 'noStream'
      ? -2n
      : expected === 'streamExists'
        ? -3n
        : expected
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
