/**
 * The leaf of an event: the one text (RFC 8785) that is stored, hashed and proven. It holds the client part as written,
 * where the event stands (`stream`, `revision`, `recordedAt`), which ledger it is in, and `prev`, the RFC 6962 hash of
 * the leaf of the revision before: one hash chain a stream. It never holds the store's position, which another store
 * would number otherwise. Byte format: docs/formats/leaf.md.
 */
import { z } from 'zod'
import { canonicalJson } from '../../schemas/canonical-json.ts'
import { clientEnvelope, instant, type RecordedEvent } from '../../schemas/event.ts'
import { findEventType } from '../../schemas/events/registry.ts'
import { payloadDigest, payloadText } from './payload.ts'

/** An entry stands behind its length as uint16 in a bundle (C2SP tlog-tiles). */
export const maximumLeafBytes = 65_535

export class LeafError extends Error {
  readonly code = 'leaf'
  constructor(
    readonly rule: string,
    readonly facts: Readonly<Record<string, unknown>> = {},
  ) {
    super(`leaf refused: ${rule}${Object.keys(facts).length > 0 ? ` ${JSON.stringify(facts)}` : ''}`)
  }
}

/**
 * The leaf of `event` in the ledger `ledger` (its origin). `salt`: the 32 bytes that the store made for what people
 * typed, undefined where it made none. `prev`: the leaf hash of the revision before, null for revision 0. Throws
 * `LeafError` for a typed payload without its salt and for a `prev` that does not fit the revision.
 */
export function buildLeaf(
  event: RecordedEvent,
  salt: Uint8Array | undefined,
  prev: Uint8Array | null,
  ledger: string,
): Buffer {
  if (prev !== null && prev.length !== 32)
    throw new LeafError('prev is a leaf hash of 32 bytes', { bytes: prev.length })
  return Buffer.from(leafText(event, salt, prev && Buffer.from(prev).toString('base64'), ledger))
}

/** As `buildLeaf`, the text whose UTF-8 bytes are the leaf; `prev` in base64. */
export function leafText(
  event: RecordedEvent,
  salt: Uint8Array | undefined,
  prev: string | null,
  ledger: string,
): string {
  const { stream, revision } = event
  if ((prev === null) !== (revision === 0n))
    throw new LeafError('prev is the leaf hash of the revision before, and null at revision 0 only', {
      stream,
      revision: String(revision),
    })
  if (salt === undefined && findEventType(event.type)?.typedByPeople === true)
    throw new LeafError('a payload that people typed needs its salt', {
      stream,
      revision: String(revision),
      type: event.type,
    })
  const placed = { ...headOf(event), ledger, prev, v: 1 }
  if (salt === undefined) {
    const { data, reason } = event
    const text = canonicalJson({ ...placed, data, ...(reason === undefined ? {} : { reason }) })
    // A character is at most three bytes of UTF-8.
    if (text.length * 3 <= maximumLeafBytes || Buffer.byteLength(text) <= maximumLeafBytes) return text
  }
  return canonicalJson({ ...placed, payload: payloadDigest(payloadText(event), salt) })
}

/** What a leaf says of its event apart from the payload. */
function headOf(event: RecordedEvent): Record<string, unknown> {
  const head: Record<string, unknown> = {
    actor: event.actor,
    id: event.id,
    occurredAt: event.occurredAt,
    origin: event.origin,
    receivedAt: event.receivedAt,
    recordedAt: event.recordedAt,
    revision: String(event.revision),
    schemaVersion: event.schemaVersion,
    site: event.site,
    stream: event.stream,
    type: event.type,
  }
  if (event.source !== undefined) head.source = event.source
  if (event.causationId !== undefined) head.causationId = event.causationId
  if (event.correlationId !== undefined) head.correlationId = event.correlationId
  return head
}

const hash = z
  .string()
  .regex(/^[A-Za-z0-9+/]{43}=$/)
  .refine((text) => Buffer.from(text, 'base64').toString('base64') === text, 'canonical base64 of 32 bytes')
const decimal = z.string().regex(/^(0|[1-9]\d{0,18})$/)

const { data, reason, ...head } = clientEnvelope.shape
const place = {
  v: z.literal(1),
  ledger: z.string().regex(/^[^\s+]{1,255}$/u),
  stream: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,199}$/),
  revision: decimal,
  recordedAt: instant,
  prev: hash.nullable(),
}
const openLeaf = z.strictObject({ ...head, ...place, data, reason })
const digestLeaf = z.strictObject({
  ...head,
  ...place,
  payload: z.strictObject({
    alg: z.literal('sha256'),
    hash,
    size: decimal,
    salted: z.literal(false).optional(),
  }),
})

/** A leaf with its payload in it. */
export type OpenLeaf = z.infer<typeof openLeaf>
/** A leaf with a digest in place of its payload. */
export type DigestLeaf = z.infer<typeof digestLeaf>
export type Leaf = OpenLeaf | DigestLeaf

export const isDigestLeaf = (leaf: Leaf): leaf is DigestLeaf => 'payload' in leaf

/**
 * The leaf of `bytes`. Throws `LeafError` unless they are valid UTF-8, at most 65,535 bytes, the one canonical spelling
 * of what they say (so no key stands twice), and of exactly the fields of a leaf.
 */
export function parseLeaf(bytes: Uint8Array): Leaf {
  if (bytes.length > maximumLeafBytes)
    throw new LeafError(`at most ${maximumLeafBytes} bytes`, { bytes: bytes.length })
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new LeafError('valid UTF-8')
  }
  const value = parseCanonical(text)
  const schema = typeof value === 'object' && value !== null && 'payload' in value ? digestLeaf : openLeaf
  const checked = schema.safeParse(value)
  if (!checked.success) {
    const issue = checked.error.issues[0]
    throw new LeafError(issue?.message ?? 'the fields of a leaf', { field: issue?.path.join('/') ?? '' })
  }
  // What was parsed, not what the schema copied: a copy may leave out a key such as `__proto__`.
  const leaf = value as Leaf
  if ((leaf.prev === null) !== (leaf.revision === '0'))
    throw new LeafError('prev is null at revision 0 and only there', {
      stream: leaf.stream,
      revision: leaf.revision,
    })
  return leaf
}

/** Nesting so deep that it exhausts the stack is refused like any other text that has no canonical form. */
function parseCanonical(text: string): unknown {
  let value: unknown
  let canonical: string
  try {
    value = JSON.parse(text)
    canonical = canonicalJson(value)
  } catch {
    throw new LeafError('JSON with a canonical form (RFC 8785)')
  }
  if (canonical !== text) throw new LeafError('the canonical spelling (RFC 8785) of what it says')
  return value
}
