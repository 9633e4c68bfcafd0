/**
 * Recomputes what inference wrote about a batch from the batch's own events and compares it with what is recorded, byte by
 * byte: the canonical client part of every derived window, forecast, score and seal, in the order of their streams.
 * The models are those in force where each window closed, so a forecast of last year is recomputed by last year's
 * model.
 */
import { toProcessWindowEvent } from '../domain/process-windows/window-event.ts'
import type { EventStore } from '../infra/event-store/event-store.ts'
import type { ClientEvent } from '../schemas/event.ts'
import { type BatchRun, type BatchStep, batchRun, type WindowStep } from './batch-run.ts'
import { type Comparison, comparing, type Findings } from './compare-recorded.ts'
import { decideForecasts } from './decide-forecasts.ts'
import { forecastEvent, ownStreams, sealedEvent } from './events.ts'
import type { ModelsAtHand } from './forecast-model.ts'
import { type GovernanceHistory, readGovernance } from './governance/history.ts'
import { readBatchEvents } from './read-batch.ts'
import { recordedCursor } from './recorded-cursor.ts'
import { type FindForecast, scoreSample } from './scoring.ts'

export type ReplayReport = Findings & {
  readonly batchId: string
  readonly vessel: string
}

const stepsAtOnce = 256

/** Undefined: there is no such batch. */
export async function replayForecasts(deps: {
  readonly store: EventStore
  readonly batchId: string
  readonly models: ModelsAtHand
  readonly onProgress?: (events: number) => void
}): Promise<ReplayReport | undefined> {
  const { store, batchId, models } = deps
  // A batch that is running grows meanwhile: what is compared ends here on both sides.
  const head = await store.head()
  if (!head) return undefined
  const until = head.position
  const history = await readGovernance(store, until)
  const names = ownStreams(batchId)
  const comparison = comparing(
    {
      derived: recordedCursor(store, names.derived, until),
      forecast: recordedCursor(store, names.forecast, until),
    },
    models,
  )
  const find: FindForecast = (id) => store.readById(id)
  let run: BatchRun | undefined
  let steps: BatchStep[] = []
  let folded = 0
  const settle = async (): Promise<void> => {
    if (run) await recompute({ run, history, models, comparison, find }, steps)
    steps = []
  }
  for await (const event of readBatchEvents(store, batchId, until)) {
    folded++
    if (folded % 10_000 === 0) deps.onProgress?.(folded)
    if (!run) {
      run = batchRun(event)
      if (!run) return undefined
      continue
    }
    for (const step of run.apply(event)) {
      if (step.kind === 'sample') await settle()
      steps.push(step)
      if (step.kind === 'sample' || steps.length >= stepsAtOnce) await settle()
    }
  }
  if (!run) return undefined
  await settle()
  await comparison.finish()
  return { batchId, vessel: run.vessel, ...comparison.report() }
}

type Recomputation = {
  readonly run: BatchRun
  readonly history: GovernanceHistory
  readonly models: ModelsAtHand
  readonly comparison: Comparison
  /** Scores are made of the forecasts as they are recorded; those are compared themselves. */
  readonly find: FindForecast
}

async function recompute(
  { run, history, models, comparison, find }: Recomputation,
  steps: readonly BatchStep[],
): Promise<void> {
  const windows = steps.filter((step) => step.kind === 'window')
  const forecasts = await decideForecasts({ models, governanceBefore: history.before }, windows)
  const names = ownStreams(run.batchId)
  for (const step of steps) {
    if (step.kind === 'window') {
      await comparison.compare('derived', toProcessWindowEvent(step.window))
      const forecast = forecasts.get(step)
      if (forecast)
        await comparison.compare('forecast', forecast, (recorded) => asSaid(step, forecast, recorded))
    } else if (step.kind === 'sample')
      for (const score of await scoreSample(run, step, history.modelHashes(), find))
        await comparison.compare('forecast', score)
    else
      for (const key of ['derived', 'forecast'] as const)
        await comparison.compare(
          key,
          sealedEvent(run, names[key], BigInt(comparison.expected(key)), step.event),
        )
  }
}

/**
 * That a machine's files were not the registered ones cannot be recomputed from events: where that is on record as the reason,
 * it is taken as said, and everything else of the event is compared.
 */
function asSaid(step: WindowStep, expected: ClientEvent, recorded: ClientEvent): ClientEvent {
  const { reason, detail } = recorded.data
  if (recorded.type !== 'ForecastWithheld' || reason !== 'hash-mismatch' || !step.input) return expected
  const { modelId, modelVersion, modelHash, featureSchemaHash } = expected.data
  return forecastEvent(
    step,
    step.input,
    {
      modelId: String(modelId),
      version: String(modelVersion),
      modelHash: String(modelHash),
      featureSchemaHash: String(featureSchemaHash),
      runtime: String(recorded.data.runtime),
    },
    { kind: 'withheld', reason, detail: String(detail), inDomainScore: null },
  )
}
