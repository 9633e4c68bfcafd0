/**
 * Up to which instant was asked, and up to which instant the extract can show that nothing is missing. Along the log
 * `recordedAt` never steps back: once one entry below the size of the heads statement was recorded later than an instant,
 * everything recorded up to that instant stands below that size too, and the list of heads counts it.
 */
import type { Reading } from './events.ts'
import type { Manifest } from './manifest.ts'
import { isBulk, streamsOfBatch } from './streams.ts'
import { isInstant } from './times.ts'

/** The last instant of what was asked of the stream; undefined: to its end. Of the ledger's own streams all is in it. */
export function endOf(stream: string, { request, batchId }: Manifest): string | undefined {
  const { scope, asOf, to } = request
  if (!streamsOfBatch(batchId).has(stream)) return undefined
  if (scope !== 'range' || to === undefined || !isBulk(stream, batchId)) return asOf
  return asOf !== undefined && asOf < to ? asOf : to
}

/**
 * What was recorded before this instant is counted by the heads statement: the latest of the times of the events shown
 * below its size, of what it says itself of the last entry below its size, and of its own where it stands right there.
 */
export function shownUntil({ streams, statement }: Reading, { heads }: Manifest): string | undefined {
  if (!heads || !statement) return undefined
  const times = [...streams.states.values()]
    .filter(({ stream, lastIndex }) => stream !== 'ledger-heads' && lastIndex < heads.size)
    .map(({ lastRecordedAt }) => lastRecordedAt)
  const { recordedUpTo } = statement.data
  if (typeof recordedUpTo === 'string' && isInstant(recordedUpTo) && recordedUpTo <= statement.recordedAt)
    times.push(recordedUpTo)
  if (statement.index === heads.size) times.push(statement.recordedAt)
  return times.sort().at(-1)
}
