/** A command on a registered model: read, compare the revision, decide, append at exactly that revision. */
import { decideOnModel, type ModelCommand, type ModelSubject } from '../domain/models/decide.ts'
import {
  evolveGovernance,
  type Governance,
  governanceTypes,
  noGovernance,
} from '../domain/models/governance.ts'
import type { EventStore } from '../infra/event-store/event-store.ts'
import { ProblemError } from '../infra/http/problem.ts'
import type { RecordedEvent } from '../schemas/event.ts'
import { upcast } from '../schemas/events/registry.ts'
import { streams } from '../schemas/streams.ts'
import { contended, keyReused, rejected, type Stored } from './answers.ts'
import { type Circumstance, eventOf } from './envelope.ts'
import { type Subject, staleRevision } from './preconditions.ts'
import { commandEventId, type RequestIdentity } from './request-ids.ts'

export type CommandOnModel = {
  readonly model: ModelSubject
  readonly identity: RequestIdentity
  readonly command: ModelCommand
  readonly by: Circumstance
  /** Throws `ProblemError` unless the caller has seen this revision. */
  readonly checkRevision: (revision: bigint) => void
}

export const modelSubject = (modelId: string): Subject => ({ what: 'model', stream: streams.model(modelId) })

/** The recorded event, now or of an earlier sending of the same request. Throws `ProblemError`. */
export async function commandOnModel(store: EventStore, wanted: CommandOnModel): Promise<Stored> {
  const { model, command, by } = wanted
  const subject = modelSubject(model.modelId)
  for (let tries = 0; tries < 5; tries++) {
    const events = await ownEvents(store, subject.stream)
    const [first] = events
    const last = events.at(-1)
    if (!first || !last) throw unknownModel(model)
    const eventId = commandEventId(wanted.identity, Date.parse(first.receivedAt))
    const earlier = events.find(({ id }) => id === eventId)
    if (earlier) {
      if (earlier.causationId !== by.causationId) throw keyReused()
      return earlier
    }
    const decision = decideOnModel(await governanceOf(store), model, command, {
      actor: by.actor,
      at: by.receivedAt,
    })
    if (!decision) throw unknownModel(model)
    // The second time round, somebody else's event came in between: what was seen is stale.
    if (tries === 0) wanted.checkRevision(last.revision)
    else throw staleRevision(subject, last.revision, undefined)
    if (decision.kind === 'rejected') throw rejected(decision.rejections, 'model')
    const event = eventOf(eventId, decision.fact, by)
    const [outcome] = await store.append([
      { stream: subject.stream, expectedRevision: last.revision, events: [event] },
    ])
    if (outcome?.kind === 'appended' || outcome?.kind === 'duplicate') {
      const [stored] = outcome.recorded
      if (stored) return stored
    }
  }
  throw contended()
}

async function ownEvents(store: EventStore, stream: string): Promise<readonly RecordedEvent[]> {
  const events: RecordedEvent[] = []
  for await (const event of store.readStream(stream)) events.push(event)
  return events
}

/** Of all models: activating one takes the use from another. */
async function governanceOf(store: EventStore): Promise<Governance> {
  let state = noGovernance
  for await (const page of store.readAll({ filter: { types: [...governanceTypes], categories: ['model'] } }))
    for (const event of page.events) state = evolveGovernance(state, upcast(event))
  return state
}

function unknownModel({ modelId, version }: ModelSubject): ProblemError {
  return new ProblemError({
    status: 404,
    code: 'model-not-found',
    detail: `there is no registered model ${JSON.stringify(modelId)} of version ${JSON.stringify(version)}`,
    rule: 'id and version of a registered model',
  })
}
