/**
 * Checks append requests before anything of them is queued, and brings each event into the form it is kept in.
 *
 * A sensor reading of the usual shape is split into its *template* (everything that many readings have in common)
 * and five values; the template is validated in full once, then only the five values are. Any other event, and
 * any reading that is odd in any way, is validated by its type's schema and becomes canonical bytes (RFC 8785).
 * Both ways accept and refuse the same events.
 */
import { randomBytes } from 'node:crypto'
import { canonicalJson, NotCanonicalError } from '../../schemas/canonical-json.ts'
import { type ClientEvent, clientPart, type Instant, instant } from '../../schemas/event.ts'
import { findEventType, InvalidEventError, validateForAppend } from '../../schemas/events/registry.ts'
import { type AppendRequest, type ExpectedRevision, InvalidAppendError } from './event-store.ts'

/** What many readings have in common. One object for equal contents, as long as the cache keeps it. */
export type Template = {
  /** Canonical JSON of the client part without id, occurredAt, receivedAt, source.seq and data.value. */
  readonly content: string
  readonly bytes: number
  /** What the store calls it, once it does. */
  templateId: number | undefined
}

export type PreparedReading = {
  readonly kind: 'reading'
  readonly id: string
  readonly template: Template
  readonly occurredAt: Instant
  readonly receivedAt: Instant
  readonly seq: number | undefined
  readonly value: number
}

export type PreparedGeneral = {
  readonly kind: 'general'
  readonly id: string
  readonly type: string
  /** Canonical JSON of the client part. */
  readonly content: string
  /** For payloads that people typed: 32 random bytes. */
  readonly salt: Buffer | undefined
}

export type PreparedEvent = PreparedReading | PreparedGeneral

export type PreparedRequest = {
  readonly stream: string
  readonly expectedRevision: ExpectedRevision
  readonly events: readonly PreparedEvent[]
  readonly traceparent: string | undefined
  /** Bytes of its events: exact for general events, an upper bound for readings. */
  readonly bytes: number
}

export type AppendLimits = { readonly eventsPerAppend: number; readonly bytesPerAppend: number }

export type PrepareAppend = {
  /** Throws `InvalidAppendError` or `InvalidEventError` naming field, value and rule. */
  prepare(request: AppendRequest): PreparedRequest
  /** Templates get their ids anew, as after the connection to the store was lost. */
  forgetTemplateIds(): void
}

const streamName = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,199}$/
const traceparentForm = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/
const idForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
/** Keys and digits of the five values of a reading, at most. */
const bytesOfReadingValues = 200
/** A longer template is not worth a row of its own. */
const longestTemplate = 2_000

export function prepareAppend(limits: AppendLimits, templatesKept = 200_000): PrepareAppend {
  const templates = new Map<string, Template>()
  const isOccurredAt = instantCheck()
  const isReceivedAt = instantCheck()

  /** The reading in parts, or undefined when it is odd in any way: then the full check decides. */
  function splitReading(event: ClientEvent): PreparedReading | undefined {
    const { actor, data, source } = event as ClientEvent<string, Record<string, unknown>>
    if (
      !source ||
      !hasKeys(event, 10) ||
      !isPlain(actor) ||
      !isPlain(data) ||
      !isPlain(source) ||
      !hasKeys(actor, 3)
    )
      return undefined
    const seq = source.seq
    if (!hasKeys(source, seq === undefined ? 1 : 2)) return undefined
    if (seq !== undefined && !(Number.isSafeInteger(seq) && seq >= 0)) return undefined
    const { flags, value } = data
    if (!hasKeys(data, flags === undefined ? 5 : 6)) return undefined
    if (typeof value !== 'number' || !Number.isFinite(value)) return undefined
    if (typeof event.id !== 'string' || !idForm.test(event.id)) return undefined
    if (!isThisEra(event.occurredAt) || !isThisEra(event.receivedAt)) return undefined
    if (!isOccurredAt(event.occurredAt) || !isReceivedAt(event.receivedAt)) return undefined
    if (typeof event.schemaVersion !== 'number') return undefined
    const key = templateKey([
      String(event.schemaVersion),
      actor.kind,
      actor.id,
      actor.role,
      source.topic,
      event.origin,
      event.site,
      data.vessel,
      data.tag,
      data.unit,
      data.quality,
      ...flagsOf(flags),
    ])
    if (key === undefined) return undefined
    const template = templates.get(key) ?? learnTemplate(key, event)
    return (
      template && {
        kind: 'reading',
        id: event.id,
        template,
        occurredAt: event.occurredAt,
        receivedAt: event.receivedAt,
        seq,
        // JSON knows no -0.
        value: value === 0 ? 0 : value,
      }
    )
  }

  function learnTemplate(key: string, event: ClientEvent): Template | undefined {
    validateForAppend(event)
    const { id: _id, occurredAt: _occurredAt, receivedAt: _receivedAt, ...common } = event
    const { seq: _seq, ...source } = event.source ?? {}
    const { value: _value, ...data } = event.data
    let content: string
    try {
      content = canonicalJson({ ...common, source, data })
    } catch {
      return undefined
    }
    if (content.length > longestTemplate || content.includes('\\u0000')) return undefined
    if (templates.size >= templatesKept) templates.clear()
    const template: Template = { content, bytes: Buffer.byteLength(content), templateId: undefined }
    templates.set(key, template)
    return template
  }

  function prepareEvent(event: ClientEvent): PreparedEvent {
    if (event.type === 'SensorReadingRecorded') {
      const reading = splitReading(event)
      if (reading) return reading
    }
    validateForAppend(event)
    const salted = findEventType(event.type)?.typedByPeople === true
    return {
      kind: 'general',
      id: event.id,
      type: event.type,
      content: canonicalContent(event),
      salt: salted ? randomBytes(32) : undefined,
    }
  }

  return {
    prepare(request) {
      const { stream, expectedRevision, events, traceparent } = request
      const refuse = (field: string, value: unknown, rule: string): never => {
        throw new InvalidAppendError(stream, field, value, rule)
      }
      if (typeof stream !== 'string' || !streamName.test(stream))
        refuse('stream', stream, '1 to 200 letters, digits and . _ : -, beginning with a letter or digit')
      if (!isExpectedRevision(expectedRevision))
        refuse('expectedRevision', expectedRevision, 'noStream, streamExists, any, or a revision from 0')
      if (events.length === 0) refuse('events', '[]', 'at least one event')
      if (events.length > limits.eventsPerAppend)
        refuse('events', `${events.length} events`, `at most ${limits.eventsPerAppend} events a request`)
      const prepared = events.map(prepareEvent)
      const bytes = prepared.reduce((sum, event) => sum + bytesOf(event), 0)
      if (bytes > limits.bytesPerAppend)
        refuse('events', `${bytes} bytes`, `at most ${limits.bytesPerAppend} bytes a request`)
      const seen = new Map<string, PreparedEvent>()
      for (const event of prepared) {
        const before = seen.get(event.id)
        if (before && contentOf(before) !== contentOf(event))
          refuse('events', event.id, 'an id at most once, or with the same content')
        seen.set(event.id, event)
      }
      return {
        stream,
        expectedRevision,
        events: prepared,
        // A trace context that is none says nothing, and a record is never refused for it.
        traceparent: traceparent !== undefined && traceparentForm.test(traceparent) ? traceparent : undefined,
        bytes,
      }
    },
    forgetTemplateIds() {
      for (const template of templates.values()) template.templateId = undefined
    },
  }
}

