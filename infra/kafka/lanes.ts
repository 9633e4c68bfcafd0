/** The lanes that a worker owns, and what it knows of each, through rebalances and reconnections. */
import type { FeedConsumer, Lane, LaneProgress } from '../feed/feed.ts'
import { type LaneOrder, laneOrder } from './lane-order.ts'

type OwnedLane = { readonly order: LaneOrder; waiting: number | undefined }

export type Lanes = {
  /** These and no others are owned from now on; those that stay keep their state. */
  become(lanes: readonly Lane[]): Promise<void>
  /** The state of this lane is worth nothing any more; it stays owned and begins anew. */
  begin(lane: Lane): Promise<void>
  of(lane: Lane): OwnedLane | undefined
  owned(): readonly Lane[]
  progress(): readonly LaneProgress[]
}

export function openLanes(consumer: Pick<FeedConsumer, 'onAssigned' | 'onRevoked'>): Lanes {
  const lanes = new Map<Lane, OwnedLane>()
  return {
    async become(next) {
      const revoked = [...lanes.keys()].filter((lane) => !next.includes(lane))
      const assigned = next.filter((lane) => !lanes.has(lane))
      for (const lane of revoked) lanes.delete(lane)
      if (revoked.length > 0) await consumer.onRevoked(revoked)
      for (const lane of assigned) lanes.set(lane, { order: laneOrder(), waiting: undefined })
      if (assigned.length > 0) await consumer.onAssigned(assigned)
    },
    async begin(lane) {
      const owned = lanes.get(lane)
      if (!owned) return
      owned.order.reset()
      await consumer.onRevoked([lane])
      await consumer.onAssigned([lane])
    },
    of: (lane) => lanes.get(lane),
    owned: () => [...lanes.keys()],
    progress: () =>
      [...lanes].map(([lane, { order, waiting }]) => ({ lane, position: order.position(), waiting })),
  }
}
