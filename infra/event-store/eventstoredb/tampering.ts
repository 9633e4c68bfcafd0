/**
 * What must never happen to records and can only be seen afterwards, on `$all`: somebody shortened or deleted a
 * stream, changed who may do so, or wrote past us. Metadata write permission is deletion by another name: retention
 * hides events from stream reads at once and the next scavenge removes them.
 */
import type { RecordedEvent as ServerEvent } from '@eventstore/db-client'
import { isSystemStream } from './own-streams.ts'

export type TamperingFinding = {
  readonly kind:
    | 'retention-set' // $maxAge, $maxCount: events will disappear by themselves
    | 'stream-truncated' // $tb: events before a revision are hidden
    | 'stream-soft-deleted' // $tb at its maximum: all events are hidden
    | 'stream-tombstoned' // the stream is deleted for ever
    | 'access-changed' // $acl: somebody else may write, delete or read
    | 'foreign-event' // an event in a stream of ours that is not in our form
    | 'doubled-id' // the same event id stands twice in the store
  readonly stream: string
  readonly position: bigint
  readonly eventId: string
  /** When the server stored it, its own clock. */
  readonly at: string
  readonly facts: Readonly<Record<string, string>>
}

/** Findings of a system event, or of a tombstone in one of our streams; none for everything else. */
export function tamperingOf(event: ServerEvent, position: bigint): readonly TamperingFinding[] {
  const base = { position, eventId: event.id, at: event.created.toISOString() }
  if (event.type === '$streamDeleted' && !isSystemStream(event.streamId))
    return [{ ...base, kind: 'stream-tombstoned', stream: event.streamId, facts: {} }]
  if (event.type !== '$metadata' || !event.streamId.startsWith('$$')) return []
  const stream = event.streamId.slice(2)
  if (isSystemStream(stream)) return []
  const metadata = event.data as unknown
  if (typeof metadata !== 'object' || metadata === null) return []
  const value = (key: string): unknown => (metadata as Record<string, unknown>)[key]
  const finding = (kind: TamperingFinding['kind'], key: string): TamperingFinding => ({
    ...base,
    kind,
    stream,
    facts: { [key]: JSON.stringify(value(key)) },
  })
  const findings: TamperingFinding[] = []
  for (const key of ['$maxAge', '$maxCount'])
    if (value(key) !== undefined) findings.push(finding('retention-set', key))
  const truncateBefore = value('$tb')
  if (truncateBefore !== undefined)
    findings.push(
      // A soft delete writes 2^63-1, which JSON.parse rounds up: compare by size, never by equality.
      finding(
        Number(truncateBefore) >= Number.MAX_SAFE_INTEGER ? 'stream-soft-deleted' : 'stream-truncated',
        '$tb',
      ),
    )
  if (value('$acl') !== undefined) findings.push(finding('access-changed', '$acl'))
  return findings
}
