/**
 * What the installation itself does with its models at start: registers each one, and approves and activates the newest for
 * simulated and replayed data as long as no person has taken a decision about the model in use. Live data need a
 * person's approval.
 */
import { decideOnModel, type ModelCommand } from '../../domain/models/decide.ts'
import { activeModel, type Governance, type GovernedModel, modelKey } from '../../domain/models/governance.ts'
import { toInstant } from '../../infra/clock.ts'
import { forecastUse } from '../decide-forecasts.ts'
import { inferenceActor } from '../events.ts'
import type { InstalledModel } from '../installed-model.ts'
import { appendModelEvent, type GovernanceDeps } from './append-model-event.ts'

const justification =
  'Installed with the product and validated on simulated data: approved for simulated and replayed data only; live data need the approval of a person.'

/** Idempotent; several workers may do it at once. */
export async function installModels(deps: GovernanceDeps, models: readonly InstalledModel[]): Promise<void> {
  for (const model of models.toSorted(byVersion)) {
    await register(deps, model)
    await takeIntoUse(deps, model)
  }
}

async function register(deps: GovernanceDeps, model: InstalledModel): Promise<void> {
  await appendModelEvent(deps, model.modelId, (state) => {
    if (state.models.has(modelKey(model.modelId, model.version))) return undefined
    const { modelId, version, modelHash, use, featureSchemaHash } = model
    return {
      type: 'ModelRegistered',
      data: {
        modelId,
        version,
        modelHash,
        use,
        featureSchemaHash,
        cardSha256: model.cardSha256,
        reportSha256: model.reportSha256,
        files: model.files.map(({ name, bytes, sha256 }) => ({ name, bytes, sha256 })),
        criteria: model.criteria,
        trainingData: model.trainingData,
      },
    }
  })
}

async function takeIntoUse(deps: GovernanceDeps, model: InstalledModel): Promise<void> {
  const step = (command: ModelCommand, isDue: (own: GovernedModel, state: Governance) => boolean) =>
    appendModelEvent(deps, model.modelId, (state) => {
      const own = state.models.get(modelKey(model.modelId, model.version))
      if (!own || own.modelHash !== model.modelHash || !isLeftToUs(state, own) || !isDue(own, state))
        return undefined
      const decision = decideOnModel(state, model, command, {
        actor: inferenceActor,
        at: toInstant(deps.clock.nowMs()),
      })
      return decision?.kind === 'accepted' ? decision.fact : undefined
    })
  await step(
    { kind: 'approve', request: { origins: ['simulated', 'replayed'], justification } },
    (own) => own.approvals.length === 0 && own.suspensions.length === 0,
  )
  await step({ kind: 'activate', request: {} }, (own) => own.activatedBy === undefined)
}

/** No person has approved, activated or suspended the model in use, and none newer is. */
function isLeftToUs(state: Governance, own: GovernedModel): boolean {
  const active = activeModel(state, forecastUse)
  if (own.state === 'retired' || own.state === 'superseded') return false
  if (!active)
    return ![...state.models.values()].some((one) => one.use === own.use && one.state === 'retired')
  if (active === own) return true
  return (
    active.modelId === own.modelId &&
    compareVersions(active.version, own.version) < 0 &&
    active.activatedBy === inferenceActor.id &&
    active.approvals.every(({ automatic }) => automatic)
  )
}

const byVersion = (a: InstalledModel, b: InstalledModel): number =>
  a.modelId === b.modelId ? compareVersions(a.version, b.version) : a.modelId < b.modelId ? -1 : 1

/** Versions `major.minor.patch`. */
function compareVersions(a: string, b: string): number {
  const left = a.split('.').map(Number)
  const right = b.split('.').map(Number)
  for (let index = 0; index < 3; index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
