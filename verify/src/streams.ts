/**
 * The streams of an extract, event by event in the order of the log: contiguous revisions, each naming the leaf hash of
 * the one before, nothing after a seal.
 */
import { toBase64 } from './bytes.ts'
import type { Place } from './findings.ts'
import type { Entry } from './leaf.ts'
import type { Manifest } from './manifest.ts'

export type StreamState = {
  readonly stream: string
  readonly first: number
  readonly firstRecordedAt: string
  last: number
  lastIndex: number
  lastHash: string
  lastRecordedAt: string
  /** Of the event before the last one shown. */
  lastButOneRecordedAt?: string
  events: number
  isSealed: boolean
}

export type Objection = { readonly message: string; readonly event: Place }

export type Streams = {
  readonly states: ReadonlyMap<string, StreamState>
  /** What is wrong with this event's place, or undefined. */
  apply(entry: Entry): Objection | undefined
}

export const bulkCategories = ['reading', 'derived', 'forecast'] as const

export const bulkStreams = (batchId: string): string[] =>
  bulkCategories.map((category) => `${category}-${batchId}`)
export const isBulk = (stream: string, batchId: string): boolean =>
  bulkCategories.some((category) => stream === `${category}-${batchId}`)

/** Streams that an extract of the batch may hold. */
export function streamsOfBatch(batchId: string): ReadonlySet<string> {
  return new Set([`batch-${batchId}`, ...bulkStreams(batchId)])
}

const ledgerStreams = new Set(['ledger-keys', 'ledger-timestamps', 'ledger-heads'])

export function followStreams(manifest: Manifest): Streams {
  const states = new Map<string, StreamState>()
  const ofBatch = streamsOfBatch(manifest.batchId)
  const firsts = new Map(manifest.streams.map(({ stream, first }) => [stream, first]))
  return {
    states,
    apply: (entry) => {
      const { stream, revision, index, recordedAt } = entry
      const event = { stream, revision, index }
      if (!ofBatch.has(stream) && !ledgerStreams.has(stream))
        return { event, message: `its stream is none of batch ${manifest.batchId}` }
      const hash = toBase64(entry.hash)
      const state = states.get(stream)
      if (!state) {
        const isSealed = entry.type === 'StreamSealed'
        const begun = {
          stream,
          first: revision,
          firstRecordedAt: recordedAt,
          last: revision,
          events: 1,
          isSealed,
        }
        states.set(stream, {
          ...begun,
          lastIndex: index,
          lastHash: hash,
          lastRecordedAt: recordedAt,
        })
        const stated = firsts.get(stream) ?? 0
        if (revision !== stated && stream !== 'ledger-heads')
          return {
            event: { stream, revision: stated },
            message: 'the stream does not begin with it',
          }
        return sealObjection(entry, event)
      }
      const before = { ...state }
      state.last = revision
      state.lastIndex = index
      state.lastHash = hash
      state.lastButOneRecordedAt = before.lastRecordedAt
      state.lastRecordedAt = recordedAt
      state.events++
      state.isSealed = entry.type === 'StreamSealed'
      return placeObjection(entry, before, event) ?? sealObjection(entry, event)
    },
  }
}

function placeObjection(entry: Entry, before: StreamState, event: Place): Objection | undefined {
  const { stream, revision } = entry
  if (stream === 'ledger-heads') return { event, message: 'a second heads statement' }
  if (before.isSealed) return { event, message: 'it stands after the seal of its stream' }
  if (revision > before.last + 1) {
    const missing = { stream, revision: before.last + 1 }
    const until = revision - 1 > missing.revision ? ` (and all up to revision ${revision - 1})` : ''
    return { event: missing, message: `it is missing${until}` }
  }
  if (revision <= before.last) return { event, message: `it stands after revision ${before.last}` }
  if (entry.prev !== before.lastHash)
    return {
      event: { stream, revision: before.last, index: before.lastIndex },
      message: `revision ${revision} names another event as the one before it`,
    }
  return undefined
}

function sealObjection(entry: Entry, event: Place): Objection | undefined {
  if (entry.type !== 'StreamSealed' || entry.data?.count === entry.revision) return undefined
  return { event, message: `the seal counts ${JSON.stringify(entry.data?.count)} events before it` }
}
