/**
 * Wakes whoever waits for new events: one connection that listens for the NOTIFY of each flush, for all waiters of
 * the process. A notification may be lost with its connection, so nobody waits longer than the poll interval.
 */
import { openSession, type SessionSettings } from './session.ts'

export type WakeUp = {
  /** Changes with every notification. */
  count(): number
  /** Resolves when the count is no longer `seen`, after `timeoutMs`, or when `signal` aborts. */
  wait(seen: number, timeoutMs: number, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

const reconnectMs = 250

export function openWakeUp(settings: SessionSettings): WakeUp {
  let count = 0
  let closed = false
  const waiting = new Set<() => void>()

  function wake(): void {
    count++
    for (const resume of [...waiting]) resume()
  }

  const session = openSession(
    settings,
    async (client) => {
      client.on('notification', wake)
      await client.query('LISTEN bioledger_event_store')
      // What came while nobody listened.
      wake()
    },
    () => void listen(),
  )
  let listening: Promise<void> | undefined

  async function connect(): Promise<void> {
    while (!closed) {
      try {
        await session.client()
        break
      } catch {
        await new Promise((settle) => setTimeout(settle, reconnectMs))
      }
    }
    listening = undefined
  }

  function listen(): Promise<void> {
    listening ??= connect()
    return listening
  }

  return {
    count: () => count,
    async wait(seen, timeoutMs, signal) {
      void listen()
      if (count !== seen || signal.aborted) return
      await new Promise<void>((settle) => {
        const done = () => {
          clearTimeout(timer)
          waiting.delete(done)
          signal.removeEventListener('abort', done)
          settle()
        }
        const timer = setTimeout(done, timeoutMs)
        waiting.add(done)
        signal.addEventListener('abort', done)
      })
    },
    async close() {
      closed = true
      await listening
      await session.close()
      wake()
    },
  }
}
