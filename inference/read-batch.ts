/** A batch's own events, its records and its readings, in store order, up to a position (inclusive). */
import type { EventStore } from '../infra/event-store/event-store.ts'
import type { RecordedEvent } from '../schemas/event.ts'
import { streams } from '../schemas/streams.ts'

export async function* readBatchEvents(
  store: Pick<EventStore, 'readStream'>,
  batchId: string,
  until: bigint,
): AsyncGenerator<RecordedEvent> {
  const sources = [streams.batch(batchId), streams.reading(batchId)].map((stream) =>
    store.readStream(stream)[Symbol.asyncIterator](),
  )
  const heads = await Promise.all(sources.map((source) => source.next()))
  try {
    for (;;) {
      let first: number | undefined
      for (const [index, head] of heads.entries()) {
        if (head.done) continue
        const earliest = first === undefined ? undefined : heads[first]
        if (!earliest || earliest.done || head.value.position < earliest.value.position) first = index
      }
      const source = first === undefined ? undefined : sources[first]
      const head = first === undefined ? undefined : heads[first]
      if (first === undefined || !source || !head || head.done || head.value.position > until) return
      yield head.value
      heads[first] = await source.next()
    }
  } finally {
    for (const source of sources) await source.return?.()
  }
}
