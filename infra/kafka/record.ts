/**
 * An event as a Kafka record: the envelope as JSON (positions and revisions as strings), headers `event-id`, `position`,
 * `type`, `store-id`, and `traceparent` where there is one.
 */
import type { IHeaders, KafkaMessage, Message } from 'kafkajs'
import { z } from 'zod'
import { clientEnvelope, instant, type RecordedEvent } from '../../schemas/event.ts'
import { findEventType } from '../../schemas/events/registry.ts'

export function encodeRecord(event: RecordedEvent, storeId: string): { value: Buffer; headers: IHeaders } {
  const { traceparent, ...envelope } = event
  const position = String(event.position)
  return {
    value: Buffer.from(JSON.stringify({ ...envelope, revision: String(event.revision), position })),
    headers: {
      'event-id': event.id,
      position,
      type: event.type,
      'store-id': storeId,
      ...(traceparent === undefined ? {} : { traceparent }),
    },
  }
}

export type DecodedRecord =
  | {
      readonly kind: 'event'
      /** The record's key: vessel or stream; undefined without one. */
      readonly key: string | undefined
      readonly storeId: string
      readonly event: RecordedEvent
    }
  | { readonly kind: 'poison'; readonly reason: PoisonReason; readonly rule: string }

export type PoisonReason =
  | 'empty'
  | 'missing-header'
  | 'not-utf8'
  | 'not-json'
  | 'not-an-envelope'
  | 'unknown-type'
  | 'unknown-version'
  | 'bad-data'
  | 'header-differs'

const wholeNumber = z.string().regex(/^(0|[1-9]\d{0,18})$/, 'a whole number as a string')
const recordedEnvelope = clientEnvelope.extend({
  stream: z.string().min(1),
  revision: wholeNumber,
  position: wholeNumber,
  recordedAt: instant,
})

const requiredHeaders = ['event-id', 'position', 'type', 'store-id'] as const
const utf8 = new TextDecoder('utf-8', { fatal: true })

export function decodeRecord(message: Pick<KafkaMessage, 'key' | 'value' | 'headers'>): DecodedRecord {
  const headers = readHeaders(message)
  for (const name of requiredHeaders)
    if (!headers.get(name)) return poison('missing-header', `the record has no header ${name}`)
  if (!message.value) return poison('empty', 'the record has no value')
  let text: string
  try {
    text = utf8.decode(message.value)
  } catch {
    return poison('not-utf8', 'the value is not UTF-8')
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return poison('not-json', 'the value is not JSON')
  }
  const checked = recordedEnvelope.safeParse(json)
  if (!checked.success) return poison('not-an-envelope', ruleOf(checked.error))
  const envelope = checked.data
  const definition = findEventType(envelope.type)
  if (!definition) return poison('unknown-type', `${envelope.type} is no event type of the registry`)
  if (envelope.schemaVersion > definition.schemaVersion)
    return poison(
      'unknown-version',
      `schemaVersion of ${envelope.type} is ${envelope.schemaVersion}, known up to ${definition.schemaVersion}`,
    )
  if (envelope.schemaVersion === definition.schemaVersion) {
    const data = definition.data.safeParse(envelope.data)
    if (!data.success) return poison('bad-data', `data/${ruleOf(data.error)}`)
  }
  for (const [name, value] of [
    ['event-id', envelope.id],
    ['position', envelope.position],
    ['type', envelope.type],
  ] as const)
    if (headers.get(name) !== value)
      return poison('header-differs', `header ${name} is ${headers.get(name)}, the envelope says ${value}`)
  const traceparent = headers.get('traceparent')
  return {
    kind: 'event',
    key: message.key?.toString(),
    storeId: headers.get('store-id') as string,
    event: {
      ...(envelope as unknown as Omit<RecordedEvent, 'revision' | 'position'>),
      revision: BigInt(envelope.revision),
      position: BigInt(envelope.position),
      ...(traceparent === undefined ? {} : { traceparent }),
    },
  }
}

/** What a record says of itself in its headers, undefined when it is none of ours. */
export function readProgressHeaders(
  message: Pick<KafkaMessage, 'headers'>,
): { readonly storeId: string; readonly position: bigint; readonly eventId: string } | undefined {
  const headers = readHeaders(message)
  const [storeId, position, eventId] = ['store-id', 'position', 'event-id'].map((name) => headers.get(name))
  if (!storeId || !eventId || !position || !wholeNumber.safeParse(position).success) return undefined
  return { storeId, position: BigInt(position), eventId }
}

export const sizeOf = (message: Message): number =>
  (message.value?.length ?? 0) + (message.key?.length ?? 0) + 300

function readHeaders(message: Pick<KafkaMessage, 'headers'>): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const [name, value] of Object.entries(message.headers ?? {})) {
    const first = Array.isArray(value) ? value[0] : value
    if (first !== undefined) found.set(name, first.toString())
  }
  return found
}

const poison = (reason: PoisonReason, rule: string): DecodedRecord => ({ kind: 'poison', reason, rule })

function ruleOf(error: z.ZodError): string {
  const issue = error.issues[0]
  return issue ? `${issue.path.join('/')}: ${issue.message}` : error.message
}
