/**
 * The vessel feed port: what inference reads. Two forms stand behind it: the store's own subscription
 * (`store-feed.ts`, the embedded default: one worker owns every vessel) and Kafka (`infra/kafka`: partitions by
 * vessel, a consumer group of workers).
 *
 * Promises of both: the events of one vessel come in store order; each position comes once to a state (what Kafka or a
 * relay repeats is dropped by position); a vessel belongs to one lane, a lane to one worker at a time; nothing is skipped: what
 * was not processed when a worker died comes to the next one. A worker that took a vessel over may see events that
 * its predecessor had processed but not committed: what it appends must be idempotent by event id.
 *
 * What the feed carries: readings of a vessel (also outside of batches), everything in a batch's stream, the
 * `StreamSealed` of a batch's readings; and events of models, which concern every vessel.
 */
import type { RecordedEvent } from '../../schemas/event.ts'

/** A sequence of events with its own progress: the whole store, or one Kafka partition. */
export type Lane = string

export type FeedEvent = {
  /** Undefined: concerns every vessel of the lane (events of models). Comes once on each lane, in store order. */
  readonly vessel: string | undefined
  readonly event: RecordedEvent
}

export type Delivery = {
  readonly lane: Lane
  /** At least one, in store order; a vessel's next events are always on the same lane. */
  readonly events: readonly FeedEvent[]
  /** The lane held nothing more when this was read. */
  readonly caughtUp: boolean
  /** Aborts when the lane is about to go to another worker or the feed stops: what has not begun need not begin. */
  readonly signal: AbortSignal
}

export type FeedConsumer = {
  /** Workers of one group share the vessels; each group has its own progress. Letters, digits, `-`, `.`, `_`. */
  readonly group: string
  /**
   * These lanes are this worker's from now on. Nothing is known of their vessels: the state of a vessel is rebuilt with
   * `readVessel(vessel, { before: position })` at the first event that comes for it.
   */
  onAssigned(lanes: readonly Lane[]): Promise<void>
  /** These lanes are another worker's, or their order was broken: drop the state of their vessels. */
  onRevoked(lanes: readonly Lane[]): Promise<void>
  /**
   * Resolves when everything that follows from these events is durable: then they do not come again. The feed
   * waits (back-pressure). A rejection ends `run` with that error; the events come again to the next run.
   */
  onEvents(delivery: Delivery): Promise<void>
  readonly signal: AbortSignal
}

export type LaneProgress = {
  readonly lane: Lane
  /** Position of the last event processed; undefined before the first. */
  readonly position: bigint | undefined
  /** Events (Kafka: messages) not yet processed; undefined where the form cannot count them. */
  readonly waiting: number | undefined
}

export type VesselFeed = {
  /**
   * Delivers until `signal` aborts, then revokes all lanes and resolves. One call at a time. Lost connections are
   * resumed inside. Rejects with `StoreReplacedError` or `ForeignFeedError` when the progress was made on another
   * store, and with whatever `onEvents` rejected with.
   */
  run(consumer: FeedConsumer): Promise<void>
  /**
   * The events that a vessel's state is made of, in store order, with positions below `before` (and above `after`): all of
   * its batches whose readings were not sealed below `before`, read from the store. A batch is found by its
   * `VesselReserved` in `vessel-<id>`. Empty for a vessel without an open batch.
   */
  readVessel(
    vessel: string,
    range: { readonly before: bigint; readonly after?: bigint },
  ): AsyncIterable<RecordedEvent>
  /** Of the lanes that this worker owns now. */
  progress(): readonly LaneProgress[]
  close(): Promise<void>
}

/** The events come from another store than the one that is read and written here. */
export class ForeignFeedError extends Error {
  readonly code = 'foreign-feed'
  constructor(
    readonly where: string,
    readonly expected: string,
    readonly actual: string,
  ) {
    super(
      `${where} holds events of store ${actual}, but this installation's store is ${expected}: name other topics or the right store`,
    )
  }
}
