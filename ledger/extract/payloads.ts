/** Payloads and salts that stand beside the leaves which carry only a digest of them, from the event store. */
import type { EventStore } from '../../infra/event-store/event-store.ts'
import type { RecordedEvent } from '../../schemas/event.ts'
import { payloadText } from '../leaf/payload.ts'
import { ExtractError } from './errors.ts'

/** The canonical payload, and the salt in base64 where the leaf's digest is salted. */
export type Payload = { readonly payload: string; readonly salt?: string }
export type PayloadReader = (stream: string, revision: bigint) => Promise<Payload>

const ahead = 500

/** Reads a stream onwards in pages, as an extract asks for rising revisions. */
export function storePayloads(store: Pick<EventStore, 'readStream' | 'saltsOf'>): PayloadReader {
  const pages = new Map<string, Map<bigint, Payload>>()
  return async (stream, revision) => {
    const held = pages.get(stream)?.get(revision)
    if (held) return held
    const events: RecordedEvent[] = []
    for await (const event of store.readStream(stream, { from: revision, maxCount: ahead }))
      events.push(event)
    const salts = await store.saltsOf(events)
    const page = new Map<bigint, Payload>()
    for (const event of events) {
      const salt = salts.get(event.id)
      page.set(event.revision, {
        payload: payloadText(event),
        ...(salt ? { salt: Buffer.from(salt).toString('base64') } : {}),
      })
    }
    pages.set(stream, page)
    const found = page.get(revision)
    if (!found)
      throw new ExtractError(
        'payload-missing',
        `the store has no ${stream} revision ${revision}, which the log has`,
        {
          stream,
          revision: String(revision),
        },
      )
    return found
  }
}
