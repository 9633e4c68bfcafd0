/** The life of a model: registered, approved, activated, suspended, retired; and each look at a sealed data set. */
import { z } from 'zod'
import { personId } from './batch-events.ts'
import { eventType } from './event-type.ts'
import { sha256Hex } from './forecast-events.ts'

const model = {
  modelId: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,49}$/),
  version: z.string().regex(/^\d+\.\d+\.\d+$/),
  modelHash: sha256Hex,
}
/** What a model is for; one model is active per use. */
export const modelUse = z.enum(['od600-forecast'])

export const modelRegistered = eventType({
  type: 'ModelRegistered',
  schemaVersion: 1,
  criticality: 'critical',
  typedByPeople: false,
  data: z.strictObject({
    ...model,
    use: modelUse,
    featureSchemaHash: sha256Hex,
    cardSha256: sha256Hex,
    reportSha256: sha256Hex,
    files: z.array(z.strictObject({ name: z.string(), bytes: z.int().positive(), sha256: sha256Hex })).min(1),
    /** Acceptance criteria stated before any test run. */
    criteria: z.record(z.string(), z.number()),
    trainingData: z.string(),
  }),
  upcasters: {},
  sentence: (data) => `model ${data.modelId} ${data.version} was registered (${data.modelHash.slice(0, 8)})`,
})

export const modelApproved = eventType({
  type: 'ModelApproved',
  schemaVersion: 1,
  criticality: 'critical',
  typedByPeople: true,
  data: z.strictObject({
    ...model,
    use: modelUse,
    /** For which data the approval holds; live data need a person's approval. */
    origins: z.array(z.enum(['live', 'simulated', 'replayed'])).min(1),
    justification: z.string().min(10).max(2000),
    /** Who approved, where that is not the actor who entered it. */
    approvedBy: personId.optional(),
  }),
  upcasters: {},
  sentence: (data, { who }) =>
    `${data.approvedBy ?? who} approved model ${data.modelId} ${data.version} for ${data.origins.join(', ')} data`,
})

export const modelActivated = eventType({
  type: 'ModelActivated',
  schemaVersion: 1,
  criticality: 'critical',
  typedByPeople: false,
  data: z.strictObject({
    ...model,
    use: modelUse,
    /** The model that was active until then. */
    replaces: sha256Hex.optional(),
    /** Who activated, where that is not the actor who entered it. */
    activatedBy: personId.optional(),
  }),
  upcasters: {},
  sentence: (data, { who }) =>
    `${data.activatedBy ?? who} activated model ${data.modelId} ${data.version} for ${data.use}`,
})

export const modelSuspended = eventType({
  type: 'ModelSuspended',
  schemaVersion: 1,
  criticality: 'critical',
  typedByPeople: true,
  data: z.strictObject({
    ...model,
    use: modelUse,
    automatic: z.boolean(),
    /** `artefact-hash`, `live-coverage`, `live-error`, or the rule a person names. */
    rule: z.string(),
    finding: z.string(),
    /** For data of these origins only; absent: for all. */
    origins: z
      .array(z.enum(['live', 'simulated', 'replayed']))
      .min(1)
      .optional(),
  }),
  upcasters: {},
  sentence: (data, { who }) =>
    `${data.automatic ? 'the monitoring' : who} suspended model ${data.modelId} ${data.version}: ${data.finding} (${data.rule})`,
})

export const modelRetired = eventType({
  type: 'ModelRetired',
  schemaVersion: 1,
  criticality: 'critical',
  typedByPeople: true,
  data: z.strictObject({ ...model, use: modelUse, justification: z.string().min(10).max(2000) }),
  upcasters: {},
  sentence: (data, { who }) => `${who} retired model ${data.modelId} ${data.version}`,
})

/** A sealed test set was read: who, what for, and the how-manieth time. */
export const sealedSetRead = eventType({
  type: 'SealedSetRead',
  schemaVersion: 1,
  criticality: 'critical',
  typedByPeople: true,
  data: z.strictObject({
    dataSet: z.string().min(1).max(100),
    sha256: sha256Hex,
    purpose: z.string().min(10).max(2000),
    modelHash: sha256Hex,
    use: z.int().positive(),
  }),
  upcasters: {},
  sentence: (data, { who }) =>
    `${who} read the sealed set ${data.dataSet} (use ${data.use}): ${data.purpose}`,
})
