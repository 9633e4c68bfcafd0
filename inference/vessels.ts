/**
 * The vessels of the lanes that this worker owns. What is known of a vessel is rebuilt from the store at the first event that
 * comes for it, never guessed; what it leads to is settled before the next delivery is taken, so memory holds the open
 * batches and one delivery. A vessel without an open batch holds nothing but its name.
 */
import type { Delivery, Lane, VesselFeed } from '../infra/feed/feed.ts'
import { untilItWorks } from '../infra/until-it-works.ts'
import type { RecordedEvent } from '../schemas/event.ts'
import { isRefusal } from './appending.ts'
import { batchRun } from './batch-run.ts'
import { type GovernanceHistory, readGovernance } from './governance/history.ts'
import { readOwnHeads } from './own-streams.ts'
import { type BatchWork, type OpenBatch, type SettleDeps, settle } from './settle.ts'

export type VesselsDeps = Omit<SettleDeps, 'store' | 'history'> & {
  readonly store: SettleDeps['store'] &
    Parameters<typeof readOwnHeads>[0] &
    Parameters<typeof readGovernance>[0]
  readonly feed: Pick<VesselFeed, 'readVessel'>
}

export type Vessels = {
  /** Resolves when everything that follows from the delivery is durable. */
  take(delivery: Delivery): Promise<void>
  drop(lanes: readonly Lane[]): void
  counts(): { readonly vessels: number; readonly openBatches: number }
}

type Vessel = { readonly lane: Lane; readonly batches: Map<string, OpenBatch> }

/** Steps settled together at most while a vessel's past is folded again. */
const stepsAtOnce = 256

export function vesselsOf(deps: VesselsDeps): Vessels {
  const vessels = new Map<string, Vessel>()
  const histories = new Map<Lane, GovernanceHistory>()

  const persistently = <Result>(what: string, work: () => Promise<Result>): Promise<Result> =>
    untilItWorks({ what, log: deps.log, signal: deps.signal, isFinal: isRefusal }, work)

  /** Model events below the lane's first event are not on the lane any more: they are read from the store. */
  async function historyOf(lane: Lane, first: RecordedEvent): Promise<GovernanceHistory> {
    const known = histories.get(lane)
    if (known) return known
    const history = await persistently('read the models', () => readGovernance(deps.store, first.position))
    histories.set(lane, history)
    return history
  }

  async function fold(vessel: Vessel, event: RecordedEvent, work: BatchWork[]): Promise<void> {
    if (event.type === 'BatchCreated') return await open(vessel, event)
    for (const [batchId, batch] of vessel.batches)
      for (const step of batch.run.apply(event)) {
        work.push({ batch, step })
        if (step.kind === 'end') vessel.batches.delete(batchId)
      }
  }

  async function open(vessel: Vessel, created: RecordedEvent): Promise<void> {
    const run = batchRun(created)
    if (!run || vessel.batches.has(run.batchId)) return
    const heads = await persistently('read the forecasts of a batch', () =>
      readOwnHeads(deps.store, run.batchId),
    )
    if (heads.derived.isSealed && heads.forecast.isSealed) return
    vessel.batches.set(run.batchId, { run, heads })
  }

  /** Folds the vessel's past; what a worker before this one left undone is made up for. */
  async function rebuilt(
    name: string,
    lane: Lane,
    before: bigint,
    run: (work: readonly BatchWork[]) => Promise<void>,
  ): Promise<Vessel> {
    const vessel: Vessel = { lane, batches: new Map() }
    let work: BatchWork[] = []
    for await (const event of deps.feed.readVessel(name, { before })) {
      await fold(vessel, event, work)
      if (work.length < stepsAtOnce) continue
      await run(work)
      work = []
    }
    await run(work)
    vessels.set(name, vessel)
    return vessel
  }

  return {
    async take({ lane, events, signal }) {
      const [first] = events
      if (!first) return
      const history = await historyOf(lane, first.event)
      const run = (work: readonly BatchWork[]) =>
        settle({ ...deps, history, signal: AbortSignal.any([deps.signal, signal]) }, work)
      const work: BatchWork[] = []
      for (const { vessel: name, event } of events) {
        if (name === undefined) {
          history.apply(event)
          continue
        }
        const known = vessels.get(name)
        // What broke half-way is begun anew: nothing of it was kept but what is durable.
        const vessel =
          known ?? (await persistently('rebuild a vessel', () => rebuilt(name, lane, event.position, run)))
        await fold(vessel, event, work)
      }
      await run(work)
    },
    drop(lanes) {
      for (const lane of lanes) histories.delete(lane)
      for (const [name, { lane }] of vessels) if (lanes.includes(lane)) vessels.delete(name)
    },
    counts() {
      let openBatches = 0
      for (const { batches } of vessels.values()) openBatches += batches.size
      return { vessels: vessels.size, openBatches }
    },
  }
}
