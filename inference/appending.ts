/**
 * Brings events into a batch's own streams: in order, whatever it takes. What is there already (written before a restart, or
 * by another worker that held the vessel) is the same event and stays as it is.
 */
import type { AppendOutcome, AppendRequest, EventStore } from '../infra/event-store/event-store.ts'
import type { Logger } from '../infra/log.ts'
import { untilItWorks } from '../infra/until-it-works.ts'
import type { ClientEvent } from '../schemas/event.ts'
import type { StreamHead } from './own-streams.ts'

export type OwnAppend = { readonly head: StreamHead; readonly events: readonly ClientEvent[] }

export type AppendDeps = {
  readonly store: Pick<EventStore, 'append' | 'limits'>
  readonly log: Logger
  readonly signal: AbortSignal
  readonly onRetry: () => void
  readonly onAppended: () => void
  /** The same id with other content is in the store: what stands there stays. */
  readonly onCollision: (stream: string, ids: readonly string[]) => void
}

/** Errors of the events themselves: no store would ever take them. */
const refusals = new Set(['invalid-append', 'invalid-event', 'not-canonical'])
export const isRefusal = (error: unknown): boolean => refusals.has(codeOf(error))

/** Resolves when everything is durable; rejects when `signal` aborts, or with a refusal, which is a defect. */
export async function appendOwn(deps: AppendDeps, wanted: readonly OwnAppend[]): Promise<void> {
  let left = wanted.filter(({ events }) => events.length > 0)
  while (left.length > 0) {
    const { now, later } = cut(left, deps.store.limits.eventsPerAppend)
    const outcomes = await appended(deps, now)
    const again: OwnAppend[] = []
    for (const [index, { head, events }] of now.entries()) {
      const outcome = outcomes[index]
      if (outcome?.kind === 'appended' || outcome?.kind === 'duplicate') {
        for (const { revision } of outcome.recorded) if (revision > head.revision) head.revision = revision
      } else if (outcome?.kind === 'sealed') head.isSealed = true
      else if (outcome?.kind === 'id-collision') {
        deps.onCollision(head.stream, outcome.ids)
        const others = events.filter(({ id }) => !outcome.ids.includes(id))
        if (others.length > 0) again.push({ head, events: others })
      } else
        throw new Error(
          `the store answered an append of any revision to ${head.stream} with ${outcome?.kind}`,
        )
    }
    left = [...again, ...later]
  }
}

/** Requests of a size that any store takes; a stream's later events wait for its earlier ones. */
function cut(
  wanted: readonly OwnAppend[],
  most: number,
): { readonly now: readonly OwnAppend[]; readonly later: readonly OwnAppend[] } {
  const now: OwnAppend[] = []
  const later: OwnAppend[] = []
  const limit = Math.max(1, Math.min(200, most))
  for (const { head, events } of wanted) {
    now.push({ head, events: events.slice(0, limit) })
    if (events.length > limit) later.push({ head, events: events.slice(limit) })
  }
  return { now, later }
}

async function appended(deps: AppendDeps, wanted: readonly OwnAppend[]): Promise<readonly AppendOutcome[]> {
  const requests: AppendRequest[] = wanted.map(({ head, events }) => ({
    stream: head.stream,
    expectedRevision: 'any',
    events,
  }))
  let attempts = 0
  return await untilItWorks(
    {
      what: 'append forecasts',
      log: deps.log,
      signal: deps.signal,
      isFinal: isRefusal,
    },
    async () => {
      if (attempts++ > 0) deps.onRetry()
      const outcomes = await deps.store.append(requests)
      deps.onAppended()
      return outcomes
    },
  )
}

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
