/** Who waits for the index to reach a position, each with a deadline of its own. */

export type Waiters = {
  /** Resolves at `reached(position)` or on abort; at the deadline it rejects with `late()`, or resolves without one. */
  wait(
    position: bigint,
    options: { timeoutMs: number; isStored: boolean; late?: () => Error; abort?: AbortSignal | undefined },
  ): Promise<void>
  reached(position: bigint): void
  failAll(error: Error): void
  /** Somebody has waited that long for an event that is known to be stored. */
  hasWaited(milliseconds: number): boolean
}

type Waiter = {
  readonly position: bigint
  /** An event is known to stand at the position; else any movement will do. */
  readonly isStored: boolean
  readonly since: number
  settle(): void
  fail(error: Error): void
}

export function waiters(): Waiters {
  const waiting = new Set<Waiter>()
  return {
    wait: (position, { timeoutMs, isStored, late, abort }) =>
      new Promise<void>((settle, fail) => {
        const done = () => {
          clearTimeout(timer)
          abort?.removeEventListener('abort', onAbort)
          waiting.delete(waiter)
        }
        const waiter: Waiter = {
          position,
          isStored,
          since: performance.now(),
          settle() {
            done()
            settle()
          },
          fail(error) {
            done()
            fail(error)
          },
        }
        const onAbort = () => waiter.settle()
        const timer = setTimeout(() => {
          if (late) waiter.fail(late())
          else waiter.settle()
        }, timeoutMs)
        abort?.addEventListener('abort', onAbort)
        waiting.add(waiter)
      }),
    reached(position) {
      for (const waiter of [...waiting]) if (waiter.position <= position) waiter.settle()
    },
    failAll(error) {
      for (const waiter of [...waiting]) waiter.fail(error)
    },
    hasWaited: (milliseconds) =>
      [...waiting].some((waiter) => waiter.isStored && performance.now() - waiter.since > milliseconds),
  }
}
