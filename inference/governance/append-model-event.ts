/** Appends to a model's stream at exactly the revision that was decided on. */
import { randomBytes } from 'node:crypto'
import type { Governance } from '../../domain/models/governance.ts'
import { type Clock, toInstant } from '../../infra/clock.ts'
import type { EventStore } from '../../infra/event-store/event-store.ts'
import type { Logger } from '../../infra/log.ts'
import type { ClientEvent } from '../../schemas/event.ts'
import { uuidV7 } from '../../schemas/ids.ts'
import { streams } from '../../schemas/streams.ts'
import { inferenceActor } from '../events.ts'
import { readGovernance } from './history.ts'

export type GovernanceDeps = {
  readonly store: EventStore
  readonly clock: Clock
  readonly site: string
  readonly log: Logger
}

export type ModelFact = { readonly type: string; readonly data: Record<string, unknown> }

/**
 * Reads all models, decides, appends; again when somebody else was quicker. False when there was nothing to decide.
 * Throws when the stream never holds still.
 */
export async function appendModelEvent(
  deps: GovernanceDeps,
  modelId: string,
  decide: (state: Governance) => ModelFact | undefined,
): Promise<boolean> {
  const stream = streams.model(modelId)
  for (let attempt = 0; attempt < 20; attempt++) {
    const revision = await lastRevision(deps.store, stream)
    const fact = decide((await readGovernance(deps.store)).now())
    if (!fact) return false
    const [outcome] = await deps.store.append([
      { stream, expectedRevision: revision ?? 'noStream', events: [byInference(deps, fact)] },
    ])
    if (outcome?.kind !== 'appended') continue
    deps.log.info({ type: fact.type, modelId, version: fact.data.version }, 'a model changed its state')
    return true
  }
  throw new Error(`stream ${stream} is written too often to decide about its model`)
}

/** An alarm about a model, in the stream `config`. */
export async function appendModelAlarm(
  deps: GovernanceDeps,
  alarm: {
    readonly level: 'warning' | 'error' | 'critical'
    readonly name: string
    readonly message: string
  },
): Promise<void> {
  const data = { ...alarm, category: 'model_governance', vessel: null, tag: null }
  await deps.store.append([
    {
      stream: streams.config,
      expectedRevision: 'any',
      events: [byInference(deps, { type: 'AlarmRaised', data })],
    },
  ])
}

function byInference({ clock, site }: GovernanceDeps, { type, data }: ModelFact): ClientEvent {
  const nowMs = clock.nowMs()
  const now = toInstant(nowMs)
  return {
    id: uuidV7(nowMs, randomBytes(10)),
    type,
    schemaVersion: 1,
    occurredAt: now,
    receivedAt: now,
    actor: inferenceActor,
    origin: 'live',
    site,
    data,
  }
}

async function lastRevision(store: EventStore, stream: string): Promise<bigint | undefined> {
  for await (const last of store.readStream(stream, { direction: 'backwards', maxCount: 1 }))
    return last.revision
  return undefined
}
