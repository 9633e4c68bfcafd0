/**
 * A line of `events-….ndjson`: the log's entry verbatim, its index, and the payload with its salt where the entry has
 * only a digest. Formats: docs/formats/extract.md, docs/formats/leaf.md. Anything unknown is refused.
 */
import { fromBase64, utf8 } from './bytes.ts'
import {
  canonical,
  isObject,
  isPlainlyCanonical,
  type Json,
  type JsonObject,
  parseJson,
} from './canonical.ts'
import type { Place } from './findings.ts'
import type { Platform } from './platform.ts'
import { Refusal } from './refusal.ts'
import { isInstant } from './times.ts'

export type Entry = {
  readonly index: number
  readonly leaf: JsonObject
  /** RFC 6962 hash, and its base64. */
  readonly hash: Uint8Array
  readonly stream: string
  readonly revision: number
  readonly type: string
  readonly recordedAt: string
  readonly prev: string | null
  readonly payload: 'in the leaf' | 'beside the leaf' | 'left out'
  readonly data: JsonObject | undefined
  readonly reason: JsonObject | undefined
}

const maximumLeafBytes = 65_535
const decimal = /^(0|[1-9]\d{0,15})$/
const base64Of32 = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const streamName = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,199}$/

const always = [
  'actor',
  'id',
  'ledger',
  'occurredAt',
  'origin',
  'prev',
  'receivedAt',
  'recordedAt',
  'revision',
].concat(['schemaVersion', 'site', 'stream', 'type', 'v'])
const allowed = new Set([...always, 'causationId', 'correlationId', 'data', 'payload', 'reason', 'source'])

/** What can be said of a line before it is checked, so that a refusal names the event; undefined when nothing. */
export function placeOf(line: string): Place | undefined {
  const beginning = line.slice(0, 2 * maximumLeafBytes)
  const [, index] = /^\{"index":"(\d{1,15})"/.exec(beginning) ?? []
  // The leaf's own fields stand last in it; one look from the end, so that no line takes longer than it is.
  const at = beginning.lastIndexOf('"revision":"', lastLeafField(beginning))
  const [, revision] = /^"revision":"(\d{1,15})"/.exec(beginning.slice(at, at + 30)) ?? []
  const streamAt = at < 0 ? -1 : beginning.indexOf('"stream":"', at)
  const [, stream] = /^"stream":"([^"]{1,200})"/.exec(beginning.slice(streamAt, streamAt + 220)) ?? []
  if (revision === undefined || stream === undefined) return undefined
  return { stream, revision: Number(revision), ...(index === undefined ? {} : { index: Number(index) }) }
}

/** Where the leaf ends: before a payload beside it. */
function lastLeafField(text: string): number {
  const beside = text.indexOf('},"payload":')
  return beside < 0 ? text.length : beside
}

/** Throws `Refusal`; the message does not repeat the event. */
export function parseLine(line: string, origin: string, platform: Platform): Entry {
  const whole = parseJson(line, 'the line')
  if (!isObject(whole) || !isObject(whole.leaf) || typeof whole.index !== 'string')
    throw new Refusal('the line is not index and leaf')
  const { index, leaf, payload, salt } = whole
  const { leafText, payloadText } = textsOf(line, whole, index, leaf)
  if (!decimal.test(index)) throw new Refusal('its index is no decimal number')
  requireFields(leaf, origin)
  if (leafText.length * 3 > maximumLeafBytes && utf8(leafText).length > maximumLeafBytes)
    throw new Refusal(`the leaf is longer than ${maximumLeafBytes} bytes`)
  const place = { index: Number(index), revision: Number(leaf.revision) }
  if (!Number.isSafeInteger(place.index) || !Number.isSafeInteger(place.revision))
    throw new Refusal('its index or revision is absurd')
  const held = payloadOf(leaf, payload, payloadText, salt, platform)
  return {
    ...place,
    leaf,
    hash: platform.leafHash(leafText),
    stream: leaf.stream as string,
    type: leaf.type as string,
    recordedAt: leaf.recordedAt as string,
    prev: leaf.prev as string | null,
    ...held,
  }
}

/** The canonical texts in a line that is canonical itself. */
function textsOf(
  line: string,
  whole: JsonObject,
  index: string,
  leaf: JsonObject,
): { leafText: string; payloadText: string | undefined } {
  const { payload, salt } = whole
  const start = `{"index":"${index}","leaf":`
  if (payload === undefined && salt === undefined && Object.keys(whole).length === 2)
    if (isPlainlyCanonical(whole, line))
      return { leafText: line.slice(start.length, -1), payloadText: undefined }
  const leafText = canonical(leaf)
  const payloadText = payload === undefined ? undefined : canonical(payload)
  const beside = payloadText === undefined ? '' : `,"payload":${payloadText}`
  const salted = salt === undefined ? '' : `,"salt":${canonical(salt)}`
  if (`${start}${leafText}${beside}${salted}}` !== line)
    throw new Refusal('the line is not the canonical spelling (RFC 8785) of what it says')
  return { leafText, payloadText }
}

