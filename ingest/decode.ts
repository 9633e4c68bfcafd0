/**
 * Decodes one MQTT message: an object or a bare number on `…/sensors/<tag…>`, many tags on `…/sensors`. Pure.
 * Every claimed reading comes out, as a reading or as rejected with field and rule; nothing is dropped and
 * nothing is guessed. The checks are written by hand for speed; the zod schemas in `schemas/mqtt.ts` are the
 * reference that the tests compare them with.
 */
import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import type { SensorMessage } from '../infra/mqtt/message-source.ts'
import type { Origin } from '../schemas/event.ts'
import type { Quality, QuarantineReason } from '../schemas/events/sensor-events.ts'
import { maximumPayloadBytes, parseSensorTopic, sensorTopic } from '../schemas/mqtt.ts'
import { vesselIdPattern } from '../schemas/streams.ts'
import { findTag, resolveUnit, type TagDefinition } from '../schemas/tags.ts'
import type { DecodedMessage, DecodedReading, Rejected } from './decoded-message.ts'
import { readable } from './readable.ts'
import { repeatedName } from './repeated-names.ts'
import { parseSourceTime } from './source-time.ts'

/** Clocks may run ahead of ours by so much. */
const futureToleranceMs = 5 * 60_000
/** A vessel has 19 tags; a message with more values than this is none of ours. */
const maximumValues = 256
const maximumTopicLength = 512
const keptOfOversized = 16 * 1024

/** `traceparent`: the trace that the message's way through ingest belongs to. Never throws. */
export function decodeMessage(message: SensorMessage, traceparent?: string): DecodedMessage {
  const address = addressOf(message.topic)
  const { payload } = message
  let decoded: Content
  try {
    decoded = content(message, address)
  } catch {
    // Nesting deeper than the stack: no reading of ours looks like that.
    decoded = whole('schema', '', 'a payload that can be read: a number, or an object of plain values')
  }
  return {
    topic: address.topic,
    source: address.source,
    vessel: address.vessel,
    // Of what is too large only the kept part stays in memory while it waits.
    ...(payload.length > maximumPayloadBytes
      ? {
          payload: Buffer.from(payload.subarray(0, keptOfOversized)),
          oversized: { length: payload.length, sha256: createHash('sha256').update(payload).digest('hex') },
        }
      : { payload }),
    dup: message.dup,
    receivedAtMs: message.receivedAtMs,
    claims: decoded.claims,
    atMs: decoded.atMs ?? message.receivedAtMs,
    hasSourceTime: decoded.atMs !== undefined,
    seq: decoded.seq,
    origin: decoded.origin,
    traceparent,
    items: decoded.items,
  }
}

type Address = {
  readonly topic: string
  /** Under which the accounting counts it. */
  readonly source: string
  readonly vessel: string | undefined
  readonly form: 'single' | 'many' | 'unknown'
  readonly tagPath: string | undefined
  readonly definition: TagDefinition | undefined
}

type Content = {
  readonly claims: number
  readonly items: readonly (DecodedReading | Rejected)[]
  readonly atMs: number | undefined
  readonly seq: number | undefined
  readonly origin: Origin
}

const addresses = new Map<string, Address>()
const rememberedAddresses = 50_000

/** Sources send on the same topic again and again, so what a topic means is worked out once. */
function addressOf(topic: string): Address {
  const known = addresses.get(topic)
  if (known) return known
  const parsed = parseSensorTopic(topic)
  const isVessel = parsed !== undefined && vesselIdPattern.test(parsed.vessel)
  const vessel = isVessel ? parsed.vessel : undefined
  const definition = parsed?.tagPath === undefined ? undefined : findTag(parsed.tagPath)
  const shown = readable(topic, maximumTopicLength)
  const isRegistered =
    vessel !== undefined &&
    (parsed?.tagPath === undefined ||
      definition?.tag === parsed.tagPath ||
      definition?.aliases.includes(parsed.tagPath) === true)
  const address: Address = {
    topic: shown,
    source: isRegistered ? shown : strangerSource(vessel, shown),
    vessel,
    form: parsed === undefined ? 'unknown' : parsed.tagPath === undefined ? 'many' : 'single',
    tagPath: parsed?.tagPath,
    definition,
  }
  if (topic.length > maximumTopicLength) return address
  if (addresses.size >= rememberedAddresses) addresses.clear()
  addresses.set(topic, address)
  return address
}

const strangers = new Map<string, Set<string>>()
const namedStrangers = 64
const vesselsWithStrangers = 10_000

/**
 * Topics that the registry does not know are named one by one, up to a bound, then counted together: a sender that
 * puts a counter into its topic must not make the accounts grow without end. A wildcard is no topic of anybody.
 */
function strangerSource(vessel: string | undefined, topic: string): string {
  const key = vessel ?? '+'
  let named = strangers.get(key)
  if (!named && strangers.size < vesselsWithStrangers) {
    named = new Set()
    strangers.set(key, named)
  }
  if (named && (named.has(topic) || named.size < namedStrangers)) {
    named.add(topic)
    return topic
  }
  return `${sensorTopic(key)}/+`
}

