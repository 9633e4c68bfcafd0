/** What becomes of an append request, given where its stream stands and which of its ids are known. No I/O. */
import type { AppendOutcome, ExpectedRevision, Recorded } from '../event-store.ts'
import type { IndexedEvent } from './index/event-index.ts'
import type { WireEvent } from './wire-format.ts'

export type StreamState = { readonly head: bigint | 'noStream'; readonly sealed: boolean }

export type Decision =
  | { readonly kind: 'answer'; readonly outcome: AppendOutcome }
  | {
      readonly kind: 'write'
      readonly missing: readonly WireEvent[]
      readonly duplicates: ReadonlySet<string>
    }

export type DecidableRequest = {
  readonly stream: string
  readonly expectedRevision: ExpectedRevision
  /** Ids may repeat with the same content: they are one event. */
  readonly events: readonly WireEvent[]
}

export function decideAppend(
  request: DecidableRequest,
  state: StreamState,
  known: ReadonlyMap<string, IndexedEvent>,
): Decision {
  const unique = [...new Map(request.events.map((event) => [event.event.id, event])).values()]
  const collisions = unique.filter((event) => {
    const there = known.get(event.event.id)
    return there && (there.stream !== request.stream || there.fingerprint !== event.fingerprint)
  })
  if (collisions.length > 0)
    return answer({ kind: 'id-collision', ids: collisions.map((event) => event.event.id) })
  const missing = unique.filter((event) => !known.has(event.event.id))
  if (missing.length === 0) return answer({ kind: 'duplicate', recorded: recordedOf(request, known) })
  if (state.sealed) return answer({ kind: 'sealed' })
  const partly = missing.length < unique.length
  if (!isAsExpected(request.expectedRevision, state.head, partly))
    return answer({ kind: 'conflict', actual: state.head })
  const duplicates = new Set(
    unique.filter((event) => known.has(event.event.id)).map((event) => event.event.id),
  )
  return { kind: 'write', missing, duplicates }
}

/** Where every event of the request stands, in its order. All of them must be known. */
export function recordedOf(
  request: DecidableRequest,
  known: ReadonlyMap<string, IndexedEvent>,
): readonly Recorded[] {
  return request.events.map(({ event }) => {
    const there = known.get(event.id)
    if (!there) throw new Error(`event ${event.id} is not in the index`)
    return { id: there.id, revision: there.revision, position: there.position, recordedAt: there.recordedAt }
  })
}

/** With events of the request already there, the stream cannot stand where an exact revision says it does. */
function isAsExpected(expected: ExpectedRevision, head: bigint | 'noStream', partly: boolean): boolean {
  switch (expected) {
    case 'any':
      return true
    case 'streamExists':
      return head !== 'noStream'
    case 'noStream':
      return head === 'noStream' && !partly
    default:
      return head === expected && !partly
  }
}

const answer = (outcome: AppendOutcome): Decision => ({ kind: 'answer', outcome })
