/** A recorded stream read once from its beginning up to a position, in step with the events expected in it. */
import type { EventStore } from '../infra/event-store/event-store.ts'
import type { RecordedEvent } from '../schemas/event.ts'

export type RecordedCursor = {
  readonly stream: string
  /** The event of that id, with those before it that nobody asked for; undefined: it is not among the next ones. */
  seek(
    id: string,
  ): Promise<
    { readonly found: RecordedEvent; readonly skipped: readonly RecordedEvent[] } | 'not-found' | 'at-end'
  >
  /** What nobody asked for. */
  rest(): AsyncGenerator<RecordedEvent>
  /** The stream's seal was read. */
  isSealed(): boolean
}

/** How far an event may stand from where it is expected. */
const lookAhead = 50

export function recordedCursor(
  store: Pick<EventStore, 'readStream'>,
  stream: string,
  until: bigint,
): RecordedCursor {
  const events = store.readStream(stream)[Symbol.asyncIterator]()
  const ahead: RecordedEvent[] = []
  let isSealed = false

  async function fill(wanted: number): Promise<void> {
    while (ahead.length < wanted) {
      const { done, value } = await events.next()
      if (done || value.position > until) return
      if (value.type === 'StreamSealed') isSealed = true
      ahead.push(value)
    }
  }

  return {
    stream,
    isSealed: () => isSealed,
    async seek(id) {
      await fill(1)
      if (ahead.length === 0) return 'at-end'
      if (ahead[0]?.id !== id) await fill(lookAhead)
      const index = ahead.findIndex((event) => event.id === id)
      const found = ahead[index]
      if (!found) return 'not-found'
      return { skipped: ahead.splice(0, index + 1).slice(0, -1), found }
    },
    async *rest() {
      for (;;) {
        await fill(1)
        const event = ahead.shift()
        if (!event) return
        yield event
      }
    },
  }
}
