/** Models as known at a position: every version with its state, and the history that led there. */
import type { z } from 'zod'
import type { PoolClient } from '../../infra/postgres/pool.ts'
import type { modelHistoryItem, modelVersion } from '../../schemas/http-evidence.ts'
import { foldModels, type ModelFact, type ModelVersion } from '../fold/fold-models.ts'

export type ModelVersionAnswer = z.infer<typeof modelVersion>
export type ModelHistoryItem = z.infer<typeof modelHistoryItem>

export type ModelRecord = {
  readonly version: ModelVersion
  readonly answer: ModelVersionAnswer
}

/** All versions of all models, active ones first, then by model and the order of their first event. */
export async function readModels(client: PoolClient, position: bigint): Promise<ModelRecord[]> {
  const { rows } = await client.query<{
    position: bigint
    model_id: string
    type: string
    recorded_at: Date
    data: Record<string, unknown>
  }>(
    'SELECT position, model_id, type, recorded_at, data FROM model_event WHERE position <= $1 ORDER BY position',
    [position],
  )
  const facts = rows.map(
    (row): ModelFact => ({
      position: row.position,
      modelId: row.model_id,
      type: row.type,
      recordedAt: row.recorded_at.toISOString(),
      data: row.data,
    }),
  )
  return foldModels(facts)
    .map((version) => ({ version, answer: answerOf(version) }))
    .sort((one, other) => activeFirst(one.version) - activeFirst(other.version))
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

const activeFirst = ({ state }: ModelVersion): number => (state === 'active' ? 0 : 1)

/** A model registered without the document says so by a hash of zeros. */
const documentHash = (sha256: string | undefined): string | null =>
  sha256 === undefined || /^0+$/.test(sha256) ? null : sha256

function answerOf(version: ModelVersion): ModelVersionAnswer {
  const { registration, suspension } = version
  return {
    modelId: version.modelId,
    version: version.version,
    use: version.use,
    state: version.state,
    stateSince: version.stateSince,
    approvedFor: version.approvedFor as ModelVersionAnswer['approvedFor'],
    activeFor: (version.state === 'active' ? version.approvedFor : []) as ModelVersionAnswer['activeFor'],
    suspension: suspension ?? null,
    modelHash: version.modelHash,
    featureSchemaHash: registration?.featureSchemaHash ?? null,
    registeredAt: registration?.registeredAt ?? null,
    cardSha256: documentHash(registration?.cardSha256),
    reportSha256: documentHash(registration?.reportSha256),
    files: (registration?.files ?? []).map(({ name, bytes, sha256 }) => ({ name, bytes, sha256 })),
    criteria: Object.fromEntries(Object.entries(registration?.criteria ?? {}).sort()),
    trainingData: registration?.trainingData ?? null,
  }
}
