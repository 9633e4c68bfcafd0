/**
 * Which vessel an event concerns. Readings say it themselves; a batch's stream and the seal of its readings belong to
 * the vessel that `BatchCreated` (always the batch stream's first event) names; models concern every vessel.
 */
import type { RecordedEvent } from '../../schemas/event.ts'
import { categoryOf, streams } from '../../schemas/streams.ts'
import type { EventFilter, EventStore } from '../event-store/event-store.ts'

export type Route =
  | { readonly kind: 'vessel'; readonly vessel: string }
  | { readonly kind: 'every-vessel' }
  | { readonly kind: 'none' }

/** Nothing outside of these categories has a route. */
export const routedCategories: NonNullable<EventFilter['categories']> = ['reading', 'batch', 'model']

export type VesselRouting = { routeOf(event: RecordedEvent): Promise<Route> | Route }

const none: Route = { kind: 'none' }
const everyVessel: Route = { kind: 'every-vessel' }
const longestMemory = 10_000

/** Reads the first event of a batch it has not seen yet, so it may begin at any position. */
export function vesselRouting(store: Pick<EventStore, 'readStream'>): VesselRouting {
  const vessels = new Map<string, string>()

  async function vesselOfBatch(batchId: string): Promise<Route> {
    const known = vessels.get(batchId)
    if (known !== undefined) return { kind: 'vessel', vessel: known }
    for await (const event of store.readStream(streams.batch(batchId), { maxCount: 1 }))
      if (event.type === 'BatchCreated') return remember(batchId, event)
    return none
  }

  function remember(batchId: string, created: RecordedEvent): Route {
    const { vessel } = created.data
    if (typeof vessel !== 'string') return none
    if (vessels.size >= longestMemory) vessels.clear()
    vessels.set(batchId, vessel)
    return { kind: 'vessel', vessel }
  }

  return {
    routeOf(event) {
      if (event.type === 'SensorReadingRecorded') {
        const { vessel } = event.data
        return typeof vessel === 'string' ? { kind: 'vessel', vessel } : none
      }
      const category = categoryOf(event.stream)
      const batchId = event.stream.slice(category.length + 1)
      if (category === 'batch')
        return event.type === 'BatchCreated' ? remember(batchId, event) : vesselOfBatch(batchId)
      if (category === 'reading')
        return event.type === 'StreamSealed' && !isIdleStream(event.stream) ? vesselOfBatch(batchId) : none
      return category === 'model' ? everyVessel : none
    },
  }
}

const isIdleStream = (stream: string): boolean => /-idle-\d{8}$/.test(stream)
