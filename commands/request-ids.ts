/**
 * Ids that follow from a request, so that the same request sent again leads to the same events: from its
 * `Idempotency-Key`, the person and the route. Nothing has to be remembered beside the events themselves, and a
 * crash between storing and answering loses nothing.
 */
import { createHash } from 'node:crypto'
import { canonicalJson } from '../schemas/canonical-json.ts'
import { derivedId } from '../schemas/ids.ts'

/** What a person asked for: who, where, with which key. */
export type RequestIdentity = {
  readonly actorId: string
  /** `create`, or `<batchId>/<command>`. */
  readonly route: string
  readonly key: string
}

/**
 * Names the request with its content; stands in every event that it caused (`causationId`). The same key with
 * another body has another one.
 */
export function requestId(identity: RequestIdentity, body: unknown): string {
  return namedId('request/v1', identity.actorId, identity.route, identity.key, canonicalJson(body))
}

/**
 * Id of the event that a command on an existing batch leads to. Its time part is when the batch came to be: the
 * arrival would differ when the request is sent again.
 */
export function commandEventId(identity: RequestIdentity, batchCreatedMs: number): string {
  return derivedId(batchCreatedMs, 'command/v1', identity.actorId, identity.route, identity.key)
}

/** Id of the n-th reservation made for a request to create a batch (the first, unless that one was given up). */
export function claimId(identity: RequestIdentity, n: number): string {
  return namedId('claim/v1', identity.actorId, identity.route, identity.key, n)
}

/** A batch's id: time-ordered by the arrival of the request that claimed it. */
export function batchIdOfClaim(claim: string, arrivedMs: number): string {
  return derivedId(arrivedMs, 'batch/v1', claim)
}

/** UUID of version 8 by name: the first 128 bits of a SHA-256 (RFC 9562 5.8 and B.2). It holds no time. */
export function namedId(...parts: (string | number)[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(`${String(part).length}:${part};`)
  const bytes = hash.digest().subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
