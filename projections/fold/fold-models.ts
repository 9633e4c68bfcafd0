/**
 * The state of each model version as its events tell it, folded in the order of recording over all models: activating
 * one for a use takes that use from the one before, so exactly one is active per use.
 */

export const modelStates = ['registered', 'approved', 'active', 'superseded', 'suspended', 'retired'] as const
export type ModelState = (typeof modelStates)[number]

export type ModelFact = {
  readonly position: bigint
  readonly modelId: string
  readonly type: string
  readonly recordedAt: string
  readonly data: Readonly<Record<string, unknown>>
}

export type ModelVersion = {
  readonly modelId: string
  readonly version: string
  readonly modelHash: string
  readonly use: string
  readonly state: ModelState
  readonly stateSince: string
  /** Kinds of data that people (or the installation, for simulated ones) approved it for. */
  readonly approvedFor: readonly string[]
  /** Why it was suspended, for all data or (while `state` is another one) for some kinds; undefined while it is not. */
  readonly suspension:
    | { readonly rule: string; readonly finding: string; readonly automatic: boolean }
    | undefined
  /** As it was registered; undefined where its registration is not known. */
  readonly registration: Registration | undefined
}

export type Registration = {
  readonly registeredAt: string
  readonly featureSchemaHash: string
  readonly cardSha256: string
  readonly reportSha256: string
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly sha256: string }[]
  readonly criteria: Readonly<Record<string, number>>
  readonly trainingData: string
}

/** `facts` in position order; versions come in the order of their first event. */
export function foldModels(facts: readonly ModelFact[]): readonly ModelVersion[] {
  const versions = new Map<string, ModelVersion>()
  for (const fact of facts) {
    if (typeof fact.data.version !== 'string') continue
    const key = `${fact.modelId} ${fact.data.version} ${String(fact.data.modelHash)}`
    const before = versions.get(key) ?? unknownVersion(fact)
    const after = next(before, fact)
    if (after.state === 'active')
      for (const [otherKey, other] of versions)
        if (otherKey !== key && other.use === after.use && other.state === 'active')
          versions.set(otherKey, { ...other, state: 'superseded', stateSince: fact.recordedAt })
    versions.set(key, after)
  }
  return [...versions.values()]
}

const unknownVersion = (fact: ModelFact): ModelVersion => ({
  modelId: fact.modelId,
  version: String(fact.data.version),
  modelHash: String(fact.data.modelHash),
  use: String(fact.data.use),
  state: 'registered',
  stateSince: fact.recordedAt,
  approvedFor: [],
  suspension: undefined,
  registration: undefined,
})

function next(before: ModelVersion, { type, recordedAt, data }: ModelFact): ModelVersion {
  const to = (state: ModelState): ModelVersion => ({
    ...before,
    state,
    stateSince: recordedAt,
    suspension: undefined,
  })
  switch (type) {
    case 'ModelRegistered':
      return {
        ...before,
        registration: { registeredAt: recordedAt, ...(data as Omit<Registration, 'registeredAt'>) },
      }
    case 'ModelApproved': {
      const approvedFor = [...new Set([...before.approvedFor, ...(data.origins as readonly string[])])].sort()
      // A further approval of an active model widens what it may be used for; it stays active.
      return { ...(before.state === 'active' ? before : to('approved')), approvedFor }
    }
    case 'ModelActivated':
      return to('active')
    case 'ModelSuspended': {
      const suspension = {
        rule: String(data.rule),
        finding: String(data.finding),
        automatic: data.automatic === true,
      }
      const origins = data.origins as readonly string[] | undefined
      const approvedFor = origins
        ? before.approvedFor.filter((one) => !origins.includes(one))
        : before.approvedFor
      // Suspended for some kinds of data, it goes on for the others.
      if (origins && approvedFor.length > 0) return { ...before, approvedFor, suspension }
      return { ...to('suspended'), approvedFor, suspension }
    }
    case 'ModelRetired':
      return to('retired')
    default:
      return before
  }
}
