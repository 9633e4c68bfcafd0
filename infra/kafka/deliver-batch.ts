/** One fetched batch of a partition: what is new of it goes to the consumer, what is unreadable to the dead letters. */
import type { Batch } from 'kafkajs'
import { type FeedConsumer, type FeedEvent, ForeignFeedError } from '../feed/feed.ts'
import type { DeadLetter, DeadLetters } from './dead-letters.ts'
import type { Lanes } from './lanes.ts'
import { decodeRecord } from './record.ts'

export type DeliverBatchDeps = {
  readonly consumer: Pick<FeedConsumer, 'onEvents'>
  readonly lanes: Lanes
  readonly deadLetters: DeadLetters
  readonly storeId: string
}

/** Resolves when everything that follows from the batch is durable; rejects with `ForeignFeedError` or the consumer's error. */
export async function deliverBatch(
  deps: DeliverBatchDeps,
  batch: Pick<Batch, 'topic' | 'partition' | 'messages' | 'highWatermark' | 'lastOffset'>,
  signal: AbortSignal,
): Promise<void> {
  const { lanes, storeId } = deps
  const { topic, partition } = batch
  const lane = String(partition)
  const owned = lanes.of(lane)
  if (!owned) return
  let events: FeedEvent[] = []
  const letters: DeadLetter[] = []
  const end = BigInt(batch.lastOffset())

  const deliver = async (caughtUp: boolean): Promise<void> => {
    if (events.length === 0) return
    const those = events
    events = []
    await deps.consumer.onEvents({ lane, events: those, caughtUp, signal })
  }
  const beginAnew = async (): Promise<void> => {
    await deliver(false)
    await lanes.begin(lane)
  }

  for (const message of batch.messages) {
    const offset = BigInt(message.offset)
    const decoded = decodeRecord(message)
    if (decoded.kind === 'poison') {
      let verdict = owned.order.skip(offset)
      if (verdict === 'hole') {
        await beginAnew()
        verdict = owned.order.skip(offset)
      }
      if (verdict === 'new')
        letters.push({ topic, partition, message, reason: decoded.reason, rule: decoded.rule })
      continue
    }
    const { event } = decoded
    if (decoded.storeId !== storeId)
      throw new ForeignFeedError(`partition ${partition} of topic ${topic}`, storeId, decoded.storeId)
    const place = { offset, position: event.position }
    let verdict = owned.order.next(place)
    if (verdict === 'hole') {
      await beginAnew()
      verdict = owned.order.next(place)
    }
    if (verdict === 'new') events.push({ vessel: decoded.key, event })
  }
  const waiting = BigInt(batch.highWatermark) - end - 1n
  await deliver(waiting <= 0n)
  if (letters.length > 0) await deps.deadLetters.put(letters, signal)
  owned.waiting = Number(waiting)
}
