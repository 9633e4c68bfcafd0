/** A worker that writes down what a feed did to it: lanes given and taken, events by vessel, with waits on conditions. */
import type { Delivery, FeedConsumer, Lane, VesselFeed } from '../feed.ts'

export type Seen = {
  readonly lane: Lane
  readonly vessel: string | undefined
  readonly position: bigint
  readonly id: string
  /** How often lanes had been assigned to this worker by then. */
  readonly assignment: number
}

export type RecordingWorker = {
  readonly seen: readonly Seen[]
  readonly lanes: ReadonlySet<Lane>
  readonly history: readonly string[]
  /** Settles as `run` did. */
  readonly ended: Promise<void>
  stop(): Promise<void>
}

export function recordingWorker(
  feed: VesselFeed,
  options: {
    readonly group?: string
    /** Before a delivery counts as processed. */
    readonly onEvents?: (delivery: Delivery) => Promise<void> | void
  } = {},
): RecordingWorker {
  const seen: Seen[] = []
  const lanes = new Set<Lane>()
  const history: string[] = []
  let assignment = 0
  const abort = new AbortController()
  const consumer: FeedConsumer = {
    group: options.group ?? 'test',
    signal: abort.signal,
    async onAssigned(assigned) {
      for (const lane of assigned) lanes.add(lane)
      assignment++
      history.push(`+${[...assigned].join(',')}`)
    },
    async onRevoked(revoked) {
      for (const lane of revoked) lanes.delete(lane)
      history.push(`-${[...revoked].join(',')}`)
    },
    async onEvents(delivery) {
      await options.onEvents?.(delivery)
      for (const { vessel, event } of delivery.events)
        seen.push({ lane: delivery.lane, vessel, position: event.position, id: event.id, assignment })
    },
  }
  const ended = feed.run(consumer)
  ended.catch(() => {})
  return {
    seen,
    lanes,
    history,
    ended,
    stop: async () => {
      abort.abort()
      await ended
    },
  }
}
