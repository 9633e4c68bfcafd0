/**
 * A checkpoint says how far a consumer has come: in which store, at which position, at which event. Comparing
 * the event too makes a reset or restored store visible at start instead of silently skipping events.
 */
import type { EventStore } from './event-store.ts'

export type Checkpoint = { readonly storeId: string; readonly position: bigint; readonly eventId: string }

/** Throws `StoreReplacedError` when the store is not the one the checkpoint was taken in. */
export async function assertSameStore(store: EventStore, checkpoint: Checkpoint | undefined): Promise<void> {
  if (!checkpoint) return
  if (checkpoint.storeId !== store.storeId)
    throw new StoreReplacedError(checkpoint, `the store's identity is ${store.storeId}`)
  const event = await store.readById(checkpoint.eventId)
  if (!event) throw new StoreReplacedError(checkpoint, 'the store does not hold that event')
  if (event.position !== checkpoint.position)
    throw new StoreReplacedError(checkpoint, `the store holds that event at position ${event.position}`)
}

export class StoreReplacedError extends Error {
  readonly code = 'store-replaced'
  constructor(
    readonly checkpoint: Checkpoint,
    readonly finding: string,
  ) {
    super(
      `the event store was reset or restored: the checkpoint names event ${checkpoint.eventId} at position ${checkpoint.position} ` +
        `of store ${checkpoint.storeId}, but ${finding}. Restore the right store, or rebuild the read models.`,
    )
  }
}
