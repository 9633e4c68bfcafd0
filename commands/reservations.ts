/**
 * What must be unique across batches is reserved by exact revision in a stream of its own: one open batch a vessel
 * (`vessel-<id>`), one number and attempt a campaign (`campaign-<id>`).
 *
 * A reservation whose batch does not exist was left behind by a crash, or its request is still on the way. Before
 * it is taken over, the batch's stream is sealed empty: then the old request can never complete, however late.
 */
import type { BatchState } from '../domain/batch/batch.ts'
import { isOpen } from '../domain/batch/batch.ts'
import type { EventStore } from '../infra/event-store/event-store.ts'
import { ProblemError } from '../infra/http/problem.ts'
import type { ClientEvent, RecordedEvent } from '../schemas/event.ts'
import { streams } from '../schemas/streams.ts'
import { readBatch } from './batch-stream.ts'
import { type Circumstance, eventOf } from './envelope.ts'
import { namedId } from './request-ids.ts'

/** Who holds a thing, as its reservation stream tells it at this revision. */
export type Holding = {
  readonly stream: string
  /** −1 before the first event. */
  readonly revision: bigint
  readonly heldBy: string | undefined
  /** Of a vessel: since when it is reserved, and until when it was occupied before; process time. */
  readonly heldFrom: string | undefined
  readonly occupiedUntil: string | undefined
}

export type NumberInCampaign = {
  readonly campaign: string
  readonly number: number
  readonly attempt: number
}

export async function vesselHolding(store: EventStore, vessel: string): Promise<Holding> {
  return await holding(store, streams.vessel(vessel), 'VesselReserved', 'VesselReleased', () => true)
}

export async function numberHolding(store: EventStore, wanted: NumberInCampaign): Promise<Holding> {
  return await holding(
    store,
    streams.campaign(wanted.campaign),
    'CampaignNumberReserved',
    'CampaignNumberReleased',
    ({ data }) => data.number === wanted.number && data.attempt === wanted.attempt,
  )
}

async function holding(
  store: EventStore,
  stream: string,
  reserved: string,
  released: string,
  concerns: (event: RecordedEvent) => boolean,
): Promise<Holding> {
  let heldBy: string | undefined
  let heldFrom: string | undefined
  let occupiedUntil: string | undefined
  let revision = -1n
  for await (const event of store.readStream(stream)) {
    revision = event.revision
    if (!concerns(event)) continue
    const { batchId, from, at } = event.data
    if (event.type === reserved) {
      heldBy = String(batchId)
      heldFrom = typeof from === 'string' ? from : undefined
    } else if (event.type === released && batchId === heldBy) {
      heldBy = undefined
      if (typeof at === 'string' && (occupiedUntil === undefined || at > occupiedUntil)) occupiedUntil = at
    }
  }
  return { stream, revision, heldBy, heldFrom, occupiedUntil }
}

export const expected = ({ revision }: Holding) => (revision < 0n ? 'noStream' : revision)

/** 409 unless the vessel is free for this batch. */
export function refuseBusyVessel(vessel: string, holder: string, state: BatchState): void {
  if (!isOpen(state)) return
  const rule = 'one open batch a vessel'
  throw new ProblemError({
    status: 409,
    code: 'vessel-reserved',
    detail: `vessel ${vessel} holds batch ${holder}, which is ${state.status}; it is free once that batch is closed or aborted`,
    rule,
    state: state.status,
    allowed: ['another vessel', `closure or abort of batch ${holder}`],
    errors: [{ in: 'body', pointer: '/vessel', value: vessel, rule }],
  })
}

/**
 * 409 when the vessel held another batch at that time, although it is free by now: whose readings were they? A
 * batch entered late is entered for a time when the vessel was free.
 */
export function refuseOverlap(vessel: string, from: string, occupiedUntil: string | undefined): void {
  if (occupiedUntil === undefined || from >= occupiedUntil) return
  const rule = 'a batch begins when the one before it on the vessel has ended'
  throw new ProblemError({
    status: 409,
    code: 'vessel-occupied-then',
    detail: `vessel ${vessel} held another batch until ${occupiedUntil}; this one would begin at ${from}`,
    rule,
    state: `occupied until ${occupiedUntil}`,
    allowed: ['another vessel', `occurredAt from ${occupiedUntil} on`],
    errors: [{ in: 'body', pointer: '/occurredAt', value: from, rule }],
  })
}

/** 409 unless the number is free: a batch keeps its number for good. */
export function refuseTakenNumber(wanted: NumberInCampaign, holder: string, state: BatchState): void {
  if (state.status === 'absent' || state.status === 'void') return
  const rule = 'one number and attempt a campaign'
  throw new ProblemError({
    status: 409,
    code: 'number-reserved',
    detail: `number ${wanted.number}, attempt ${wanted.attempt} of campaign ${wanted.campaign} is batch ${holder}, which is ${state.status}; a repeat takes the next attempt`,
    rule,
    state: state.status,
    allowed: [`attempt ${wanted.attempt + 1}`, 'another number', 'another campaign'],
    errors: [{ in: 'body', pointer: '/number', value: wanted.number, rule }],
  })
}

/** Seals the stream of a batch that never came to be. False when it came to be after all. */
export async function giveUpBatch(store: EventStore, batchId: string, by: Circumstance): Promise<boolean> {
  const id = namedId('batch-void/v1', batchId)
  const fact = { type: 'StreamSealed', occurredAt: by.receivedAt, data: { count: 0 } }
  await store.append([
    { stream: streams.batch(batchId), expectedRevision: 'noStream', events: [eventOf(id, fact, by)] },
  ])
  return (await readBatch(store, batchId)).state.status === 'void'
}

export function vesselReleased(vessel: string, batchId: string, at: string, by: Circumstance): ClientEvent {
  const id = namedId('vessel-released/v1', batchId)
  return eventOf(id, { type: 'VesselReleased', occurredAt: by.receivedAt, data: { vessel, batchId, at } }, by)
}

/** After the end of a batch. Does nothing when somebody else did it; a later creation repairs what is missed here. */
export async function releaseVessel(
  store: EventStore,
  batch: { readonly batchId: string; readonly vessel: string; readonly endedAt: string },
  by: Circumstance,
): Promise<void> {
  for (let tries = 0; tries < 5; tries++) {
    const held = await vesselHolding(store, batch.vessel)
    if (held.heldBy !== batch.batchId) return
    const event = vesselReleased(batch.vessel, batch.batchId, batch.endedAt, by)
    const [outcome] = await store.append([
      { stream: held.stream, expectedRevision: expected(held), events: [event] },
    ])
    if (outcome?.kind !== 'conflict') return
  }
}
