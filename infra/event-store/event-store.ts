/**
 * The event store port: what the product asks of EventStoreDB and of the embedded Postgres store alike.
 * One contract suite (`testing/contract.ts`) runs over every adapter.
 *
 * Promises: appends are atomic per request, durable when answered, idempotent by event id at any age; a
 * stream's revisions are contiguous from 0; positions grow in commit order and are opaque to everything but
 * the adapter that gave them (ordered, 64-bit, gapless only in Postgres); `recordedAt` never steps back.
 */
import type { ClientEvent, Instant, RecordedEvent } from '../../schemas/event.ts'

export type ExpectedRevision = 'any' | 'noStream' | 'streamExists' | bigint

export type AppendRequest = {
  readonly stream: string
  readonly expectedRevision: ExpectedRevision
  /** At least one, at most `limits.eventsPerAppend`, together at most `limits.bytesPerAppend`. */
  readonly events: readonly ClientEvent[]
  /** W3C trace context, carried beside the record and never part of it. */
  readonly traceparent?: string
}

/** Where an event came to stand. */
export type Recorded = {
  readonly id: string
  readonly revision: bigint
  readonly position: bigint
  readonly recordedAt: Instant
}

export type AppendOutcome =
  /**
   * At least one event is new. `recorded` answers every event of the request in its order; ids in `duplicates`
   * were there before (possible with `any` and `streamExists` only: the missing ones are appended).
   */
  | {
      readonly kind: 'appended'
      readonly recorded: readonly Recorded[]
      readonly duplicates: ReadonlySet<string>
    }
  /** Every event was there already, in this stream and with the same content: where it stands. Any expected revision. */
  | { readonly kind: 'duplicate'; readonly recorded: readonly Recorded[] }
  /** The stream is not as expected; nothing was written. `actual` is its last revision or `noStream`. */
  | { readonly kind: 'conflict'; readonly actual: bigint | 'noStream' }
  /** `StreamSealed` is the stream's last event; nothing was written. */
  | { readonly kind: 'sealed' }
  /** These ids exist with other content (`receivedAt` aside) or in another stream; nothing was written. */
  | { readonly kind: 'id-collision'; readonly ids: readonly string[] }

export type EventFilter = {
  /** Only these event types. */
  readonly types?: readonly string[]
  /** Only streams of these categories (text before the first `-`). Both given: both must hold. */
  readonly categories?: readonly string[]
}

export type EventPage = {
  /** In position order; may be empty when only the horizon moved. */
  readonly events: readonly RecordedEvent[]
  /** Everything up to here has been seen by this reader, passing or filtered out: the checkpoint after this page. */
  readonly through: bigint
  /** The reader stood at the store's end when it read this page. */
  readonly caughtUp: boolean
}

export type ReadAllOptions = {
  /** Exclusive; from the beginning without it. */
  readonly after?: bigint
  /** Inclusive. */
  readonly until?: bigint
  readonly filter?: EventFilter
  /** Events a page at most; default 2,000. */
  readonly pageSize?: number
  readonly signal?: AbortSignal
}

export type ReadStreamOptions = {
  /** Inclusive; default 0, or the end when backwards. */
  readonly from?: bigint
  readonly direction?: 'forwards' | 'backwards'
  readonly maxCount?: number
}

export type EventStore = {
  /** Survives restarts; another store, a reset or a restored one answers otherwise (see `checkpoint.ts`). */
  readonly storeId: string
  readonly limits: { readonly eventsPerAppend: number; readonly bytesPerAppend: number }

  /**
   * Appends each request atomically and answers in the order of the requests; one request's conflict never
   * touches another. Rejects with `StoreUnavailableError` when the outcome is unknown (retry with the same
   * events and the same expected revision), with `StoreOverloadedError` when the bounded queue is full
   * (nothing was written), with `InvalidEventError` or `InvalidAppendError` for input no store could take.
   */
  append(requests: readonly AppendRequest[]): Promise<readonly AppendOutcome[]>

  /** Empty for a stream that does not exist. */
  readStream(stream: string, options?: ReadStreamOptions): AsyncIterable<RecordedEvent>

  /** The event of this id, or undefined. */
  readById(id: string): Promise<RecordedEvent | undefined>

  /**
   * By event id, the 32 bytes made at append for each of these recorded events whose payload people typed. Events
   * without a salt are left out. Kept beside the record and never part of it: no other read gives them.
   */
  saltsOf(events: readonly Pick<RecordedEvent, 'id' | 'position'>[]): Promise<ReadonlyMap<string, Uint8Array>>

  /** Pages in position order up to the store's end as it is at the call (or `until`), then ends. */
  readAll(options?: ReadAllOptions): AsyncIterable<EventPage>

  /**
   * Like `readAll`, but stays: yields a page whenever something came (also when only filtered-out events did,
   * at least every second, so that checkpoints and waiters move on) until `signal` aborts, then returns.
   * Pulls only as fast as it is consumed. Lost connections are resumed inside, without loss or repetition.
   */
  subscribe(
    options: Omit<ReadAllOptions, 'until'> & { readonly signal: AbortSignal },
  ): AsyncIterable<EventPage>

  /** Last position and its `recordedAt`; undefined for an empty store. */
  head(): Promise<{ readonly position: bigint; readonly recordedAt: Instant } | undefined>

  /**
   * The last position recorded at or before `at`, once that instant is *passed*: no event with this
   * `recordedAt` or an earlier one can still come. `passed: false` while it is not (ask again, or answer 503).
   * Position undefined: nothing had been recorded by then.
   */
  positionAt(at: Instant): Promise<{ readonly passed: boolean; readonly position: bigint | undefined }>

  /** The `recordedAt` of the event at `position`, or of the last one before it. */
  recordedAtOf(position: bigint): Promise<Instant | undefined>

  close(): Promise<void>
}

/** The store did not answer in time or the connection broke: the outcome is unknown. */
export class StoreUnavailableError extends Error {
  readonly code = 'store-unavailable'
}

/** The append queue is full: nothing of this call was written. Slow down and try again. */
export class StoreOverloadedError extends Error {
  readonly code = 'store-overloaded'
  constructor(
    readonly queuedEvents: number,
    readonly limit: number,
  ) {
    super(`the append queue holds ${queuedEvents} events, its bound is ${limit}`)
  }
}

/** A request no store could take: empty, too large, twice the same id with other content, a malformed stream name. */
export class InvalidAppendError extends Error {
  readonly code = 'invalid-append'
  constructor(
    readonly stream: string,
    readonly field: string,
    readonly value: unknown,
    readonly rule: string,
  ) {
    super(`append to ${stream}: ${field} is ${String(value)}, expected ${rule}`)
  }
}
