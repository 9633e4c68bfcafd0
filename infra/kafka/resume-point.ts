/**
 * Where a relay goes on: what is certain to be in the topics need not be read from the store again, what a partition
 * has need not be written again. Duplicates would be harmless (consumers drop them by position), a gap would not.
 */
import { z } from 'zod'
import { ForeignFeedError } from '../feed/feed.ts'
import type { LastRecord } from './last-records.ts'

/** Written to the relay's own topic after everything up to the position was acknowledged by every partition. */
export type RelayProgress = {
  readonly storeId: string
  readonly position: bigint
  readonly eventId: string
  /** `topic/partition` → offset of the next record then: a topic that was made anew ends before it. */
  readonly ends: Readonly<Record<string, bigint>>
}

export type ResumePoint = {
  /** Read the store after this position; undefined: from the beginning. */
  readonly after: bigint | undefined
  /** `topic/partition` → position of its last record: events up to it are there. */
  readonly lastPositions: ReadonlyMap<string, bigint>
  /** The furthest event that the topics tell of; undefined for empty topics. */
  readonly furthest:
    | { readonly storeId: string; readonly position: bigint; readonly eventId: string }
    | undefined
}

/** Throws `ForeignFeedError` when a record is of another store, `PartitionsChangedError` when partitions were added. */
export function resumePoint(
  storeId: string,
  partitions: readonly LastRecord[],
  progress: RelayProgress | undefined,
): ResumePoint {
  for (const { topic, partition, last } of partitions)
    if (last && last.storeId !== storeId)
      throw new ForeignFeedError(`partition ${partition} of topic ${topic}`, storeId, last.storeId)
  if (progress && progress.storeId !== storeId)
    throw new ForeignFeedError("the relay's progress", storeId, progress.storeId)
  const isOfTheseTopics = progress !== undefined && holdsAll(partitions, progress)
  if (progress && isOfTheseTopics) refuseAddedPartitions(partitions, progress)

  const lastPositions = new Map<string, bigint>()
  let furthest: ResumePoint['furthest'] = isOfTheseTopics ? progress : undefined
  let lowest: bigint | undefined
  let isEveryPartitionKnown = partitions.length > 0
  for (const { topic, partition, last } of partitions) {
    if (!last) {
      isEveryPartitionKnown = false
      continue
    }
    lastPositions.set(`${topic}/${partition}`, last.position)
    if (lowest === undefined || last.position < lowest) lowest = last.position
    if (!furthest || last.position > furthest.position) furthest = last
  }
  const fromRecords = isEveryPartitionKnown ? lowest : undefined
  const fromProgress = isOfTheseTopics ? progress.position : undefined
  const after =
    fromRecords === undefined || (fromProgress !== undefined && fromProgress > fromRecords)
      ? fromProgress
      : fromRecords
  return { after, lastPositions, furthest }
}

function holdsAll(partitions: readonly LastRecord[], progress: RelayProgress): boolean {
  const ends = new Map(partitions.map((one) => [`${one.topic}/${one.partition}`, one.end]))
  return Object.entries(progress.ends).every(([key, end]) => (ends.get(key) ?? -1n) >= end)
}

function refuseAddedPartitions(partitions: readonly LastRecord[], progress: RelayProgress): void {
  for (const { topic, partition } of partitions)
    if (!(`${topic}/${partition}` in progress.ends)) throw new PartitionsChangedError(topic, partition + 1)
}

/** A vessel's key would now lead to another partition: its order would be lost in the middle. */
export class PartitionsChangedError extends Error {
  readonly code = 'partitions-changed'
  constructor(
    readonly topic: string,
    readonly partitions: number,
  ) {
    super(
      `topic ${topic} was given partitions after it was filled (now at least ${partitions}): stop the workers, delete the topic and let the relay fill it anew`,
    )
  }
}

const written = z.object({
  storeId: z.string(),
  position: z.string().regex(/^\d+$/),
  eventId: z.string(),
  ends: z.record(z.string(), z.string().regex(/^\d+$/)),
})

export function encodeProgress(progress: RelayProgress): Buffer {
  const ends = Object.fromEntries(Object.entries(progress.ends).map(([key, end]) => [key, String(end)]))
  return Buffer.from(JSON.stringify({ ...progress, position: String(progress.position), ends }))
}

/** Undefined for what is no progress. */
export function decodeProgress(value: Buffer | null): RelayProgress | undefined {
  if (!value) return undefined
  try {
    const { storeId, position, eventId, ends } = written.parse(JSON.parse(value.toString()))
    return {
      storeId,
      position: BigInt(position),
      eventId,
      ends: Object.fromEntries(Object.entries(ends).map(([key, end]) => [key, BigInt(end)])),
    }
  } catch {
    return undefined
  }
}
