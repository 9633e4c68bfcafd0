/**
 * Configuration control of the models' files: at start and every 24 h the active model's files are compared with what was
 * registered. Where they differ or are missing the model is suspended by an event and an alarm is raised; its
 * forecasts are withheld from then on, until it is approved and activated again.
 */
import { decideOnModel } from '../../domain/models/decide.ts'
import { activeModel, artefactHashRule, type GovernedModel } from '../../domain/models/governance.ts'
import { toInstant } from '../../infra/clock.ts'
import { untilItWorks } from '../../infra/until-it-works.ts'
import { forecastUse } from '../decide-forecasts.ts'
import { inferenceActor } from '../events.ts'
import type { InferenceFigures } from '../metrics.ts'
import type { ModelCatalogue } from '../model-catalogue.ts'
import { appendModelAlarm, appendModelEvent, type GovernanceDeps } from './append-model-event.ts'
import { readGovernance } from './history.ts'

export type WatchFilesDeps = GovernanceDeps & {
  readonly catalogue: ModelCatalogue
  readonly signal: AbortSignal
  readonly figures: Pick<InferenceFigures, 'suspensions' | 'alarms'>
}

export type FileWatch = {
  /** What the last check found about the active model; undefined: its files are the registered ones. */
  mismatch(): string | undefined
  stop(): Promise<void>
}

/** Resolves after the first check. */
export async function watchFiles(deps: WatchFilesDeps, everyMs: number): Promise<FileWatch> {
  let finding: string | undefined
  const compare = async (): Promise<void> => {
    finding = await suspendWhereDifferent(deps)
  }
  await compare()
  let running = Promise.resolve()
  const timer = setInterval(() => {
    running = running
      .then(() =>
        untilItWorks({ what: "check the models' files", log: deps.log, signal: deps.signal }, async () => {
          await deps.catalogue.check()
          await compare()
        }),
      )
      .catch(() => {})
  }, everyMs)
  timer.unref()
  return {
    mismatch: () => finding,
    stop: async () => {
      clearInterval(timer)
      await running
    },
  }
}

async function suspendWhereDifferent(deps: WatchFilesDeps): Promise<string | undefined> {
  const { catalogue } = deps
  const active = activeModel((await readGovernance(deps.store)).now(), forecastUse)
  const [broken] = catalogue.broken()
  if (!active)
    return broken && `no model is in use, and one cannot be used as it lies there: ${broken.finding}`
  if (catalogue.find(active.modelHash)) return undefined
  const finding = findingOn(catalogue, active)
  const wasSuspended = await appendModelEvent(deps, active.modelId, (state) => {
    const model = activeModel(state, forecastUse)
    if (model?.modelHash !== active.modelHash) return undefined
    if (model.suspensions.some(({ rule }) => rule === artefactHashRule)) return undefined
    const decision = decideOnModel(
      state,
      model,
      { kind: 'suspend', request: { rule: artefactHashRule, finding } },
      { actor: inferenceActor, at: toInstant(deps.clock.nowMs()) },
    )
    return decision?.kind === 'accepted' ? decision.fact : undefined
  })
  if (wasSuspended) {
    deps.log.error({ modelId: active.modelId, version: active.version, finding }, 'the model is suspended')
    deps.figures.suspensions++
    await appendModelAlarm(deps, { level: 'critical', name: 'model_files_changed', message: finding })
    deps.figures.alarms++
  }
  return finding
}

function findingOn(catalogue: ModelCatalogue, { modelId, version, modelHash }: GovernedModel): string {
  const what = `the registered files of model ${modelId} ${version} (${modelHash.slice(0, 8)})`
  const broken = catalogue.broken().find(({ folder }) => folder.endsWith(`/${version}`))
  if (broken) return `${what} were changed: ${broken.finding}`
  const other = catalogue.installed().find((one) => one.modelId === modelId && one.version === version)
  return other
    ? `${what} are not here: the files under that version are others (${other.modelHash.slice(0, 8)})`
    : `${what} are not installed here`
}
