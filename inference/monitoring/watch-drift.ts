/**
 * Watches the inputs of a model against its training data, phase by phase, over the batches that this worker forecasts. What has
 * drifted raises an alarm, once until it has been green again, and stands in the metrics; people decide what follows.
 * The pool lives as long as the process: after a restart twenty complete phases are needed again.
 */
import { featureNames } from '../../domain/forecast/feature-schema.ts'
import {
  type DriftJudgement,
  type DriftPool,
  driftPool,
  driftRules,
} from '../../domain/models/input-drift.ts'
import { type PhaseHistograms, phaseHistograms } from '../../domain/models/phase-histograms.ts'
import { untilItWorks } from '../../infra/until-it-works.ts'
import { appendModelAlarm, type GovernanceDeps } from '../governance/append-model-event.ts'
import type { InstalledModel } from '../installed-model.ts'
import type { InferenceFigures } from '../metrics.ts'
import type { SettledWindow } from '../settle.ts'

export type DriftDeps = GovernanceDeps & {
  readonly signal: AbortSignal
  readonly figures: Pick<InferenceFigures, 'alarms' | 'drift'>
  readonly installed: () => readonly InstalledModel[]
}

export type DriftWatch = {
  /** Windows that a model was asked about, in each batch's order. */
  saw(settled: readonly SettledWindow[]): void
  /** The batch has ended. */
  ended(batchId: string): void
  stop(): Promise<void>
}

/** A batch whose first forecast comes later than this was not seen from its beginning. */
const firstHours = 0.25

type Watched = {
  readonly model: InstalledModel
  readonly pool: DriftPool
  readonly alarmed: Map<string, string>
}

export function watchDrift(deps: DriftDeps): DriftWatch {
  const watched = new Map<string, Watched>()
  const batches = new Map<string, { readonly modelHash: string; readonly histograms: PhaseHistograms }>()
  let alarming = Promise.resolve()

  function watchedOf(modelHash: string): Watched | undefined {
    const known = watched.get(modelHash)
    if (known) return known
    const model = deps.installed().find((one) => one.modelHash === modelHash)
    if (!model?.trainingReference) return undefined
    const made: Watched = { model, pool: driftPool(model.trainingReference), alarmed: new Map() }
    watched.set(modelHash, made)
    return made
  }

  function sawOne({ step, forecast }: SettledWindow): void {
    const { window, input } = step
    if (!forecast || !input) return
    const modelHash = String(forecast.data.modelHash)
    const own = watchedOf(modelHash)
    if (!own?.model.trainingReference) return
    let batch = batches.get(window.batchId)
    if (batch?.modelHash !== modelHash) {
      const features = own.model.watchedFeatures ?? []
      batch = { modelHash, histograms: phaseHistograms(own.model.trainingReference, features) }
      batches.set(window.batchId, batch)
    }
    const completed = batch.histograms.add(
      { phase: window.phase, isFirst: (window.hours ?? Number.POSITIVE_INFINITY) <= firstHours },
      (feature) => input.features[indexOf.get(feature) ?? -1] ?? Number.NaN,
    )
    if (!completed) return
    own.pool.add(completed)
    judge(own)
  }

  function judge(own: Watched): void {
    const judgements = own.pool.judge()
    deps.figures.drift = judgements
    for (const judgement of judgements) {
      const key = `${judgement.phase} ${judgement.feature}`
      if (judgement.colour === 'green') own.alarmed.delete(key)
      else if (own.alarmed.get(key) !== judgement.colour) {
        own.alarmed.set(key, judgement.colour)
        alarm(own.model, judgement)
      }
    }
  }

  function alarm(model: InstalledModel, { colour, ...found }: DriftJudgement): void {
    const message = `inputs of model ${model.modelId} ${model.version} have drifted: ${found.feature} in phase ${found.phase}, PSI ${found.psi.toFixed(2)} (limits ${driftRules.amberPsi} and ${driftRules.redPsi}), KL ${found.divergence.toFixed(2)}, over ${found.phases} batches`
    deps.log.warn({ modelId: model.modelId, ...found }, 'inputs of the model have drifted')
    alarming = alarming
      .then(() =>
        untilItWorks({ what: 'raise an alarm', log: deps.log, signal: deps.signal }, () =>
          appendModelAlarm(deps, {
            level: colour === 'red' ? 'error' : 'warning',
            name: 'model_input_drift',
            message,
          }),
        ),
      )
      .then(() => {
        deps.figures.alarms++
      })
      .catch(() => {})
  }

  return {
    saw: (settled) => settled.forEach(sawOne),
    ended(batchId) {
      const batch = batches.get(batchId)
      if (!batch) return
      batches.delete(batchId)
      const own = watched.get(batch.modelHash)
      const completed = batch.histograms.end()
      if (!own || !completed) return
      own.pool.add(completed)
      judge(own)
    },
    stop: () => alarming,
  }
}

const indexOf: ReadonlyMap<string, number> = new Map(featureNames.map((name, index) => [name, index]))
