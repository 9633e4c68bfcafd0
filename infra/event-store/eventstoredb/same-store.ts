/**
 * Is this still the store that the index was fed from? A position far beyond the end is no error at the server: a
 * store that was reset or restored is noticed only by asking for an event that must be there.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { StoreReplacedError } from '../checkpoint.ts'
import type { Connection, Placed } from './connection.ts'
import { failureOf } from './errors.ts'
import { readStoreId } from './identity.ts'
import type { IndexedEvent } from './index/event-index.ts'

/** Throws `StoreReplacedError` unless the store still holds the last event that the index knows, at its place. */
export async function assertSameStore(
  connection: Connection,
  storeId: string,
  head: IndexedEvent | undefined,
): Promise<void> {
  const checkpoint = { storeId, position: head?.position ?? -1n, eventId: head?.id ?? 'none' }
  const replaced = (finding: string) => new StoreReplacedError(checkpoint, finding)
  const identity = await readStoreId(connection)
  if (identity !== storeId)
    throw replaced(
      identity === undefined ? 'the store has no identity' : `the store's identity is ${identity}`,
    )
  if (!head) return
  let event: Placed | undefined
  for (let attempt = 1; ; attempt++) {
    try {
      ;[event] = await connection.readAll({ from: head.position, direction: 'forwards', maxCount: 1 })
      break
    } catch (error) {
      if (failureOf(error) !== 'bad-position') throw error
      // The server's error for "no record begins there" is its general one: believed only from a server that
      // answers other reads, and more than once.
      await connection.readAll({ from: 'end', direction: 'backwards', maxCount: 1 })
      if (attempt === 3) throw replaced('the store has no record at that position')
      await delay(100)
    }
  }
  if (!event) throw replaced('the store ends before that position')
  if (event.position !== head.position || event.event.id !== head.id)
    throw replaced(`the store holds event ${event.event.id} at position ${event.position}`)
}