function content(message: SensorMessage, address: Address): Content {
  const { payload, receivedAtMs } = message
  if (address.vessel === undefined)
    return whole(
      'unknown-vessel',
      '',
      'a topic bioprocess/pichia/<vessel>/sensors…, the vessel of letters, digits, - and _',
    )
  if (payload.length > maximumPayloadBytes)
    return whole('payload-too-large', '', `at most ${maximumPayloadBytes} bytes, not ${payload.length}`)
  if (!isUtf8(payload)) return whole('not-utf8', '', 'text in UTF-8')
  const text = payload.toString('utf8')
  const parsed = parseJson(text)
  if (address.form === 'many') {
    if (parsed === notJson) return whole('not-json', '', 'a JSON object with at and values')
    return manyTags(parsed, text, receivedAtMs)
  }
  if (address.definition === undefined)
    return whole('unknown-tag', '', `a tag of the registry, not ${quoted(address.tagPath)}`, address.tagPath)
  if (parsed === notJson) {
    if (notFinite.test(text.trim()))
      return whole('not-finite', '', `a finite number, not ${quoted(text)}`, address.tagPath)
    return whole('not-json', '', 'a JSON number or object', address.tagPath)
  }
  return single(parsed, text, receivedAtMs, address.definition)
}

const notJson = Symbol('not JSON')
const notFinite = /^[+-]?(nan|inf|infinity)$/i

/** Some devices write NaN and Infinity, which JSON does not have: read as text, so that only that value is refused. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    if (!text.includes('NaN') && !text.includes('Infinity')) return notJson
    try {
      return JSON.parse(text.replace(/([:[,]\s*)([+-]?(?:NaN|Infinity))(?=\s*[,}\]])/g, '$1"$2"'))
    } catch {
      return notJson
    }
  }
}

function single(parsed: unknown, text: string, receivedAtMs: number, definition: TagDefinition): Content {
  const { tag } = definition
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    return {
      claims: 1,
      items: [reading(definition, parsed, undefined, 'good', '', tag)],
      atMs: undefined,
      seq: undefined,
      origin: 'live',
    }
  const object = parsed as Record<string, unknown>
  const names = Object.keys(object)
  let strings = names.length
  for (const name of names) {
    if (typeof object[name] === 'string') strings++
    if (!singleNames.has(name)) return unknownName(name, tag, singleNames)
  }
  if (!Object.hasOwn(object, 'value')) return whole('schema', '/value', 'value is missing', tag)
  const facts = messageFacts(object, receivedAtMs, tag)
  if ('items' in facts) return facts
  const { unit } = object
  if (unit !== undefined && typeof unit !== 'string')
    return whole('schema', '/unit', `a unit as text, not ${quoted(unit)}`, tag)
  const twice = repeatedName(text, strings)
  if (twice !== undefined) return repeated(twice, tag)
  return {
    ...facts.envelope,
    claims: 1,
    items: [reading(definition, object.value, unit, facts.quality, '/value', tag)],
  }
}

function manyTags(parsed: unknown, text: string, receivedAtMs: number): Content {
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    return whole('schema', '', `an object with at and values, not ${quoted(parsed)}`)
  const object = parsed as Record<string, unknown>
  const names = Object.keys(object)
  let strings = names.length
  for (const name of names) {
    if (typeof object[name] === 'string') strings++
    if (!manyNames.has(name)) return unknownName(name, null, manyNames)
  }
  if (!Object.hasOwn(object, 'at')) return whole('schema', '/at', 'at is missing')
  const facts = messageFacts(object, receivedAtMs, null)
  if ('items' in facts) return facts
  const { values, units } = object
  if (!isObject(values))
    return whole('schema', '/values', `an object of tags and values, not ${quoted(values)}`)
  if (units !== undefined && !isObject(units))
    return whole('schema', '/units', `an object of tags and units, not ${quoted(units)}`)
  if (units) {
    for (const [name, unit] of Object.entries(units)) {
      if (typeof unit !== 'string')
        return whole('schema', pointer('/units', name), `a unit as text, not ${quoted(unit)}`, name)
      strings += 2
    }
  }
  const tags = Object.keys(values)
  if (tags.length === 0) return whole('schema', '/values', 'at least one value')
  if (tags.length > maximumValues)
    return whole('schema', '/values', `at most ${maximumValues} values in a message, not ${tags.length}`)
  strings += tags.length
  for (const tag of tags) if (typeof values[tag] === 'string') strings++
  const twice = repeatedName(text, strings)
  if (twice !== undefined) return repeated(twice, null)
  const items = new Array<DecodedReading | Rejected>(tags.length)
  for (let index = 0; index < tags.length; index++) {
    const tag = tags[index] as string
    const definition = knownTag(tag)
    items[index] =
      definition === undefined
        ? rejected('unknown-tag', pointer('/values', tag), `a tag of the registry, not ${quoted(tag)}`, tag)
        : reading(
            definition,
            values[tag],
            units && Object.hasOwn(units, tag) ? (units[tag] as string) : undefined,
            facts.quality,
            undefined,
            tag,
          )
  }
  return { ...facts.envelope, claims: tags.length, items }
}

const singleNames: ReadonlySet<string> = new Set(['value', 'unit', 'at', 'seq', 'quality', 'origin'])
const manyNames: ReadonlySet<string> = new Set(['at', 'seq', 'values', 'units', 'quality', 'origin'])

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

type Facts = { readonly envelope: Omit<Content, 'items' | 'claims'>; readonly quality: Quality }

/** What all readings of the message share; or the whole message rejected. */
function messageFacts(
  object: Record<string, unknown>,
  receivedAtMs: number,
  tag: string | null,
): Facts | Content {
  const { at, seq, quality = 'good', origin = 'live' } = object
  if (seq !== undefined && !(Number.isSafeInteger(seq) && (seq as number) >= 0))
    return whole('schema', '/seq', `a whole number from 0, not ${quoted(seq)}`, tag)
  if (quality !== 'good' && quality !== 'uncertain' && quality !== 'bad')
    return whole('schema', '/quality', `good, uncertain or bad, not ${quoted(quality)}`, tag)
  if (origin !== 'live' && origin !== 'simulated' && origin !== 'replayed')
    return whole('schema', '/origin', `live, simulated or replayed, not ${quoted(origin)}`, tag)
  let atMs: number | undefined
  if (at !== undefined) {
    atMs = typeof at === 'string' ? parseSourceTime(at) : undefined
    if (atMs === undefined)
      return whole(
        'bad-time',
        '/at',
        `a time in ISO 8601 with its zone, from 1970 on, not ${quoted(at)}`,
        tag,
      )
    if (atMs > receivedAtMs + futureToleranceMs)
      return whole('time-in-future', '/at', `at most 5 min after its arrival, not ${quoted(at)}`, tag)
  }
  return { envelope: { atMs, seq: seq as number | undefined, origin }, quality }
}

