/** Reads a batch's own stream: its state, its revision, and which events are there already. */
import { type BatchState, evolve, initialState } from '../domain/batch/batch.ts'
import type { EventStore } from '../infra/event-store/event-store.ts'
import type { RecordedEvent } from '../schemas/event.ts'
import { upcast } from '../schemas/events/registry.ts'
import { streams } from '../schemas/streams.ts'

export type BatchStream = {
  readonly state: BatchState
  /** −1 before the first event. */
  readonly revision: bigint
  readonly events: readonly RecordedEvent[]
}

export async function readBatch(store: EventStore, batchId: string): Promise<BatchStream> {
  const events: RecordedEvent[] = []
  let state = initialState
  for await (const event of store.readStream(streams.batch(batchId))) {
    events.push(event)
    state = evolve(state, upcast(event))
  }
  return { state, revision: events.at(-1)?.revision ?? -1n, events }
}
