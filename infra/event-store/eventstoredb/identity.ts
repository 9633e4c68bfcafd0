/**
 * Who the store is: a random id written once as the first event of a stream of its own. Several processes may
 * try; only one append finds no stream, and its id counts for all.
 */
import { randomUUID } from 'node:crypto'
import type { Connection } from './connection.ts'
import { failureOf, unavailable } from './errors.ts'
import { identityStream } from './own-streams.ts'

/** The store's id, undefined when none was written yet. */
export async function readStoreId(connection: Connection): Promise<string | undefined> {
  try {
    const [first] = await connection.readStream(identityStream, {
      from: 'start',
      direction: 'forwards',
      maxCount: 1,
    })
    const data = first?.event.data as { storeId?: unknown } | undefined
    return typeof data?.storeId === 'string' ? data.storeId : undefined
  } catch (error) {
    if (failureOf(error) === 'missing') return undefined
    throw error
  }
}

export async function readOrWriteStoreId(connection: Connection): Promise<string> {
  const known = await readStoreId(connection)
  if (known !== undefined) return known
  const storeId = randomUUID()
  try {
    await connection.append(
      identityStream,
      [
        {
          id: randomUUID(),
          type: 'StoreIdentified',
          contentType: 'application/json',
          data: { storeId },
          metadata: undefined,
        },
      ],
      'no_stream',
    )
  } catch (error) {
    if (failureOf(error) !== 'wrong-revision') throw error
  }
  const written = await readStoreId(connection)
  if (written === undefined) throw unavailable('the event store does not give back its identity')
  return written
}
