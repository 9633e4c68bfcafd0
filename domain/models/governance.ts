/**
 * The life of models as the events of `model-…` tell it: registered → approved → active → suspended → retired. A use has at
 * most one active model: whichever was activated last in store order. An approval holds for the origins it names, a
 * suspension until the model is approved anew and activated again. Pure fold; the states are immutable, so that every
 * earlier one stays at hand: a window is forecast by the model that was in force where it closed.
 *
 * The only reading of these rules: commands decide by it, inference forecasts by it, and the read side answers from it.
 */
import type { z } from 'zod'
import type { Instant, Origin, RecordedEvent } from '../../schemas/event.ts'
import type { modelRegistered } from '../../schemas/events/model-events.ts'
import { categoryOf } from '../../schemas/streams.ts'

export type ModelUse = 'od600-forecast'

export const governanceTypes = [
  'ModelRegistered',
  'ModelApproved',
  'ModelActivated',
  'ModelSuspended',
  'ModelRetired',
] as const

/** What the fold reads of an event. */
export type GovernanceEvent = Pick<RecordedEvent, 'type' | 'actor' | 'data' | 'recordedAt'>

/** `superseded`: another model was activated for its use. */
export type ModelState = 'registered' | 'approved' | 'active' | 'superseded' | 'suspended' | 'retired'

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
  /** A suspension for some origins only leaves it as it is. */
  readonly state: ModelState
  /** When the event was recorded that brought it there, or brought it there again. */
  readonly stateSince: Instant
  readonly registration: Registration
  readonly registeredBy: string
  /** Undefined: it never was. */
  readonly activatedBy: string | undefined
  /** Those that a suspension took away are not among them. */
  readonly approvals: readonly Approval[]
  readonly suspensions: readonly Suspension[]
}

/** As it was registered. */
export type Registration = { readonly registeredAt: Instant } & Pick<
  z.infer<typeof modelRegistered.data>,
  'cardSha256' | 'reportSha256' | 'files' | 'criteria' | 'trainingData'
>

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
export function evolveGovernance(state: Governance, event: GovernanceEvent): Governance {
  const { modelId, version, modelHash } = event.data
  if (typeof modelId !== 'string' || typeof version !== 'string' || typeof modelHash !== 'string')
    return state
  const key = modelKey(modelId, version)
  const known = state.models.get(key)
  if (event.type === 'ModelRegistered')
    return known ? state : withModel(state, key, registered(event, modelId, version, modelHash))
  if (!known || known.modelHash !== modelHash || known.state === 'retired') return state
  const isInUse = state.active.get(known.use) === key
  switch (event.type) {
    case 'ModelApproved':
      return withModel(state, key, approved(known, event, isInUse))
    case 'ModelActivated':
      return activated(state, key, known, event)
    case 'ModelSuspended':
      return withModel(state, key, suspended(known, event, isInUse))
    case 'ModelRetired':
      return {
        models: new Map(state.models).set(key, entered(known, 'retired', event)),
        active: without(state.active, known.use, key),
      }
    default:
      return state
  }
}

/** The model activated last for the use, suspended or not; undefined while there is none. */
export function activeModel(state: Governance, use: ModelUse): GovernedModel | undefined {
  const key = state.active.get(use)
  return key === undefined ? undefined : state.models.get(key)
}

/** Sorted; what a suspension took away is not among them. */
export const approvedOrigins = ({ approvals }: GovernedModel): readonly Origin[] =>
  [...new Set(approvals.flatMap(({ origins }) => origins))].sort()

/** Origins whose data the model forecasts for; sorted. */
export const originsInForce = (model: GovernedModel): readonly Origin[] =>
  model.state === 'active' ? unsuspendedOrigins(model) : []

/**
 * The newest suspension that says why the model stands still, for all data or for some. One that was answered by an
 * approval says nothing more about a model that waits for its activation.
 */
