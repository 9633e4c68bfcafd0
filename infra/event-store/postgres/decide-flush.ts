/**
 * What becomes of the requests of one flush, as if they were executed one after the other. No I/O.
 *
 * Most flushes are *plain*: nothing about them depends on what the store holds, apart from what the store checks
 * itself while it writes (where streams stand, that no id is known). The others are decided here, under the append
 * lock, from where their streams stand and which of their ids are known.
 */
import type { AppendOutcome, ExpectedRevision, Recorded } from '../event-store.ts'
import { contentOf, type PreparedEvent, type PreparedRequest } from '../prepare-append.ts'

/** -1: the stream does not exist. */
export type StreamState = { readonly revision: bigint; readonly sealed: boolean }

/** An event that stands in the store, or is to be written by an earlier request of the flush. */
export type KnownEvent = { readonly stream: string; readonly content: string }

/** Events that go to one stream together. */
export type Write = {
  readonly stream: string
  readonly events: readonly PreparedEvent[]
  readonly traceparent: string | undefined
}

/** What `event_store.append` checks of a stream: null anything, -2 that it exists, -1 that it does not, else its revision. */
export type Expectation = bigint | null

export type Decision =
  | { readonly kind: 'refuse'; readonly outcome: AppendOutcome }
  /** Everything is there already. */
  | { readonly kind: 'repeat' }
  | { readonly kind: 'write'; readonly write: Write; readonly duplicates: ReadonlySet<string> }

/** The expectations of a plain flush by stream, or undefined when it must be decided under the lock. */
export function plainExpectations(
  requests: readonly PreparedRequest[],
): Map<string, Expectation> | undefined {
  const expectations = new Map<string, Expectation>()
  const standings = new Map<string, bigint | undefined>()
  const ids = new Set<string>()
  let events = 0
  for (const request of requests) {
    const { stream, expectedRevision: expected } = request
    for (const event of request.events) ids.add(event.id)
    events += request.events.length
    const added = BigInt(request.events.length)
    if (!expectations.has(stream)) {
      const expectation = expectationOf(expected)
      expectations.set(stream, expectation)
      standings.set(stream, expectation !== null && expectation >= -1n ? expectation + added : undefined)
    } else {
      const standing = standings.get(stream)
      if (expected === 'noStream') return undefined
      if (typeof expected === 'bigint' && standing !== expected) return undefined
      standings.set(stream, standing === undefined ? undefined : standing + added)
    }
    if (seals(request.events)) {
      if (requests.some((other) => other !== request && other.stream === stream)) return undefined
    }
  }
  return ids.size === events ? expectations : undefined
}

/** `known` names every id of the requests that stands in the store. */
export function decideFlush(
  requests: readonly PreparedRequest[],
  streams: ReadonlyMap<string, StreamState>,
  known: ReadonlyMap<string, KnownEvent>,
): Decision[] {
  const states = new Map(streams)
  const there = new Map(known)
  return requests.map((request) => {
    const { stream } = request
    const state = states.get(stream) ?? { revision: -1n, sealed: false }
    const unique = [...new Map(request.events.map((event) => [event.id, event])).values()]
    const collisions = unique.filter((event) => {
      const other = there.get(event.id)
      return other && (other.stream !== stream || other.content !== contentOf(event))
    })
    if (collisions.length > 0)
      return refuse({ kind: 'id-collision', ids: collisions.map((event) => event.id) })
    const missing = unique.filter((event) => !there.has(event.id))
    if (missing.length === 0) return { kind: 'repeat' }
    if (state.sealed) return refuse({ kind: 'sealed' })
    const isPartial = missing.length < unique.length
    if (!isAsExpected(request.expectedRevision, state.revision, isPartial))
      return refuse({ kind: 'conflict', actual: state.revision < 0n ? 'noStream' : state.revision })
    states.set(stream, { revision: state.revision + BigInt(missing.length), sealed: seals(missing) })
    for (const event of missing) there.set(event.id, { stream, content: contentOf(event) })
    const duplicates = unique.filter((event) => !missing.includes(event)).map((event) => event.id)
    return {
      kind: 'write',
      write: { stream, events: missing, traceparent: request.traceparent },
      duplicates: new Set(duplicates),
    }
  })
}

/** The answer, once it is known where each id stands. */
export function outcomeOf(
  request: PreparedRequest,
  decision: Decision,
  places: ReadonlyMap<string, Recorded>,
): AppendOutcome {
  if (decision.kind === 'refuse') return decision.outcome
  const recorded = request.events.map((event) => {
    const place = places.get(event.id)
    if (!place) throw new Error(`no place is known for event ${event.id}`)
    return place
  })
  return decision.kind === 'repeat'
    ? { kind: 'duplicate', recorded }
    : { kind: 'appended', recorded, duplicates: decision.duplicates }
}

/** With events of the request already there, the stream cannot stand where an exact revision says it does. */
function isAsExpected(expected: ExpectedRevision, actual: bigint, isPartial: boolean): boolean {
  if (expected === 'any') return true
  if (expected === 'streamExists') return actual >= 0n
  return !isPartial && actual === (expected === 'noStream' ? -1n : expected)
}

function expectationOf(expected: ExpectedRevision): Expectation {
  if (expected === 'any') return null
  if (expected === 'streamExists') return -2n
  return expected === 'noStream' ? -1n : expected
}

const seals = (events: readonly PreparedEvent[]): boolean => {
  const last = events.at(-1)
  return last?.kind === 'general' && last.type === 'StreamSealed'
}

const refuse = (outcome: AppendOutcome): Decision => ({ kind: 'refuse', outcome })