/** `field` undefined: the value stands under its tag in `values` (the pointer is made only when it is needed). */
function reading(
  definition: TagDefinition,
  value: unknown,
  unit: string | undefined,
  quality: Quality,
  field: string | undefined,
  tag: string,
): DecodedReading | Rejected {
  const at = () => field ?? pointer('/values', tag)
  if (typeof value !== 'number') {
    if (typeof value === 'string' && notFinite.test(value))
      return rejected('not-finite', at(), `a finite number, not ${quoted(value)}`, tag)
    return rejected('not-a-number', at(), `a JSON number, not ${quoted(value)}`, tag)
  }
  if (!Number.isFinite(value))
    return rejected('not-finite', at(), 'a number that fits a 64-bit float (IEEE 754)', tag)
  let factor = 1
  let stored = definition.unit
  if (unit !== undefined && unit !== stored) {
    const resolved = resolveUnit(definition, unit)
    if (resolved === undefined)
      return rejected(
        'wrong-unit',
        field === undefined ? pointer('/units', tag) : '/unit',
        `${definition.tag} is measured in ${definition.unit}, not ${quoted(unit)}`,
        tag,
      )
    stored = resolved.unit
    factor = resolved.factor
  }
  const inOwnUnit = factor === 1 ? value : value * factor
  const [low, high] = definition.hardBounds
  const isPossible = inOwnUnit >= low && inOwnUnit <= high
  return {
    kind: 'reading',
    definition,
    // There is no negative zero in canonical JSON.
    value: value === 0 ? 0 : value,
    unit: stored,
    quality: isPossible ? quality : 'bad',
    isPossible,
    field: field ?? `/values/${tag}`,
  }
}

const knownNames = new Map<string, TagDefinition>()

function knownTag(name: string): TagDefinition | undefined {
  const known = knownNames.get(name)
  if (known) return known
  const found = findTag(name)
  if (found && knownNames.size < 1_000) knownNames.set(name, found)
  return found
}

function rejected(reason: QuarantineReason, field: string, rule: string, tag?: string | null): Rejected {
  return {
    kind: 'rejected',
    tag: tag === undefined || tag === null ? null : readable(tag, 200),
    reason,
    field: readable(field, 300),
    rule,
  }
}

/** A message of which nothing can be made: one rejection, taken at its arrival. */
function whole(reason: QuarantineReason, field: string, rule: string, tag?: string | null): Content {
  return {
    claims: 1,
    items: [rejected(reason, field, rule, tag)],
    atMs: undefined,
    seq: undefined,
    origin: 'live',
  }
}

const unknownName = (name: string, tag: string | null, known: ReadonlySet<string>): Content =>
  whole('schema', pointer('', name), `no such name ${quoted(name)}; known: ${[...known].join(', ')}`, tag)

const repeated = (name: string, tag: string | null): Content =>
  whole('schema', pointer('', name), `the name ${quoted(name)} stands twice in one object`, tag)

/** RFC 6901. */
const pointer = (parent: string, name: string): string =>
  `${parent}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`

function quoted(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  return readable(JSON.stringify(value) ?? String(value), 80)
}
