/** Lines of `events-….ndjson`: the entry verbatim, its index, and the payload beside a leaf that has only its digest. */
import type { ClientEvent } from '../../schemas/event.ts'
import { approvingTypes } from '../../verify/src/approvals.ts'
import type { LogEntry } from '../storage/log-reader.ts'
import type { PayloadReader } from './payloads.ts'

type AnyLeaf = ClientEvent & {
  readonly stream: string
  readonly revision: string
  readonly recordedAt: string
  readonly payload?: unknown
}

/** An event as an extract reads it: the leaf, and the payload beside it. */
export type ReadEvent = {
  readonly event: ClientEvent
  readonly stream: string
  readonly revision: string
  readonly recordedAt: string
  readonly index: number
  /** Its payload is left out of this extract. */
  readonly isLeftOut: boolean
}

/** RFC 8785 of the whole line follows from that of its parts, as its keys stand in order. */
export async function eventLine(
  { index, leaf }: LogEntry,
  payloadOf: PayloadReader,
  options: { readonly recordStream: string; readonly signaturesOnly: boolean },
): Promise<{ line: string; read: ReadEvent }> {
  const text = leaf.toString()
  const parsed = JSON.parse(text) as AnyLeaf
  const { stream, revision, recordedAt, type } = parsed
  const read = { stream, revision, recordedAt, index: Number(index) }
  const start = `{"index":"${index}","leaf":${text}`
  if (parsed.payload === undefined)
    return { line: `${start}}\n`, read: { ...read, event: parsed, isLeftOut: false } }
  if (options.signaturesOnly && stream === options.recordStream && !approvingTypes.includes(type))
    return { line: `${start}}\n`, read: { ...read, event: { ...parsed, data: {} }, isLeftOut: true } }
  const { payload, salt } = await payloadOf(stream, BigInt(revision))
  const event = { ...parsed, ...(JSON.parse(payload) as Pick<ClientEvent, 'data' | 'reason'>) }
  const salted = salt === undefined ? '' : `,"salt":"${salt}"`
  return { line: `${start},"payload":${payload}${salted}}\n`, read: { ...read, event, isLeftOut: false } }
}
