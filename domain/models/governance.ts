/**
 * The life of models as the events of `model-…` tell it: registered → approved → active → suspended → retired. A use has at
 * most one active model: whichever was activated last in store order. An approval holds for the origins it names, a
 * suspension until the model is approved anew and activated again. Pure fold; the states are immutable, so that every
 * earlier one stays at hand: a window is forecast by the model that was in force where it closed.
 */
import type { ClientEvent, Origin } from '../../schemas/event.ts'
import { categoryOf } from '../../schemas/streams.ts'

export type ModelUse = 'od600-forecast'

export type Approval = {
  readonly by: string
  readonly origins: readonly Origin[]
  readonly automatic: boolean
}

export type Suspension = {
  readonly rule: string
  readonly finding: string
  readonly automatic: boolean
  /** Undefined: for data of every origin. */
  readonly origins: readonly Origin[] | undefined
}

export type GovernedModel = {
  readonly modelId: string
  readonly version: string
  readonly modelHash: string
  readonly featureSchemaHash: string
  readonly use: ModelUse
  readonly status: 'registered' | 'active' | 'replaced' | 'retired'
  readonly registeredBy: string
  readonly activatedBy: string | undefined
  /** Those that a suspension took away are not among them. */
  readonly approvals: readonly Approval[]
  readonly suspensions: readonly Suspension[]
}

export type Governance = {
  /** By `modelKey`. */
  readonly models: ReadonlyMap<string, GovernedModel>
  /** Key of the model activated last and not retired since, by use. */
  readonly active: ReadonlyMap<ModelUse, string>
}

export const modelKey = (modelId: string, version: string): string => `${modelId}@${version}`

export const noGovernance: Governance = { models: new Map(), active: new Map() }

export const isModelEvent = (event: { readonly stream: string }): boolean =>
  categoryOf(event.stream) === 'model'

/** Events that contradict the state (another hash, an unknown version) change nothing. */
export function evolveGovernance(state: Governance, event: ClientEvent): Governance {
  const { modelId, version, modelHash } = event.data
  if (typeof modelId !== 'string' || typeof version !== 'string' || typeof modelHash !== 'string')
    return state
  const key = modelKey(modelId, version)
  const known = state.models.get(key)
  if (event.type === 'ModelRegistered')
    return known ? state : withModel(state, key, registered(event, modelId, version, modelHash))
  if (!known || known.modelHash !== modelHash || known.status === 'retired') return state
  switch (event.type) {
    case 'ModelApproved':
      return withModel(state, key, { ...known, approvals: [...known.approvals, approvalOf(event)] })
    case 'ModelActivated':
      return activated(state, key, { ...known, activatedBy: personOf(event, 'activatedBy') })
    case 'ModelSuspended':
      return withModel(state, key, suspended(known, event))
    case 'ModelRetired':
      return {
        models: new Map(state.models).set(key, { ...known, status: 'retired' }),
        active: without(state.active, known.use, key),
      }
    default:
      return state
  }
}

export type ModelInForce =
  | { readonly kind: 'approved'; readonly model: GovernedModel }
  /** Nothing was ever registered for the use: there is no forecaster to speak of. */
  | { readonly kind: 'never-registered' }
  | {
      readonly kind: 'withheld'
      readonly reason: 'no-model' | 'model-not-approved' | 'model-suspended' | 'hash-mismatch'
      readonly detail: string
      /** Undefined: none is active. */
      readonly model: GovernedModel | undefined
    }

/** The rule name of a suspension because the files are not the approved ones. */
export const artefactHashRule = 'artefact-hash'

export function modelInForce(state: Governance, use: ModelUse, origin: Origin): ModelInForce {
  const key = state.active.get(use)
  const model = key === undefined ? undefined : state.models.get(key)
  if (!model) {
    for (const one of state.models.values())
      if (one.use === use)
        return {
          kind: 'withheld',
          reason: 'no-model',
          detail: `no model is active for ${use}`,
          model: undefined,
        }
    return { kind: 'never-registered' }
  }
  const suspension = model.suspensions.find(
    ({ origins }) => origins === undefined || origins.includes(origin),
  )
  if (suspension)
    return {
      kind: 'withheld',
      reason: suspension.rule === artefactHashRule ? 'hash-mismatch' : 'model-suspended',
      detail: `${suspension.finding} (${suspension.rule})`,
      model,
    }
  if (!model.approvals.some(({ origins }) => origins.includes(origin)))
    return {
      kind: 'withheld',
      reason: 'model-not-approved',
      detail: `${model.modelId} ${model.version} is not approved for ${origin} data`,
      model,
    }
  return { kind: 'approved', model }
}

function registered(event: ClientEvent, modelId: string, version: string, modelHash: string): GovernedModel {
  return {
    modelId,
    version,
    modelHash,
    featureSchemaHash: String(event.data.featureSchemaHash),
    use: event.data.use as ModelUse,
    status: 'registered',
    registeredBy: event.actor.id,
    activatedBy: undefined,
    approvals: [],
    suspensions: [],
  }
}

function activated(state: Governance, key: string, model: GovernedModel): Governance {
  const models = new Map(state.models).set(key, {
    ...model,
    status: 'active',
    suspensions: model.suspensions.filter((suspension) => !isLifted(model, suspension)),
  })
  const before = state.active.get(model.use)
  const replaced = before === undefined || before === key ? undefined : models.get(before)
  if (before !== undefined && replaced) models.set(before, { ...replaced, status: 'replaced' })
  return { models, active: new Map(state.active).set(model.use, key) }
}

/** A suspension takes the approvals of its origins away, so one that stands for them came after it. */
const isLifted = ({ approvals }: GovernedModel, { origins }: Suspension): boolean =>
  approvals.some((approval) => origins === undefined || approval.origins.some((one) => origins.includes(one)))

function suspended(model: GovernedModel, event: ClientEvent): GovernedModel {
  const origins = event.data.origins as readonly Origin[] | undefined
  return {
    ...model,
    approvals:
      origins === undefined
        ? []
        : model.approvals
            .map((one) => ({ ...one, origins: one.origins.filter((origin) => !origins.includes(origin)) }))
            .filter((one) => one.origins.length > 0),
    suspensions: [
      ...model.suspensions,
      {
        rule: String(event.data.rule),
        finding: String(event.data.finding),
        automatic: event.data.automatic === true,
        origins,
      },
    ],
  }
}

const approvalOf = (event: ClientEvent): Approval => ({
  by: personOf(event, 'approvedBy'),
  origins: event.data.origins as readonly Origin[],
  automatic: event.actor.kind !== 'human',
})

const personOf = (event: ClientEvent, field: string): string => {
  const named = event.data[field]
  return typeof named === 'string' ? named : event.actor.id
}

const withModel = (state: Governance, key: string, model: GovernedModel): Governance => ({
  ...state,
  models: new Map(state.models).set(key, model),
})

function without(
  active: ReadonlyMap<ModelUse, string>,
  use: ModelUse,
  key: string,
): ReadonlyMap<ModelUse, string> {
  if (active.get(use) !== key) return active
  const left = new Map(active)
  left.delete(use)
  return left
}