export function standingSuspension(model: GovernedModel): Suspension | undefined {
  if (model.state === 'retired') return undefined
  return model.suspensions.findLast((one) => model.state === 'active' || !isAnswered(model, one))
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
  const model = activeModel(state, use)
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
  const suspension = suspensionFor(model, origin)
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

const suspensionFor = ({ suspensions }: GovernedModel, origin: Origin): Suspension | undefined =>
  suspensions.find(({ origins }) => origins === undefined || origins.includes(origin))

const unsuspendedOrigins = (model: GovernedModel): readonly Origin[] =>
  approvedOrigins(model).filter((origin) => suspensionFor(model, origin) === undefined)

const entered = (model: GovernedModel, state: ModelState, event: GovernanceEvent): GovernedModel => ({
  ...model,
  state,
  stateSince: event.recordedAt,
})

/** Of the model activated last for its use: suspended for some kinds of data, it goes on for the others. */
const stateInUse = (model: GovernedModel): 'active' | 'approved' | 'suspended' =>
  model.suspensions.length === 0 || unsuspendedOrigins(model).length > 0
    ? 'active'
    : model.approvals.length > 0
      ? 'approved'
      : 'suspended'

function registered(
  event: GovernanceEvent,
  modelId: string,
  version: string,
  modelHash: string,
): GovernedModel {
  const data = event.data as z.infer<typeof modelRegistered.data>
  const { cardSha256, reportSha256, files, criteria, trainingData } = data
  return {
    modelId,
    version,
    modelHash,
    featureSchemaHash: String(data.featureSchemaHash),
    use: data.use,
    state: 'registered',
    stateSince: event.recordedAt,
    registration: {
      registeredAt: event.recordedAt,
      cardSha256,
      reportSha256,
      files,
      criteria,
      trainingData,
    },
    registeredBy: event.actor.id,
    activatedBy: undefined,
    approvals: [],
    suspensions: [],
  }
}

/** A further approval of an active model widens what it is used for; it stays active. */
function approved(before: GovernedModel, event: GovernanceEvent, isInUse: boolean): GovernedModel {
  const model = { ...before, approvals: [...before.approvals, approvalOf(event)] }
  const state = isInUse ? stateInUse(model) : 'approved'
  return state === 'active' && before.state === 'active' ? model : entered(model, state, event)
}

function activated(
  state: Governance,
  key: string,
  before: GovernedModel,
  event: GovernanceEvent,
): Governance {
  const model: GovernedModel = {
    ...before,
    activatedBy: personOf(event, 'activatedBy'),
    suspensions: before.suspensions.filter((suspension) => !isAnswered(before, suspension)),
  }
  const models = new Map(state.models).set(key, entered(model, stateInUse(model), event))
  const other = activeModel(state, model.use)
  if (other?.state === 'active' && other !== before)
    models.set(modelKey(other.modelId, other.version), entered(other, 'superseded', event))
  return { models, active: new Map(state.active).set(model.use, key) }
}

/** A suspension takes the approvals of its origins away, so one that stands for them came after it. */
const isAnswered = ({ approvals }: GovernedModel, { origins }: Suspension): boolean =>
  approvals.some((approval) => origins === undefined || approval.origins.some((one) => origins.includes(one)))

function suspended(before: GovernedModel, event: GovernanceEvent, isInUse: boolean): GovernedModel {
  const origins = event.data.origins as readonly Origin[] | undefined
  const approvals =
    origins === undefined
      ? []
      : before.approvals
          .map((one) => ({ ...one, origins: one.origins.filter((origin) => !origins.includes(origin)) }))
          .filter((one) => one.origins.length > 0)
  const suspension = {
    rule: String(event.data.rule),
    finding: String(event.data.finding),
    automatic: event.data.automatic === true,
    origins,
  }
  const model = { ...before, approvals, suspensions: [...before.suspensions, suspension] }
  const state = approvals.length === 0 ? 'suspended' : isInUse ? stateInUse(model) : before.state
  return state === before.state && state !== 'suspended' ? model : entered(model, state, event)
}

const approvalOf = (event: GovernanceEvent): Approval => ({
  by: personOf(event, 'approvedBy'),
  origins: event.data.origins as readonly Origin[],
  automatic: event.actor.kind !== 'human',
})

const personOf = (event: GovernanceEvent, field: string): string => {
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
