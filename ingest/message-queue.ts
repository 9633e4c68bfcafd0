/** Messages that wait for the next append of a stream, in the order of their arrival. */
import type { PendingMessage } from './request-plan.ts'

export type WaitingMessage = PendingMessage & {
  /** Called when everything is durable. */
  readonly acknowledge: () => void
}

export type MessageQueue = {
  length(): number
  add(waiting: WaitingMessage): void
  /** Whole messages up to the size of one append, at least one. */
  takeForAppend(): readonly WaitingMessage[]
  takeAll(): readonly WaitingMessage[]
}

/** `limits` are those of one append; half of them is taken, for gaps, alarms and the like come on top. */
export function messageQueue(limits: {
  readonly eventsPerAppend: number
  readonly bytesPerAppend: number
}): MessageQueue {
  const mostEvents = Math.min(2_000, limits.eventsPerAppend / 2)
  const mostBytes = limits.bytesPerAppend / 2
  let queue: WaitingMessage[] = []

  const takeAll = (): readonly WaitingMessage[] => {
    const all = queue
    queue = []
    return all
  }

  return {
    length: () => queue.length,
    add: (waiting) => void queue.push(waiting),
    takeAll,
    takeForAppend() {
      let events = 0
      let bytes = 0
      let count = 0
      for (const { message } of queue) {
        const size = bytesOf(message)
        const isFull = events + message.items.length > mostEvents || bytes + size > mostBytes
        if (count > 0 && isFull) break
        events += message.items.length
        bytes += size
        count++
      }
      return count === queue.length ? takeAll() : queue.splice(0, count)
    },
  }
}

/** About what its events will take in the store; a rejected item is quarantined with the payload. */
function bytesOf({ items, payload }: WaitingMessage['message']): number {
  let size = 0
  for (const item of items) size += item.kind === 'reading' ? 400 : 800 + payload.length * 1.4
  return size
}
