/**
 * Decisions about models: approve, activate, suspend, retire. Who approves a model neither registered nor activated it (four
 * eyes); only an approved model is activated; a suspended one needs a new approval first.
 */
import type { Actor, Instant, Origin } from '../../schemas/event.ts'
import { createFindings, type Decision, type Fact, type Findings } from '../batch/decision.ts'
import { activeModel, type Governance, type GovernedModel, modelKey } from './governance.ts'

export type ModelCommand =
  | {
      readonly kind: 'approve'
      readonly request: {
        readonly origins: readonly Origin[]
        readonly justification: string
        readonly approvedBy?: string | undefined
      }
    }
  | { readonly kind: 'activate'; readonly request: { readonly activatedBy?: string | undefined } }
  | {
      readonly kind: 'suspend'
      readonly request: {
        readonly rule: string
        readonly finding: string
        readonly origins?: readonly Origin[] | undefined
      }
    }
  | { readonly kind: 'retire'; readonly request: { readonly justification: string } }

export type ModelSubject = { readonly modelId: string; readonly version: string }

const steps = ['approval', 'activation', 'suspension', 'retirement']

/** Undefined: there is no such model. */
export function decideOnModel(
  state: Governance,
  subject: ModelSubject,
  command: ModelCommand,
  by: { readonly actor: Actor; readonly at: Instant },
): Decision | undefined {
  const model = state.models.get(modelKey(subject.modelId, subject.version))
  if (!model) return undefined
  if (model.state === 'retired')
    return {
      kind: 'rejected',
      rejections: [
        {
          kind: 'state',
          code: 'model-retired',
          rule: 'a retired model stays retired; a new version is registered',
          state: 'retired',
          allowed: [],
        },
      ],
    }
  const findings = createFindings()
  const data = decided(state, model, command, by.actor, findings)
  const [first, ...more] = findings.list().map((finding) => ({
    kind: 'rule' as const,
    state: model.state,
    allowed: steps,
    ...finding,
  }))
  if (first) return { kind: 'rejected', rejections: [first, ...more] }
  return { kind: 'accepted', fact: factOf(model, command, by.at, data) }
}

const typeOf = {
  approve: 'ModelApproved',
  activate: 'ModelActivated',
  suspend: 'ModelSuspended',
  retire: 'ModelRetired',
} as const

function factOf(
  model: GovernedModel,
  command: ModelCommand,
  at: Instant,
  data: Record<string, unknown>,
): Fact {
  const { modelId, version, modelHash, use } = model
  return {
    type: typeOf[command.kind],
    occurredAt: at,
    data: { modelId, version, modelHash, use, ...data },
  }
}

function decided(
  state: Governance,
  model: GovernedModel,
  command: ModelCommand,
  actor: Actor,
  findings: Findings,
): Record<string, unknown> {
  switch (command.kind) {
    case 'approve':
      return approved(model, command.request, actor, findings)
    case 'activate':
      return activated(state, model, command.request, actor, findings)
    case 'suspend': {
      const { rule, finding, origins } = command.request
      return { automatic: actor.kind !== 'human', rule, finding, ...(origins ? { origins } : {}) }
    }
    case 'retire':
      return { justification: command.request.justification }
  }
}

function approved(
  model: GovernedModel,
  request: Extract<ModelCommand, { kind: 'approve' }>['request'],
  actor: Actor,
  findings: Findings,
): Record<string, unknown> {
  const approver = request.approvedBy ?? actor.id
  const isInstallation = actor.kind !== 'human'
  if (!isInstallation && (approver === model.registeredBy || approver === model.activatedBy))
    findings.add(
      'four-eyes',
      'approvedBy',
      approver,
      'who registered or activated a model does not approve it',
    )
  if (isInstallation && request.origins.includes('live'))
    findings.add('person-needed', 'origins', request.origins, 'live data need the approval of a person')
  return {
    origins: [...request.origins],
    justification: request.justification,
    ...(request.approvedBy === undefined ? {} : { approvedBy: request.approvedBy }),
  }
}

function activated(
  state: Governance,
  model: GovernedModel,
  request: Extract<ModelCommand, { kind: 'activate' }>['request'],
  actor: Actor,
  findings: Findings,
): Record<string, unknown> {
  const activator = request.activatedBy ?? actor.id
  const ofPeople = model.approvals.filter(({ automatic }) => !automatic)
  if (model.approvals.length === 0)
    findings.add(
      'not-approved',
      'version',
      model.version,
      model.suspensions.length > 0
        ? 'a suspended model is approved anew before it is activated'
        : 'a model is approved before it is activated',
    )
  if (ofPeople.some(({ by }) => by === activator))
    findings.add('four-eyes', 'activatedBy', activator, 'who approved a model does not activate it')
  const before = activeModel(state, model.use)
  return {
    ...(before && before !== model ? { replaces: before.modelHash } : {}),
    ...(request.activatedBy === undefined ? {} : { activatedBy: request.activatedBy }),
  }
}
