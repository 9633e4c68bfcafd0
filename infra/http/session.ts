/**
 * Read-only browser sessions. A one-time link (`/open?code=…`, printed by the start) sets an `HttpOnly`,
 * `SameSite=Strict` cookie. Each code works once and expires. The cookie is an expiry signed with a key derived
 * from the API token: it outlives a restart, and a new token ends every session.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../clock.ts'

export const linkLifetimeMs = 30 * 60_000
export const sessionLifetimeMs = 12 * 3_600_000

export type Sessions = {
  /** Sessions of two installations on one machine share a host name, not a cookie. */
  readonly cookieName: string
  /** A path with a fresh code. */
  readonly issueLink: () => string
  /** The cookie value for this code, once; undefined when it is unknown, used or expired. */
  readonly redeem: (code: string) => string | undefined
  readonly isValid: (cookies: Readonly<Record<string, string | undefined>>) => boolean
}

export function createSessions(token: string, clock: Clock): Sessions {
  const key = createHmac('sha256', token).update('bioledger/session/v1').digest()
  const cookieName = `bioledger-${createHash('sha256').update(key).digest('hex').slice(0, 8)}`
  const links = new Map<string, number>()
  const signatureOf = (body: string) => createHmac('sha256', key).update(body).digest('base64url')

  return {
    cookieName,
    issueLink: () => {
      forgetExpired()
      const code = randomBytes(24).toString('base64url')
      links.set(nameOf(code), clock.nowMs() + linkLifetimeMs)
      return `/open?code=${code}`
    },
    redeem: (code) => {
      forgetExpired()
      if (!links.delete(nameOf(code))) return undefined
      const body = `${clock.nowMs() + sessionLifetimeMs}.${randomBytes(12).toString('base64url')}`
      return `${body}.${signatureOf(body)}`
    },
    isValid: (cookies) => {
      const [expires, nonce, signature] = (cookies[cookieName] ?? '').split('.')
      if (!expires || !nonce || !signature) return false
      const expected = Buffer.from(signatureOf(`${expires}.${nonce}`))
      const given = Buffer.from(signature)
      return (
        given.length === expected.length &&
        timingSafeEqual(given, expected) &&
        Number(expires) > clock.nowMs()
      )
    },
  }

  function forgetExpired(): void {
    for (const [name, until] of links) if (until <= clock.nowMs()) links.delete(name)
  }
}

/** Kept by hash: looking a code up tells nothing about how close a guess was. */
function nameOf(code: string): string {
  return createHash('sha256').update(code).digest('hex')
}
