/** The stand-in's messages, to and from the definitions that ship with the client. */

import type { StreamIdentifier } from '@eventstore/db-client/generated/shared_pb.js'
import shared from '@eventstore/db-client/generated/shared_pb.js'
import type { AppendReq, AppendResp, ReadReq, ReadResp } from '@eventstore/db-client/generated/streams_pb.js'
import messages from '@eventstore/db-client/generated/streams_pb.js'
import type { Expected, LogRecord, Proposed, StandInLog } from './stand-in-log.ts'

type StreamOptions = {
  getStreamIdentifier(): StreamIdentifier | undefined
  hasRevision?(): boolean
  getRevision?(): string
  hasNoStream?(): boolean
  hasStreamExists?(): boolean
}

export function requestedStream(options: StreamOptions | undefined): { stream: string; expected: Expected } {
  const stream = Buffer.from(options?.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString('utf8')
  if (options?.hasNoStream?.()) return { stream, expected: 'noStream' }
  if (options?.hasStreamExists?.()) return { stream, expected: 'streamExists' }
  if (options?.hasRevision?.()) return { stream, expected: BigInt(options.getRevision?.() ?? '0') }
  return { stream, expected: 'any' }
}

export function proposedOf(message: AppendReq.ProposedMessage | undefined): Proposed[] {
  if (!message) return []
  return [
    {
      id: message.getId()?.getString() ?? '',
      type: message.getMetadataMap().get('type') ?? '',
      contentType: message.getMetadataMap().get('content-type') ?? '',
      data: Buffer.from(message.getData_asU8()),
      metadata: Buffer.from(message.getCustomMetadata_asU8()),
    },
  ]
}

export function appendedMessage(revision: bigint, position: bigint | undefined): AppendResp {
  const success = new messages.AppendResp.Success()
  success.setCurrentRevision(String(revision))
  if (position !== undefined) {
    const at = new messages.AppendResp.Position()
    at.setCommitPosition(String(position))
    at.setPreparePosition(String(position))
    success.setPosition(at)
  }
  const response = new messages.AppendResp()
  response.setSuccess(success)
  return response
}

export function wrongRevisionMessage(expected: Expected, actual: bigint | 'noStream'): AppendResp {
  const wrong = new messages.AppendResp.WrongExpectedVersion()
  if (actual === 'noStream') wrong.setCurrentNoStream(new shared.Empty())
  else wrong.setCurrentRevision(String(actual))
  if (expected === 'noStream') wrong.setExpectedNoStream(new shared.Empty())
  else if (expected === 'streamExists') wrong.setExpectedStreamExists(new shared.Empty())
  else if (expected !== 'any') wrong.setExpectedRevision(String(expected))
  const response = new messages.AppendResp()
  response.setWrongExpectedVersion(wrong)
  return response
}

export function notFoundMessage(stream: string): ReadResp {
  const missing = new messages.ReadResp.StreamNotFound()
  missing.setStreamIdentifier(identifier(stream))
  const response = new messages.ReadResp()
  response.setStreamNotFound(missing)
  return response
}

export function eventMessage(record: LogRecord): ReadResp {
  const event = new messages.ReadResp.ReadEvent.RecordedEvent()
  const id = new shared.UUID()
  id.setString(record.id)
  event.setId(id)
  event.setStreamIdentifier(identifier(record.stream))
  event.setStreamRevision(String(record.revision))
  event.setCommitPosition(String(record.position))
  event.setPreparePosition(String(record.position))
  event.getMetadataMap().set('type', record.type)
  event.getMetadataMap().set('content-type', record.contentType)
  // .NET ticks of 100 ns.
  event.getMetadataMap().set('created', String(BigInt(record.createdMs) * 10_000n))
  event.setData(Uint8Array.from(record.data))
  event.setCustomMetadata(Uint8Array.from(record.metadata))
  const read = new messages.ReadResp.ReadEvent()
  read.setEvent(event)
  read.setCommitPosition(String(record.position))
  const response = new messages.ReadResp()
  response.setEvent(read)
  return response
}

/** The records that a read asks for, in its order; undefined when no record begins at its position. */
export function readRange(
  request: ReadReq.Options,
  log: StandInLog,
  stream: string | undefined,
): readonly LogRecord[] | undefined {
  const backwards = request.getReadDirection() === messages.ReadReq.Options.ReadDirection.BACKWARDS
  const count = Number(request.getCount())
  const take = (records: readonly LogRecord[]) =>
    backwards ? records.slice(-count).reverse() : records.slice(0, count)
  if (stream !== undefined) {
    const options = request.getStream()
    const events = log.visible(stream)
    if (!options?.hasRevision()) return options?.hasEnd() && !backwards ? [] : take(events)
    const from = BigInt(options.getRevision())
    return take(events.filter((event) => (backwards ? event.revision <= from : event.revision >= from)))
  }
  const all = request.getAll()
  const position = all?.getPosition()
  if (!position) {
    if (backwards) return all?.hasEnd() ? take(log.records()) : []
    return all?.hasEnd() ? [] : take(log.records())
  }
  const at = log.indexOf(BigInt(position.getCommitPosition()))
  if (at === undefined) return undefined
  // Backwards leaves the record at the position out.
  return backwards ? take(log.records().slice(0, at)) : log.records().slice(at, at + count)
}

export type Filter = { passes(record: LogRecord): boolean; readonly checkpointEvery: number | undefined }

export function filterOf(request: ReadReq.Options): Filter {
  const filter = request.getFilter()
  if (!filter) return { passes: () => true, checkpointEvery: undefined }
  const onStream = filter.getStreamIdentifier()
  const expression = onStream ?? filter.getEventType()
  const prefixes = expression?.getPrefixList() ?? []
  const pattern = expression?.getRegex() ? new RegExp(expression.getRegex()) : undefined
  return {
    passes(record) {
      const text = onStream ? record.stream : record.type
      return pattern ? pattern.test(text) : prefixes.some((prefix) => text.startsWith(prefix))
    },
    checkpointEvery: Math.max(1, filter.getMax()) * Math.max(1, filter.getCheckpointintervalmultiplier()),
  }
}

function identifier(stream: string): StreamIdentifier {
  const name = new shared.StreamIdentifier()
  name.setStreamName(Uint8Array.from(Buffer.from(stream, 'utf8')))
  return name
}
