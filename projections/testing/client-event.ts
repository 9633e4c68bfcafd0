/** An event as a writer would hand it to the store, with its envelope filled in. */
import type { ClientEvent } from '../../schemas/event.ts'
import { derivedId } from '../../schemas/ids.ts'

export type Entry = { readonly stream: string; readonly event: ClientEvent }

export const testStartMs = Date.parse('2026-11-20T08:00:00.000Z')

let drawn = 0
/** An event with the envelope filled in; ids differ from call to call and, through `salt`, from run to run. */
export function clientEvent(
  type: string,
  atMs: number,
  data: Record<string, unknown>,
  extra: Partial<ClientEvent> = {},
): ClientEvent {
  const at = new Date(atMs).toISOString()
  return {
    id: derivedId(atMs, 'test', type, drawn++, process.pid),
    type,
    schemaVersion: 1,
    occurredAt: at,
    receivedAt: at,
    actor: { kind: 'human', id: 'p-17', role: 'technician' },
    origin: 'live',
    site: 'test',
    data,
    ...extra,
  }
}
