/**
 * The payload of an event (its `data` and `reason`) when the leaf carries only its digest: always for what people
 * typed, with a salt, so that the payload and its salt can be destroyed while every proof stays valid and nobody can
 * guess what stood there; and, without a salt, for what would make the leaf longer than an entry bundle allows.
 */
import { createHash } from 'node:crypto'
import { canonicalJson } from '../../schemas/canonical-json.ts'
import type { ClientEvent } from '../../schemas/event.ts'

export type PayloadDigest = {
  readonly alg: 'sha256'
  /** 32 bytes, base64. */
  readonly hash: string
  /** Bytes of the payload, decimal. */
  readonly size: string
  /** Absent for a salted digest. */
  readonly salted?: false
}

const saltBytes = 32

/** RFC 8785 text of `{data, reason?}`: what the digest is of. */
export function payloadText(event: Pick<ClientEvent, 'data' | 'reason'>): string {
  const { data, reason } = event
  return canonicalJson(reason === undefined ? { data } : { data, reason })
}

/**
 * Digest of `payload` (UTF-8 text): SHA-256 over a line that names the format, the 32-byte salt, and the payload.
 * Without a salt the line is another one, so that no salted payload passes for an unsalted one.
 */
export function payloadDigest(payload: string, salt: Uint8Array | undefined): PayloadDigest {
  const bytes = Buffer.from(payload)
  const size = String(bytes.length)
  if (salt === undefined) return { alg: 'sha256', hash: digest(unsaltedLine, bytes), salted: false, size }
  if (salt.length !== saltBytes)
    throw new RangeError(`the salt has ${salt.length} bytes, expected ${saltBytes}`)
  return { alg: 'sha256', hash: digest(saltedLine, salt, bytes), size }
}

const saltedLine = Buffer.from('bioprocess-ledger/payload/v1\n')
const unsaltedLine = Buffer.from('bioprocess-ledger/unsalted-payload/v1\n')

function digest(...parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('base64')
}
