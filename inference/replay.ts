/**
 * Recomputes what inference wrote about a batch from the batch's own events and compares it with what is recorded, byte by
 * byte: the canonical client part of every derived window, forecast, score and seal, in the order of their streams.
 * The models are those in force where each window closed, so a forecast of last year is recomputed by last year's
 * model.
 */
import { toProcessWindowEvent } from '../domain/process-windows/window-event.ts'
import type { EventStore } from '../infra/event-store/event-store.ts'
import { canonicalJson } from '../schemas/canonical-json.ts'
import { type ClientEvent, clientPart, type RecordedEvent } from '../schemas/event.ts'
import { type BatchRun, type BatchStep, batchRun, type WindowStep } from './batch-run.ts'
import { decideForecasts } from './decide-forecasts.ts'
import { forecastEvent, ownStreams, sealedEvent } from './events.ts'
import type { ModelsAtHand } from './forecast-model.ts'
import { type GovernanceHistory, readGovernance } from './governance/history.ts'
import { readBatchEvents } from './read-batch.ts'
import { type RecordedCursor, recordedCursor } from './recorded-cursor.ts'
import { type FindForecast, scoreSample } from './scoring.ts'

export type Difference = {
  readonly stream: string
  /** Of the recorded event; null where there is none. */
  readonly revision: string | null
  /** End of the window, or time of the sample. */
  readonly window: string
  readonly kind: 'different' | 'missing' | 'unexpected'
  readonly detail: string
}

export type ReplayReport = {
  readonly batchId: string
  readonly vessel: string
  /** The batch was closed or aborted. */
  readonly ended: boolean
  readonly windows: number
  readonly forecasts: number
  readonly scores: number
  readonly compared: number
  readonly equal: number
  /** Recomputed, but not written yet: the batch is running, or its service is catching up. */
  readonly pending: number
  /** The first 100. */
  readonly differences: readonly Difference[]
  readonly differenceCount: number
}

const differencesTold = 100
const stepsAtOnce = 256

/** Undefined: there is no such batch. */
export async function replayForecasts(deps: {
  readonly store: EventStore
  readonly batchId: string
  readonly models: ModelsAtHand
  readonly onProgress?: (events: number) => void
}): Promise<ReplayReport | undefined> {
  const { store, batchId, models } = deps
  const history = await readGovernance(store)
  const names = ownStreams(batchId)
  const comparison = comparing({
    derived: recordedCursor(store, names.derived),
    forecast: recordedCursor(store, names.forecast),
  })
  const find: FindForecast = (id) => store.readById(id)
  let run: BatchRun | undefined
  let steps: BatchStep[] = []
  let folded = 0
  const settle = async (): Promise<void> => {
    if (run) await recompute({ run, history, models, comparison, find }, steps)
    steps = []
  }
  for await (const event of readBatchEvents(store, batchId)) {
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

type Key = 'derived' | 'forecast'

type Comparison = {
  compare(key: Key, expected: ClientEvent, adapted?: (recorded: ClientEvent) => ClientEvent): Promise<void>
  /** Events expected in that stream so far. */
  expected(key: Key): number
  finish(): Promise<void>
  report(): Omit<ReplayReport, 'batchId' | 'vessel'>
}

function comparing(cursors: Readonly<Record<Key, RecordedCursor>>): Comparison {
  const counts = { windows: 0, forecasts: 0, scores: 0, compared: 0, equal: 0, pending: 0 }
  const expectedCount = { derived: 0, forecast: 0 }
  const differences: Difference[] = []
  let differenceCount = 0
  let hasSeal = false
  const differ = (difference: Difference): void => {
    differenceCount++
    if (differences.length < differencesTold) differences.push(difference)
  }
  const unwritten: { readonly key: Key; readonly event: ClientEvent }[] = []
  const unexpected = (extra: RecordedEvent): void =>
    differ({
      stream: extra.stream,
      revision: String(extra.revision),
      window: extra.occurredAt,
      kind: 'unexpected',
      detail: `${extra.type} does not follow from the batch's events`,
    })
  const lacking = (key: Key, event: ClientEvent): void =>
    differ({
      stream: cursors[key].stream,
      revision: null,
      window: event.occurredAt,
      kind: 'missing',
      detail: `${event.type} was not recorded`,
    })

  const count = ({ type }: ClientEvent): void => {
    if (type === 'ProcessWindowDerived') counts.windows++
    else if (type === 'ForecastScored') counts.scores++
    else if (type === 'StreamSealed') hasSeal = true
    else counts.forecasts++
  }

  return {
    expected: (key) => expectedCount[key],
    async compare(key, expected, adapted) {
      count(expected)
      expectedCount[key]++
      const sought = await cursors[key].seek(expected.id)
      if (sought === 'at-end') {
        counts.pending++
        unwritten.push({ key, event: expected })
        if (unwritten.length > differencesTold) unwritten.shift()
        return
      }
      if (sought === 'not-found') {
        lacking(key, expected)
        return
      }
      sought.skipped.forEach(unexpected)
      const recorded = sought.found
      counts.compared++
      const said = clientPart(recorded)
      const wanted = canonicalJson(clientPart(adapted ? adapted(said) : expected))
      if (canonicalJson(said) === wanted) {
        counts.equal++
        return
      }
      differ({
        stream: recorded.stream,
        revision: String(recorded.revision),
        window: recorded.occurredAt,
        kind: 'different',
        detail: firstDifference(JSON.parse(wanted), said),
      })
    },
    async finish() {
      for (const key of ['derived', 'forecast'] as const)
        for await (const extra of cursors[key].rest()) unexpected(extra)
      // A sealed stream takes no more: what it lacks is lost.
      for (const { key, event } of unwritten) if (cursors[key].isSealed()) lacking(key, event)
    },
    report: () => ({
      ended: hasSeal,
      ...counts,
      differences,
      differenceCount,
    }),
  }
}

/** The first field, in the order of its path, that is not the same. */
function firstDifference(expected: unknown, recorded: unknown, path = ''): string {
  if (isObject(expected) && isObject(recorded)) {
    for (const key of [...new Set([...Object.keys(expected), ...Object.keys(recorded)])].toSorted()) {
      const [left, right] = [expected[key], recorded[key]]
      if (JSON.stringify(left) !== JSON.stringify(right))
        return firstDifference(left, right, `${path}/${key}`)
    }
    return `${path}: the order of its fields`
  }
  return `${path}: recorded ${JSON.stringify(recorded) ?? 'nothing'}, recomputed ${JSON.stringify(expected) ?? 'nothing'}`
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null
