/** The newest events of the log in memory, by position and by id: what live subscribers are fed from. */
import type { RecordedEvent } from '../../../schemas/event.ts'
import type { IndexedEvent } from './index/event-index.ts'

export type RecentEvents = {
  add(recorded: readonly RecordedEvent[], indexed: readonly IndexedEvent[]): void
  /** In order; undefined when memory does not reach back that far. */
  after(position: bigint): readonly RecordedEvent[] | undefined
  place(id: string): IndexedEvent | undefined
}

/** Holds every event after `floor` and at most `capacity` of them. */
export function recentEvents(capacity: number, floor: bigint): RecentEvents {
  const ring: RecordedEvent[] = []
  const byId = new Map<string, IndexedEvent>()
  let ringFloor = floor
  return {
    add(recorded, indexed) {
      for (const event of recorded) ring.push(event)
      for (const entry of indexed) if (!byId.has(entry.id)) byId.set(entry.id, entry)
      if (ring.length <= capacity) return
      for (const dropped of ring.splice(0, ring.length - capacity)) {
        ringFloor = dropped.position
        if (byId.get(dropped.id)?.position === dropped.position) byId.delete(dropped.id)
      }
    },
    after: (position) => (position < ringFloor ? undefined : ring.slice(firstAfter(ring, position))),
    place: (id) => byId.get(id),
  }
}

function firstAfter(events: readonly RecordedEvent[], position: bigint): number {
  let low = 0
  let high = events.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (events[middle]!.position <= position) low = middle + 1
    else high = middle
  }
  return low
}
