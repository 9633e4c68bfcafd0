/** Models as known at a position: every version with its state, and the history that led there. */
import type { z } from 'zod'
import {
  approvedOrigins,
  evolveGovernance,
  type GovernedModel,
  noGovernance,
  originsInForce,
  standingSuspension,
} from '../../domain/models/governance.ts'
import type { PoolClient } from '../../infra/postgres/pool.ts'
import type { Actor } from '../../schemas/event.ts'
import type { modelHistoryItem, modelVersion } from '../../schemas/http-evidence.ts'

export type ModelVersionAnswer = z.infer<typeof modelVersion>
export type ModelHistoryItem = z.infer<typeof modelHistoryItem>

export type ModelRecord = {
  readonly model: GovernedModel
  readonly answer: ModelVersionAnswer
}

/** All versions of all models, active ones first, then in the order of their registration. */
export async function readModels(client: PoolClient, position: bigint): Promise<ModelRecord[]> {
  const { rows } = await client.query<{
    type: string
    recorded_at: Date
    actor_kind: Actor['kind']
    actor_id: string
    actor_role: string
    data: Record<string, unknown>
  }>(
    `SELECT type, recorded_at, actor_kind, actor_id, actor_role, data FROM model_event WHERE position <= $1
     ORDER BY position`,
    [position],
  )
  let state = noGovernance
  for (const row of rows)
    state = evolveGovernance(state, {
      type: row.type,
      recordedAt: row.recorded_at.toISOString(),
      actor: { kind: row.actor_kind, id: row.actor_id, role: row.actor_role },
      data: row.data,
    })
  return [...state.models.values()]
    .map((model) => ({ model, answer: answerOf(model) }))
    .sort((one, other) => activeFirst(one.model) - activeFirst(other.model))
}

/** What happened to one model, in the order of recording. */
export async function readModelHistory(
  client: PoolClient,
  modelId: string,
  position: bigint,
): Promise<ModelHistoryItem[]> {
  const { rows } = await client.query<{
    position: bigint
    event_id: string
    type: string
    occurred_at: Date
    recorded_at: Date
    actor_kind: string
    actor_id: string
    actor_role: string
    data: Record<string, unknown>
    sentence: string
  }>(
    `SELECT position, event_id, type, occurred_at, recorded_at, actor_kind, actor_id, actor_role, data, sentence
     FROM model_event WHERE model_id = $1 AND position <= $2 ORDER BY position`,
    [modelId, position],
  )
  return rows.map((row) => ({
    position: row.position.toString(),
    eventId: row.event_id,
    type: row.type,
    version: typeof row.data.version === 'string' ? row.data.version : null,
    occurredAt: row.occurred_at.toISOString(),
    recordedAt: row.recorded_at.toISOString(),
    actor: { kind: row.actor_kind, id: row.actor_id, role: row.actor_role },
    sentence: row.sentence,
  }))
}

const activeFirst = ({ state }: GovernedModel): number => (state === 'active' ? 0 : 1)

/** A model registered without the document says so by a hash of zeros. */
const documentHash = (sha256: string): string | null => (/^0+$/.test(sha256) ? null : sha256)

function answerOf(model: GovernedModel): ModelVersionAnswer {
  const { registration } = model
  const suspension = standingSuspension(model)
  return {
    modelId: model.modelId,
    version: model.version,
    use: model.use,
    state: model.state,
    stateSince: model.stateSince,
    approvedFor: [...approvedOrigins(model)],
    activeFor: [...originsInForce(model)],
    suspension: suspension
      ? { rule: suspension.rule, finding: suspension.finding, automatic: suspension.automatic }
      : null,
    modelHash: model.modelHash,
    featureSchemaHash: model.featureSchemaHash,
    registeredAt: registration.registeredAt,
    cardSha256: documentHash(registration.cardSha256),
    reportSha256: documentHash(registration.reportSha256),
    files: registration.files.map(({ name, bytes, sha256 }) => ({ name, bytes, sha256 })),
    criteria: Object.fromEntries(Object.entries(registration.criteria).sort()),
    trainingData: registration.trainingData,
  }
}
