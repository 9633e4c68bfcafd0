/**
 * Who may call what. Every route declares its access policy; registering one without is an error, so that a
 * forgotten policy ends the start instead of opening a door.
 *
 * - `public`: anybody who reaches the port.
 * - `read`: the bearer token, or the read-only session cookie.
 * - `write`: the bearer token alone; a cookie never authorises a write (so no page can be tricked into one).
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Actor } from '../../schemas/event.ts'
import { ProblemError } from './problem.ts'

export type Access = 'public' | 'read' | 'write'

/** How a request proved itself. `anonymous` only ever reaches public routes. */
export type Caller =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'token'; readonly actor: Actor }
  | { readonly kind: 'session'; readonly actor: Actor }

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
  }
  interface FastifyRequest {
    caller: Caller
  }
}

export type AccessOptions = {
  readonly token: string
  /** Until people have accounts, everybody with the token is this person. */
  readonly actor: Actor
  readonly isSession: (cookies: Readonly<Record<string, string | undefined>>) => boolean
}

/** An `onRequest` hook; cookies must have been parsed before. */
export function accessCheck(options: AccessOptions) {
  const expected = digest(options.token)
  return async (request: FastifyRequest, _reply: FastifyReply): Promise<void> => {
    request.caller = callerOf(request)
    const access = policyOf(request)
    if (access === 'public' || request.caller.kind === 'token') return
    if (request.caller.kind === 'anonymous')
      throw new ProblemError(
        {
          status: 401,
          code: 'unauthorized',
          detail:
            'this needs the API token (header Authorization: Bearer …, file api-token in the data folder) or, for reading, a session opened by the one-time link that the start prints',
          rule: 'every request proves who it comes from',
        },
        { 'www-authenticate': 'Bearer realm="bioledger"' },
      )
    if (access === 'write')
      throw new ProblemError({
        status: 403,
        code: 'read-only-session',
        detail: 'a browser session may only read; writing needs the API token (Authorization: Bearer …)',
        rule: 'a session cookie never authorises a write',
      })
  }

  function callerOf(request: FastifyRequest): Caller {
    const header = request.headers.authorization
    if (header !== undefined) {
      const given = /^Bearer +([^\s]+)$/i.exec(header)?.[1]
      return given !== undefined && timingSafeEqual(digest(given), expected)
        ? { kind: 'token', actor: options.actor }
        : { kind: 'anonymous' }
    }
    return options.isSession(request.cookies)
      ? { kind: 'session', actor: options.actor }
      : { kind: 'anonymous' }
  }
}

/** Who acts in a write route (there the access check has let nobody else through). */
export function actorOf(request: FastifyRequest): Actor {
  if (request.caller.kind === 'anonymous') throw new Error('a write route was reached without a caller')
  return request.caller.actor
}

/** A path that no route serves tells strangers nothing below `/api`, not even that it is not there. */
function policyOf(request: FastifyRequest): Access {
  if (!request.is404) return request.routeOptions.config.access ?? 'write'
  return request.url.startsWith('/api/') ? 'read' : 'public'
}

/** Both sides hashed first: equal lengths, and no timing that tells how much of the token was right. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
