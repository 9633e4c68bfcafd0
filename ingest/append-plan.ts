/** Brings one plan into the store, whatever it takes: waits for a slow or absent store, settles colliding ids. */
import type { AppendOutcome, EventStore, ExpectedRevision } from '../infra/event-store/event-store.ts'
import type { Logger } from '../infra/log.ts'
import { untilItWorks } from '../infra/until-it-works.ts'
import type { RecordedEvent } from '../schemas/event.ts'
import type { RequestPlan } from './request-plan.ts'

export type AppendDeps = {
  readonly store: EventStore
  readonly log: Logger
  readonly signal: AbortSignal
  readonly onRetry: () => void
}

/** Errors of the input: the same events would be refused for ever. */
const refusals = new Set(['invalid-append', 'invalid-event', 'not-canonical'])

/**
 * Undefined when nothing was left to append; a conflict only where `expectedRevision` is exact. Rejects only when `signal`
 * has aborted, or on a defect of ours.
 */
export async function appendPlan(
  deps: AppendDeps,
  stream: string,
  plan: RequestPlan,
  traceparent: string | undefined,
  expectedRevision: ExpectedRevision = 'any',
): Promise<AppendOutcome | undefined> {
  const { store, log, signal, onRetry } = deps
  let wasRefused = false
  for (;;) {
    const events = plan.events()
    if (events.length === 0) return undefined
    let outcome: AppendOutcome | undefined
    try {
      outcome = await untilItWorks(
        {
          what: `append to ${stream}`,
          log,
          signal,
          onRetry,
          isFinal: (error) => refusals.has(codeOf(error)),
        },
        async () =>
          (
            await store.append([
              {
                stream,
                expectedRevision,
                events,
                ...(traceparent === undefined ? {} : { traceparent }),
              },
            ])
          )[0],
      )
    } catch (error) {
      // Our own statement refused is a defect to be seen, never one to be dropped.
      if (wasRefused || !plan.hasMessages || !refusals.has(codeOf(error))) throw error
      wasRefused = true
      log.error({ stream, error: messageOf(error) }, 'the store refuses readings: they are quarantined')
      plan.quarantineAll(`an event the store takes: ${messageOf(error)}`.slice(0, 300))
      continue
    }
    if (outcome === undefined || (outcome.kind === 'conflict' && expectedRevision === 'any'))
      throw new Error(`the store answered an append of any revision to ${stream} with ${outcome?.kind}`)
    if (outcome.kind !== 'id-collision') return outcome
    const stored = await untilItWorks({ what: `read colliding events of ${stream}`, log, signal }, () =>
      findStored(store, stream, outcome.ids),
    )
    for (const [id, event] of stored) plan.resolveCollision(id, event)
  }
}

const scannedAtMost = 20_000

/** Redelivered messages collide in numbers and stand near the end of the stream: one scan finds most of them. */
async function findStored(
  store: EventStore,
  stream: string,
  ids: readonly string[],
): Promise<Map<string, RecordedEvent>> {
  const missing = new Set(ids)
  const found = new Map<string, RecordedEvent>()
  if (missing.size > 4) {
    const maxCount = Math.min(scannedAtMost, Math.max(2_000, missing.size * 3))
    for await (const event of store.readStream(stream, { direction: 'backwards', maxCount })) {
      if (!missing.delete(event.id)) continue
      found.set(event.id, event)
      if (missing.size === 0) break
    }
  }
  for (const id of missing) {
    const event = await store.readById(id)
    if (!event) throw new Error(`the store says that event ${id} exists, but does not hold it`)
    found.set(id, event)
  }
  return found
}

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
