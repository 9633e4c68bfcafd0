/** Events of the store by position for a reader who distrusts it: rows that cannot be read at all are named, not thrown. */
import type { EventStore } from '../../infra/event-store/event-store.ts'
import type { RecordedEvent } from '../../schemas/event.ts'
import { findEventType } from '../../schemas/events/registry.ts'

export type StoredEvents = {
  readonly events: ReadonlyMap<bigint, RecordedEvent>
  /** By event id. */
  readonly salts: ReadonlyMap<string, Uint8Array>
  /** Why the event at a position cannot be read. */
  readonly damaged: ReadonlyMap<bigint, string>
}

/**
 * Everything at positions `first` … `last`, about `limit` events at most: more than the log holds there says enough.
 * Rejects only when the store does not answer.
 */
export async function readStoredEvents(
  store: EventStore,
  { first, last, limit }: { readonly first: bigint; readonly last: bigint; readonly limit: number },
): Promise<StoredEvents> {
  const events = new Map<bigint, RecordedEvent>()
  const salts = new Map<string, Uint8Array>()
  const damaged = new Map<bigint, string>()
  await read(first, last)
  return { events, salts, damaged }

  async function read(from: bigint, to: bigint): Promise<void> {
    if (from > to) return
    try {
      const found: RecordedEvent[] = []
      for await (const page of store.readAll({ after: from - 1n, until: to, pageSize: limit })) {
        found.push(...page.events)
        if (found.length > limit) break
      }
      const typed = found.filter((event) => findEventType(event.type)?.typedByPeople === true)
      const foundSalts = typed.length === 0 ? new Map<string, Uint8Array>() : await store.saltsOf(typed)
      for (const event of found) events.set(event.position, event)
      for (const [id, salt] of foundSalts) salts.set(id, salt)
    } catch (error) {
      if ((error as { code?: unknown }).code === 'store-unavailable') throw error
      if (from === to) {
        damaged.set(from, error instanceof Error ? error.message : String(error))
        return
      }
      const middle = (from + to) / 2n
      await read(from, middle)
      await read(middle + 1n, to)
    }
  }
}