/** The client part without `receivedAt`: what a redelivery of the same record has in common with it. */
export function contentOf(event: PreparedEvent): string {
  const { receivedAt: _, ...content } = clientEventOf(event)
  return canonicalJson(content)
}

/** The client event that was prepared. */
export function clientEventOf(event: PreparedEvent): ClientEvent {
  if (event.kind === 'general') return JSON.parse(event.content) as ClientEvent
  return readingOf(JSON.parse(event.template.content) as ReadingTemplate, event)
}

export type ReadingTemplate = Omit<ClientEvent, 'id' | 'occurredAt' | 'receivedAt'> & {
  readonly source: { readonly topic: string }
}

/** A reading put together again. Parts of the template are shared between readings: nothing of an event is ever changed. */
export function readingOf(
  template: ReadingTemplate,
  values: Pick<PreparedReading, 'id' | 'occurredAt' | 'receivedAt' | 'seq' | 'value'>,
): ClientEvent {
  return {
    id: values.id,
    type: template.type,
    schemaVersion: template.schemaVersion,
    occurredAt: values.occurredAt,
    receivedAt: values.receivedAt,
    actor: template.actor,
    source: values.seq === undefined ? template.source : { topic: template.source.topic, seq: values.seq },
    origin: template.origin,
    site: template.site,
    data: { ...template.data, value: values.value },
  }
}

function canonicalContent(event: ClientEvent): string {
  try {
    return canonicalJson(clientPart(event))
  } catch (error) {
    if (!(error instanceof NotCanonicalError)) throw error
    throw new InvalidEventError(event.type, 'event', event.id, `content that JSON can carry (${error.rule})`)
  }
}

const bytesOf = (event: PreparedEvent): number =>
  event.kind === 'general' ? Buffer.byteLength(event.content) : event.template.bytes + bytesOfReadingValues

const isExpectedRevision = (value: unknown): value is ExpectedRevision =>
  value === 'any' ||
  value === 'noStream' ||
  value === 'streamExists' ||
  (typeof value === 'bigint' && value >= 0n && value < 2n ** 63n)

const hasKeys = (object: object, count: number): boolean => Object.keys(object).length === count

const isPlain = (value: unknown): value is object => typeof value === 'object' && value !== null

/** Times that every database writes and reads in the same way. */
const isThisEra = (text: unknown): boolean =>
  typeof text === 'string' && (text.startsWith('20') || text.startsWith('19'))

/** Neighbouring events share their times more often than not. */
function instantCheck(): (value: unknown) => boolean {
  let known: unknown
  return (value) => {
    if (value === known) return value !== undefined
    if (!instant.safeParse(value).success) return false
    known = value
    return true
  }
}

function flagsOf(flags: unknown): readonly unknown[] {
  if (flags === undefined) return []
  return Array.isArray(flags) ? ['flags', ...flags] : [undefined]
}

/**
 * Undefined when a part is no string. Keys are unambiguous: the first part says how many follow, and templates with
 * the separator in a part are never learnt, so a key with more separators than parts is never known.
 */
function templateKey(parts: readonly unknown[]): string | undefined {
  for (const part of parts) if (typeof part !== 'string') return undefined
  return `${parts.length}\u0000${parts.join('\u0000')}`
}