function requireFields(leaf: JsonObject, origin: string): void {
  for (const key of Object.keys(leaf))
    if (!allowed.has(key)) throw new Refusal(`the leaf has the unknown field ${key}`)
  for (const key of always) if (!(key in leaf)) throw new Refusal(`the leaf has no ${key}`)
  if (leaf.v !== 1) throw new Refusal(`the leaf has the unknown version ${JSON.stringify(leaf.v)}`)
  if (leaf.ledger !== origin) throw new Refusal(`it belongs to the ledger ${JSON.stringify(leaf.ledger)}`)
  requireText(leaf, 'stream', streamName)
  requireText(leaf, 'revision', decimal)
  requireText(leaf, 'type', /^[A-Z][A-Za-z0-9]{0,99}$/)
  requireText(leaf, 'id', uuid)
  for (const key of ['occurredAt', 'receivedAt', 'recordedAt']) requireInstant(leaf, key)
  if (leaf.prev !== null) requireText(leaf, 'prev', base64Of32)
  if ((leaf.prev === null) !== (leaf.revision === '0'))
    throw new Refusal('prev is null at revision 0 and only there')
  if (leaf.origin !== 'live' && leaf.origin !== 'simulated' && leaf.origin !== 'replayed')
    throw new Refusal('its origin is neither live, simulated nor replayed')
  if (!Number.isSafeInteger(leaf.schemaVersion)) throw new Refusal('its schemaVersion is no whole number')
  const { actor } = leaf
  if (!isObject(actor) || typeof actor.id !== 'string' || typeof actor.role !== 'string')
    throw new Refusal('its actor has no id and role')
}

function payloadOf(
  leaf: JsonObject,
  payload: Json | undefined,
  payloadText: string | undefined,
  salt: Json | undefined,
  platform: Platform,
): Pick<Entry, 'payload' | 'data' | 'reason'> {
  const { payload: digest } = leaf
  if (digest === undefined) {
    if (!isObject(leaf.data)) throw new Refusal('the leaf has neither data nor a digest')
    if (payload !== undefined || salt !== undefined)
      throw new Refusal('a payload stands beside a leaf that has its own')
    return { payload: 'in the leaf', data: leaf.data, reason: objectOrNothing(leaf.reason, 'reason') }
  }
  if (leaf.data !== undefined || leaf.reason !== undefined)
    throw new Refusal('the leaf has data and a digest of them')
  if (
    !isObject(digest) ||
    Object.keys(digest).some((key) => !['alg', 'hash', 'salted', 'size'].includes(key))
  )
    throw new Refusal('the digest of the payload has an unknown field')
  if (digest.alg !== 'sha256')
    throw new Refusal(`the digest has the unknown algorithm ${JSON.stringify(digest.alg)}`)
  requireText(digest, 'hash', base64Of32)
  requireText(digest, 'size', decimal)
  if (digest.salted !== undefined && digest.salted !== false) throw new Refusal('salted is false or absent')
  if (payload === undefined || payloadText === undefined) {
    if (salt !== undefined) throw new Refusal('a salt without its payload', true)
    return { payload: 'left out', data: undefined, reason: undefined }
  }
  requireDigest(digest, payloadText, salt, platform)
  if (
    !isObject(payload) ||
    !isObject(payload.data) ||
    Object.keys(payload).some((key) => key !== 'data' && key !== 'reason')
  )
    throw new Refusal('the payload is not data and reason', true)
  return { payload: 'beside the leaf', data: payload.data, reason: objectOrNothing(payload.reason, 'reason') }
}

function requireDigest(
  digest: JsonObject,
  payloadText: string,
  salt: Json | undefined,
  platform: Platform,
): void {
  const isSalted = digest.salted !== false
  const saltBytes = typeof salt === 'string' ? fromBase64(salt) : undefined
  if (isSalted && saltBytes?.length !== 32) throw new Refusal('the payload has no salt of 32 bytes', true)
  if (!isSalted && salt !== undefined) throw new Refusal('a salt stands beside an unsalted payload', true)
  const bytes = utf8(payloadText)
  const hasher = platform.sha256()
  hasher.update(utf8(isSalted ? 'bioprocess-ledger/payload/v1\n' : 'bioprocess-ledger/unsalted-payload/v1\n'))
  if (saltBytes && isSalted) hasher.update(saltBytes)
  hasher.update(bytes)
  const stated = fromBase64(digest.hash as string) as Uint8Array
  const found = hasher.digest()
  if (String(bytes.length) !== digest.size || stated.some((byte, at) => byte !== found[at]))
    throw new Refusal('its payload is not the one whose digest is in the log', true)
}

function objectOrNothing(value: Json | undefined, what: string): JsonObject | undefined {
  if (value === undefined || isObject(value)) return value
  throw new Refusal(`its ${what} is no object`)
}

function requireText(object: JsonObject, key: string, pattern: RegExp): void {
  const value = object[key]
  if (typeof value !== 'string' || !pattern.test(value))
    throw new Refusal(`its ${key} is not as the format says`)
}

function requireInstant(leaf: JsonObject, key: string): void {
  const value = leaf[key]
  if (typeof value !== 'string' || !isInstant(value)) throw new Refusal(`its ${key} is no instant`)
}
