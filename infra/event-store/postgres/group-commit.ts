/**
 * Many append calls, few commits: requests wait in a bounded queue while a flush is on its way, and the next flush takes
 * all it may. Calls are served in the order in which they came. One flush is in flight at most.
 */
import type { Logger } from '../../log.ts'
import { type AppendOutcome, InvalidAppendError, StoreOverloadedError } from '../event-store.ts'
import type { PreparedRequest } from '../prepare-append.ts'
import { unavailable } from './session.ts'

export type GroupCommit = {
  /** Rejects with `StoreOverloadedError` (nothing queued) or `StoreUnavailableError` (outcome unknown). */
  append(requests: readonly PreparedRequest[]): Promise<readonly AppendOutcome[]>
  /** Resolves when nothing is queued or in flight any more; new calls are refused from now on. */
  close(): Promise<void>
}

export type GroupCommitLimits = {
  /** A large event counts once for each 8 KiB begun. */
  readonly queueLimitEvents: number
  readonly flushEvents: number
}

type Call = {
  readonly outcomes: AppendOutcome[]
  waiting: number
  failed: boolean
  readonly settle: (outcomes: readonly AppendOutcome[]) => void
  readonly fail: (error: Error) => void
}

type Queued = {
  readonly call: Call
  readonly index: number
  readonly request: PreparedRequest
  readonly weight: number
}

const bytesPerWeight = 8 * 1024

export function groupCommit(deps: {
  readonly limits: GroupCommitLimits
  readonly flush: (requests: readonly PreparedRequest[]) => Promise<readonly AppendOutcome[]>
  readonly log: Logger | undefined
}): GroupCommit {
  const { queueLimitEvents, flushEvents } = deps.limits
  let queue: Queued[] = []
  let queuedWeight = 0
  let running: Promise<void> | undefined
  let closed = false

  async function run(): Promise<void> {
    // Calls of the same turn share the first flush.
    await Promise.resolve()
    while (queue.length > 0) {
      const taken = takeFlush()
      if (taken.length === 0) continue
      try {
        const outcomes = await deps.flush(taken.map((item) => item.request))
        taken.forEach((item, at) => {
          answer(item, outcomes[at] as AppendOutcome)
        })
      } catch (error) {
        deps.log?.warn({ err: error, requests: taken.length }, 'a flush of appends did not complete')
        const reason = unavailable('append', error)
        for (const { call } of taken) {
          if (!call.failed) call.fail(reason)
          call.failed = true
        }
      }
      for (const { weight } of taken) queuedWeight -= weight
    }
    running = undefined
  }

  /** From the front: what a call that failed still has in the queue is dropped, for its caller asks again. */
  function takeFlush(): Queued[] {
    const taken: Queued[] = []
    let events = 0
    let at = 0
    for (; at < queue.length; at++) {
      const item = queue[at] as Queued
      if (item.call.failed) {
        queuedWeight -= item.weight
        continue
      }
      if (taken.length > 0 && events + item.weight > flushEvents) break
      events += item.weight
      taken.push(item)
    }
    queue = queue.slice(at)
    return taken
  }

  function answer({ call, index }: Queued, outcome: AppendOutcome): void {
    call.outcomes[index] = outcome
    call.waiting--
    if (call.waiting === 0 && !call.failed) call.settle(call.outcomes)
  }

  return {
    async append(requests) {
      if (requests.length === 0) return []
      if (closed) throw unavailable('append', new Error('the store is closed'))
      const weights = requests.map((request) =>
        Math.max(request.events.length, Math.ceil(request.bytes / bytesPerWeight)),
      )
      const weight = weights.reduce((sum, one) => sum + one, 0)
      if (weight > queueLimitEvents)
        throw new InvalidAppendError(
          (requests[0] as PreparedRequest).stream,
          'requests',
          `${weight} events in one call`,
          `at most ${queueLimitEvents} events a call`,
        )
      if (queuedWeight + weight > queueLimitEvents)
        throw new StoreOverloadedError(queuedWeight, queueLimitEvents)
      queuedWeight += weight
      return await new Promise((settle, fail) => {
        const call: Call = { outcomes: [], waiting: requests.length, failed: false, settle, fail }
        requests.forEach((request, index) => {
          queue.push({ call, index, request, weight: weights[index] as number })
        })
        running ??= run()
      })
    },
    async close() {
      closed = true
      await running
    },
  }
}
