/**
 * The events that make up a vessel's present state, from the store: its batches whose readings are not sealed yet, merged
 * into store order.
 */
import type { RecordedEvent } from '../../schemas/event.ts'
import { streams } from '../../schemas/streams.ts'
import type { EventStore } from '../event-store/event-store.ts'

type Range = { readonly before: bigint; readonly after?: bigint }

/**
 * Batches are looked up backwards through `vessel-<id>` to the first one that is sealed: the batches before it ended before
 * it began.
 */
export async function* readVesselFromStore(
  store: Pick<EventStore, 'readStream'>,
  vessel: string,
  range: Range,
): AsyncGenerator<RecordedEvent> {
  const open: string[] = []
  for await (const event of store.readStream(streams.vessel(vessel), { direction: 'backwards' })) {
    const { batchId } = event.data
    if (event.type !== 'VesselReserved' || event.position >= range.before || typeof batchId !== 'string')
      continue
    if (await isSealedBelow(store, streams.reading(batchId), range.before)) break
    if (!open.includes(batchId)) open.push(batchId)
  }
  yield* inStoreOrder(
    open
      .flatMap((batchId) => [streams.batch(batchId), streams.reading(batchId)])
      .map((stream) => within(store.readStream(stream), range)),
  )
}

async function isSealedBelow(
  store: Pick<EventStore, 'readStream'>,
  stream: string,
  before: bigint,
): Promise<boolean> {
  for await (const last of store.readStream(stream, { direction: 'backwards', maxCount: 1 }))
    return last.type === 'StreamSealed' && last.position < before
  return false
}

async function* within(events: AsyncIterable<RecordedEvent>, range: Range): AsyncGenerator<RecordedEvent> {
  for await (const event of events) {
    if (event.position >= range.before) return
    if (range.after !== undefined && event.position <= range.after) continue
    if (isPartOfState(event)) yield event
  }
}

/** What the feed would have delivered. */
const isPartOfState = (event: RecordedEvent): boolean =>
  event.stream.startsWith('batch-') || event.type === 'SensorReadingRecorded' || event.type === 'StreamSealed'

/** Each source is in position order itself. */
async function* inStoreOrder(
  sources: readonly AsyncGenerator<RecordedEvent>[],
): AsyncGenerator<RecordedEvent> {
  const heads = await Promise.all(sources.map(async (source) => ({ source, next: await source.next() })))
  try {
    while (true) {
      let first: { event: RecordedEvent; head: (typeof heads)[number] } | undefined
      for (const head of heads)
        if (!head.next.done && (!first || head.next.value.position < first.event.position))
          first = { event: head.next.value, head }
      if (!first) return
      yield first.event
      first.head.next = await first.head.source.next()
    }
  } finally {
    for (const { source } of heads) await source.return(undefined)
  }
}
