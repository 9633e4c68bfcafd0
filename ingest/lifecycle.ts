/**
 * Which stream a reading belongs to. A batch occupies its vessel from `BatchCreated.occurredAt` (inclusive) to its
 * closure or abort (exclusive); outside of that a vessel's readings go to the idle stream of their UTC day.
 * Pure fold over the batch streams' events, in position order.
 */
import type { RecordedEvent } from '../schemas/event.ts'
import { streams } from '../schemas/streams.ts'

export const lifecycleTypes = ['BatchCreated', 'BatchClosed', 'BatchAborted'] as const

export type Occupancy = {
  readonly batchId: string
  readonly vessel: string
  readonly fromMs: number
  /** Undefined while the batch is open. */
  readonly toMs: number | undefined
}

export type Lifecycle = {
  apply(event: RecordedEvent): void
  /** The batch that the vessel was in at that source time; the one created last where two claim it. */
  occupancyAt(vessel: string, atMs: number): Occupancy | undefined
  /** In the order of their closure. */
  ended(): Iterable<Occupancy>
}

export function lifecycle(): Lifecycle {
  const byBatch = new Map<string, Occupancy>()
  const byVessel = new Map<string, string[]>()
  const endedBatches = new Set<string>()

  return {
    apply(event) {
      const { batchId, vessel } = event.data
      if (typeof batchId !== 'string') return
      const atMs = Date.parse(event.occurredAt)
      if (event.type === 'BatchCreated') {
        if (typeof vessel !== 'string' || byBatch.has(batchId)) return
        byBatch.set(batchId, { batchId, vessel, fromMs: atMs, toMs: undefined })
        byVessel.set(vessel, [...(byVessel.get(vessel) ?? []), batchId])
      } else if (event.type === 'BatchClosed' || event.type === 'BatchAborted') {
        const occupancy = byBatch.get(batchId)
        if (!occupancy || occupancy.toMs !== undefined) return
        byBatch.set(batchId, { ...occupancy, toMs: atMs })
        endedBatches.add(batchId)
      }
    },
    occupancyAt(vessel, atMs) {
      const batches = byVessel.get(vessel)
      if (!batches) return undefined
      for (let index = batches.length - 1; index >= 0; index--) {
        const occupancy = byBatch.get(batches[index] as string)
        if (occupancy && atMs >= occupancy.fromMs && (occupancy.toMs === undefined || atMs < occupancy.toMs))
          return occupancy
      }
      return undefined
    },
    *ended() {
      for (const batchId of endedBatches) yield byBatch.get(batchId) as Occupancy
    },
  }
}

const dayMs = 86_400_000
const days = new Map<number, string>()

/** The vessel's idle stream of the UTC day of `atMs`. */
export function idleStream(vessel: string, atMs: number): string {
  const number = Math.floor(atMs / dayMs)
  let day = days.get(number)
  if (day === undefined) {
    day = new Date(number * dayMs).toISOString().slice(0, 10)
    if (days.size > 10_000) days.clear()
    days.set(number, day)
  }
  return streams.idleReading(vessel, day)
}
