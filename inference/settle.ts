/**
 * From steps to durable events: windows are forecast together and appended together, in each batch's own order; a sample is
 * scored once everything before it is durable; the end seals both streams. Steps that a stream holds already cost
 * nothing but the fold.
 */

import { toProcessWindowEvent } from '../domain/process-windows/window-event.ts'
import type { EventStore } from '../infra/event-store/event-store.ts'
import { untilItWorks } from '../infra/until-it-works.ts'
import type { ClientEvent } from '../schemas/event.ts'
import { type AppendDeps, appendOwn, type OwnAppend } from './appending.ts'
import type { BatchRun, BatchStep, EndStep, SampleStep, WindowStep } from './batch-run.ts'
import { decideForecasts, type ForecastDeps } from './decide-forecasts.ts'
import { sealedEvent } from './events.ts'
import type { GovernanceHistory } from './governance/history.ts'
import type { OwnHeads } from './own-streams.ts'
import { scoreSample } from './scoring.ts'

export type OpenBatch = { readonly run: BatchRun; readonly heads: OwnHeads }

export type BatchWork = { readonly batch: OpenBatch; readonly step: BatchStep }

/** A window whose events have just become durable. */
export type SettledWindow = {
  readonly step: WindowStep
  readonly derived: ClientEvent | undefined
  readonly forecast: ClientEvent | undefined
}

export type SettleDeps = Omit<AppendDeps, 'store'> &
  Omit<ForecastDeps, 'governanceBefore'> & {
    readonly store: Pick<EventStore, 'append' | 'limits' | 'readById'>
    readonly history: GovernanceHistory
    readonly onWindows: (settled: readonly SettledWindow[]) => void
    readonly onScored: (events: readonly ClientEvent[]) => void
    readonly onEnded: (batchId: string) => void
  }

/** Windows that become durable in one append at most. */
const windowsAtOnce = 128

type Waiting = { readonly batch: OpenBatch } & (
  | { readonly step: WindowStep }
  | { readonly scores: readonly ClientEvent[] }
)

/** Resolves when everything that follows from the steps is durable. */
export async function settle(deps: SettleDeps, work: readonly BatchWork[]): Promise<void> {
  let waiting: Waiting[] = []
  const flush = async (): Promise<void> => {
    const now = waiting
    waiting = []
    await settleTogether(deps, now)
  }
  for (const { batch, step } of work) {
    if (step.kind === 'window') {
      waiting.push({ batch, step })
      if (waiting.length >= windowsAtOnce) await flush()
    } else if (step.kind === 'sample') {
      await flush()
      const scores = await scored(deps, batch, step)
      if (scores.length > 0) waiting.push({ batch, scores })
    } else {
      await flush()
      await seal(deps, batch, step)
    }
  }
  await flush()
}

async function settleTogether(deps: SettleDeps, waiting: readonly Waiting[]): Promise<void> {
  if (waiting.length === 0) return
  const undone = waiting.flatMap((one) =>
    'step' in one && one.step.window.toMs > one.batch.heads.forecast.throughMs ? [one.step] : [],
  )
  const forecasts = await untilItWorks({ what: 'forecast', log: deps.log, signal: deps.signal }, () =>
    decideForecasts({ ...deps, governanceBefore: deps.history.before }, undone).catch((error: unknown) => {
      deps.onRetry()
      throw error
    }),
  )
  const appends = new Map<OpenBatch, { derived: ClientEvent[]; forecast: ClientEvent[] }>()
  const settled: SettledWindow[] = []
  const scores: ClientEvent[] = []
  for (const one of waiting) {
    const { batch } = one
    const own = appends.get(batch) ?? { derived: [], forecast: [] }
    appends.set(batch, own)
    if (!('step' in one)) {
      own.forecast.push(...one.scores)
      scores.push(...one.scores)
      continue
    }
    const { step } = one
    const derived =
      step.window.toMs > batch.heads.derived.throughMs ? toProcessWindowEvent(step.window) : undefined
    const forecast = forecasts.get(step)
    if (derived) own.derived.push(derived)
    if (forecast) own.forecast.push(forecast)
    if (derived || forecast) settled.push({ step, derived, forecast })
  }
  await appendOwn(
    deps,
    [...appends].flatMap(([{ heads }, { derived, forecast }]): OwnAppend[] => [
      { head: heads.derived, events: derived },
      { head: heads.forecast, events: forecast },
    ]),
  )
  for (const one of waiting)
    if ('step' in one) {
      const { derived, forecast } = one.batch.heads
      derived.throughMs = Math.max(derived.throughMs, one.step.window.toMs)
      forecast.throughMs = Math.max(forecast.throughMs, one.step.window.toMs)
    }
  deps.onWindows(settled)
  if (scores.length > 0) deps.onScored(scores)
}

async function scored(
  deps: SettleDeps,
  { run }: OpenBatch,
  step: SampleStep,
): Promise<readonly ClientEvent[]> {
  return await untilItWorks({ what: 'read forecasts', log: deps.log, signal: deps.signal }, () =>
    scoreSample(run, step, deps.history.modelHashes(), (id) => deps.store.readById(id)),
  )
}

async function seal(deps: SettleDeps, { run, heads }: OpenBatch, { event }: EndStep): Promise<void> {
  await appendOwn(
    deps,
    [heads.derived, heads.forecast]
      .filter(({ isSealed }) => !isSealed)
      .map((head) => ({ head, events: [sealedEvent(run, head.stream, head.revision + 1n, event)] })),
  )
  heads.derived.isSealed = true
  heads.forecast.isSealed = true
  deps.onEnded(run.batchId)
}
