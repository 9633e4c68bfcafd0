/**
 * Creates a batch: claims its number in the campaign, reserves the vessel, then records it. Three streams cannot be
 * written at once, so every step can be taken again: the same request completes what a crash left half-done, and
 * another request takes over what nobody completes.
 */
import { initialState } from '../domain/batch/batch.ts'
import type { BatchCommand } from '../domain/batch/commands.ts'
import { decide } from '../domain/batch/decide.ts'
import type { Fact } from '../domain/batch/decision.ts'
import type { EventStore } from '../infra/event-store/event-store.ts'
import { derivedId } from '../schemas/ids.ts'
import { streams } from '../schemas/streams.ts'
import { contended, keyReused, rejected, type Stored } from './answers.ts'
import { readBatch } from './batch-stream.ts'
import { type Circumstance, eventOf } from './envelope.ts'
import { batchIdOfClaim, claimId, namedId, type RequestIdentity } from './request-ids.ts'
import {
  expected,
  giveUpBatch,
  type Holding,
  type NumberInCampaign,
  numberHolding,
  refuseBusyVessel,
  refuseOverlap,
  refuseTakenNumber,
  vesselHolding,
  vesselReleased,
} from './reservations.ts'

export type Creation = {
  readonly identity: RequestIdentity
  readonly command: Extract<BatchCommand, { kind: 'create' }>
  readonly by: Circumstance
}

const mostTries = 20

/** The recorded `BatchCreated`, now or of an earlier sending of the same request. Throws `ProblemError`. */
export async function createBatch(
  store: EventStore,
  creation: Creation,
): Promise<{ readonly batchId: string; readonly stored: Stored }> {
  let given = 0
  for (let tries = 0; tries < mostTries; tries++) {
    const claim = claimId(creation.identity, given)
    const claimed = await store.readById(claim)
    if (claimed && claimed.causationId !== creation.by.causationId) throw keyReused()
    const by = claimed ? { ...creation.by, receivedAt: claimed.receivedAt } : creation.by
    const batchId = claimed ? String(claimed.data.batchId) : batchIdOfClaim(claim, Date.parse(by.receivedAt))
    const existing = await readBatch(store, batchId)
    if (existing.state.status === 'void') {
      given++
      continue
    }
    const [first] = existing.events
    if (first) return { batchId, stored: first }

    const plan = planned(creation.command, { batchId, claim, by })
    if (!claimed) await refuseIfTaken(store, plan)
    if (!(await claimNumber(store, plan))) continue
    if (!(await reserveVessel(store, plan))) continue
    const [outcome] = await store.append([
      { stream: streams.batch(plan.batchId), expectedRevision: 'noStream', events: [plan.created] },
    ])
    if (outcome?.kind === 'appended' || outcome?.kind === 'duplicate') {
      const [stored] = outcome.recorded
      if (stored) return { batchId: plan.batchId, stored }
    }
  }
  throw contended()
}

type Plan = {
  readonly batchId: string
  readonly claim: string
  readonly by: Circumstance
  readonly wanted: NumberInCampaign
  readonly vessel: string
  readonly created: ReturnType<typeof eventOf>
}

/** `by` says when the request arrived first: sent again, it leads to the same events. */
function planned(
  command: Creation['command'],
  { batchId, claim, by }: Pick<Plan, 'batchId' | 'claim' | 'by'>,
): Plan {
  const eventId = derivedId(Date.parse(by.receivedAt), 'batch-created/v1', batchId)
  const decision = decide(initialState, command, {
    batchId,
    eventId,
    actor: by.actor,
    receivedAt: by.receivedAt,
  })
  if (decision.kind === 'rejected') throw rejected(decision.rejections)
  const { fact } = decision
  const data = fact.data as NumberInCampaign & { vessel: string }
  return {
    batchId,
    claim,
    by,
    wanted: { campaign: data.campaign, number: data.number, attempt: data.attempt },
    vessel: data.vessel,
    created: eventOf(eventId, fact, by),
  }
}

/** Looks before anything is written, so that a refused request leaves nothing behind. */
async function refuseIfTaken(store: EventStore, plan: Plan): Promise<void> {
  const number = await numberHolding(store, plan.wanted)
  if (number.heldBy)
    refuseTakenNumber(plan.wanted, number.heldBy, (await readBatch(store, number.heldBy)).state)
  const vessel = await vesselHolding(store, plan.vessel)
  if (vessel.heldBy)
    refuseBusyVessel(plan.vessel, vessel.heldBy, (await readBatch(store, vessel.heldBy)).state)
  refuseOverlap(plan.vessel, plan.created.occurredAt, vessel.occupiedUntil)
}

/** False when others were faster and everything must be looked at again. */
async function claimNumber(store: EventStore, plan: Plan): Promise<boolean> {
  const held = await numberHolding(store, plan.wanted)
  const holder = held.heldBy
  if (holder === plan.batchId) return true
  if (holder !== undefined) {
    const { state } = await readBatch(store, holder)
    refuseTakenNumber(plan.wanted, holder, state)
    if (state.status !== 'void' && !(await giveUpBatch(store, holder, plan.by))) return false
  }
  const numberFact = (type: string, batchId: string): Fact => ({
    type,
    occurredAt: plan.by.receivedAt,
    data: { ...plan.wanted, batchId },
  })
  const released =
    holder === undefined
      ? []
      : [
          eventOf(
            namedId('number-released/v1', holder),
            numberFact('CampaignNumberReleased', holder),
            plan.by,
          ),
        ]
  return await reserve(store, held, [
    ...released,
    eventOf(plan.claim, numberFact('CampaignNumberReserved', plan.batchId), plan.by),
  ])
}

async function reserveVessel(store: EventStore, plan: Plan): Promise<boolean> {
  const held = await vesselHolding(store, plan.vessel)
  const holder = held.heldBy
  if (holder === plan.batchId) return true
  refuseOverlap(plan.vessel, plan.created.occurredAt, held.occupiedUntil)
  const released = []
  if (holder !== undefined) {
    const { state, events } = await readBatch(store, holder)
    refuseBusyVessel(plan.vessel, holder, state)
    if (state.status === 'absent' && !(await giveUpBatch(store, holder, plan.by))) return false
    const end = events.find((event) => event.type === 'BatchClosed' || event.type === 'BatchAborted')
    if (end) refuseOverlap(plan.vessel, plan.created.occurredAt, end.occurredAt)
    // A batch that never came to be occupied the vessel for no time at all.
    const at = end?.occurredAt ?? held.heldFrom ?? plan.by.receivedAt
    released.push(vesselReleased(plan.vessel, holder, at, plan.by))
  }
  const reserved: Fact = {
    type: 'VesselReserved',
    occurredAt: plan.by.receivedAt,
    data: { vessel: plan.vessel, batchId: plan.batchId, from: plan.created.occurredAt },
  }
  return await reserve(store, held, [
    ...released,
    eventOf(namedId('vessel-reserved/v1', plan.batchId), reserved, plan.by),
  ])
}

async function reserve(
  store: EventStore,
  held: Holding,
  events: readonly ReturnType<typeof eventOf>[],
): Promise<boolean> {
  const [outcome] = await store.append([{ stream: held.stream, expectedRevision: expected(held), events }])
  return outcome?.kind === 'appended' || outcome?.kind === 'duplicate'
}
