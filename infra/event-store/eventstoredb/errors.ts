/** What went wrong at the server, in the terms that decide what the adapter does next. */
import { StoreUnavailableError } from '../event-store.ts'

/**
 * `wrong-revision`: nothing was written, the stream stands elsewhere. `refused`: nothing was written and a retry
 * will not help. `missing`: the stream does not exist. `deleted`: it has a tombstone. `too-slow`: a live
 * subscription fell more than the server's buffer behind; normal, resubscribe at once. `bad-position`: no
 * record begins there. `unknown`: everything else; an append may or may not have been stored.
 */
export type Failure =
  | 'wrong-revision'
  | 'refused'
  | 'missing'
  | 'deleted'
  | 'too-slow'
  | 'bad-position'
  | 'unknown'

/**
 * By the error's declared `type` and gRPC code, never by its text. What is not known to be definite counts as
 * `unknown`: codes 14, 13 (the server is stopping), 10, 4, 1 (another call closed the shared connection), our
 * own deadline, and whatever a newer server may send.
 */
export function failureOf(error: unknown): Failure {
  const { type, code } = error as { type?: string; code?: number }
  switch (type) {
    case 'wrong-expected-version':
      return 'wrong-revision'
    case 'access-denied':
    case 'invalid-argument':
    case 'maximum-append-size-exceeded':
    case 'unsupported':
      return 'refused'
    case 'stream-not-found':
      return 'missing'
    case 'stream-deleted':
      return 'deleted'
    case 'timeout':
      return 'too-slow'
    case 'unknown':
      return code === 2 ? 'bad-position' : 'unknown'
    default:
      return 'unknown'
  }
}

/** The stream was deleted for ever at the server: an act that only an alarm and a person can answer. */
export class StreamTombstonedError extends Error {
  readonly code = 'stream-tombstoned'
  constructor(readonly stream: string) {
    super(
      `stream ${stream} was deleted at the event store server; its records stand in $all until a scavenge`,
    )
  }
}

/** An event that the index knows is no longer to be read at the server. */
export class EventMissingError extends Error {
  readonly code = 'event-missing'
  constructor(
    readonly stream: string,
    readonly revision: bigint,
    readonly position: bigint,
  ) {
    super(
      `event ${revision} of stream ${stream} stood at position ${position} and the event store server no longer gives it`,
    )
  }
}

export const unavailable = (what: string, cause?: unknown): StoreUnavailableError =>
  new StoreUnavailableError(`${what}${cause === undefined ? '' : `: ${reasonOf(cause)}`}`, { cause })

export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { type, code } = error as { type?: string; code?: number | string }
  return error.message || [type, code].filter((part) => part !== undefined).join(' ') || error.name
}
