/**
 * Canonical JSON bytes (RFC 8785, JCS): the one spelling of an event that is stored, hashed and compared.
 * A value has canonical bytes only if JSON can carry it: no NaN, no Infinity, no lone surrogates.
 */
import canonicalize from 'canonicalize'

/** RFC 8785 text of `value`. Throws `NotCanonicalError` naming the rule when JSON cannot carry the value. */
export function canonicalJson(value: unknown): string {
  let text: string | undefined
  try {
    text = canonicalize(value)
  } catch (error) {
    throw new NotCanonicalError(error instanceof Error ? error.message : String(error))
  }
  if (text === undefined) throw new NotCanonicalError('the value has no JSON form')
  return text
}

/** True when `text` is exactly the RFC 8785 spelling of what it parses to (so it has no duplicate keys). */
export function isCanonicalJson(text: string): boolean {
  try {
    return canonicalJson(JSON.parse(text)) === text
  } catch {
    return false
  }
}

export class NotCanonicalError extends Error {
  readonly code = 'not-canonical'
  constructor(readonly rule: string) {
    super(`not representable as canonical JSON: ${rule}`)
  }
}
