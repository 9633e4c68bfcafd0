/** Which keys the log was and is signed with, and from which size to which: folded from the events of `ledger-keys`. */
import type { EventStore } from '../../infra/event-store/event-store.ts'
import type { ClientEvent, RecordedEvent } from '../../schemas/event.ts'
import { streams } from '../../schemas/streams.ts'

export type KeyRecord = {
  readonly verifierKey: string
  readonly purpose: 'log' | 'export'
  /** Log size from which it holds. */
  readonly from: bigint
  /** Last size that it signed; undefined while it holds. */
  readonly to: bigint | undefined
  /** First size at which it is not to be trusted, for a revoked one. */
  readonly revokedFrom: bigint | undefined
}

/** In the order in which they were added. `events`: the stream `ledger-keys` from its beginning. */
export function keyHistory(events: readonly ClientEvent[]): KeyRecord[] {
  const keys = new Map<string, KeyRecord>()
  for (const { type, data } of events) {
    const verifierKey = String(data.verifierKey)
    const known = keys.get(verifierKey)
    if (type === 'LedgerKeyAdded' && !known)
      keys.set(verifierKey, {
        verifierKey,
        purpose: data.purpose === 'export' ? 'export' : 'log',
        from: BigInt(String(data.fromSize)),
        to: undefined,
        revokedFrom: undefined,
      })
    if (type === 'LedgerKeyRetired' && known)
      keys.set(verifierKey, { ...known, to: BigInt(String(data.lastSize)) })
    if (type === 'LedgerKeyRevoked' && known)
      keys.set(verifierKey, { ...known, revokedFrom: BigInt(String(data.firstBadSize)) })
  }
  return [...keys.values()]
}

export const holds = (key: KeyRecord): boolean => key.to === undefined && key.revokedFrom === undefined

/** The stream `ledger-keys`, whole: a handful of events. */
export async function readKeyEvents(store: EventStore): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = []
  for await (const event of store.readStream(streams.ledgerKeys)) events.push(event)
  return events
}
