/**
 * `Host` and `Origin` against an allow-list. A foreign `Host` means that somebody's name was made to point at this
 * machine (DNS rebinding); a foreign `Origin` means that a page of somebody else's sent the request (CSRF).
 */
import type { FastifyRequest } from 'fastify'
import { ProblemError } from './problem.ts'

const loopbackNames = ['localhost', '127.0.0.1', '[::1]']

/** `allowedHosts`: `name` (any port) or `name:port`, beside the loopback names. */
export function sameSiteCheck(allowedHosts: readonly string[]) {
  const allowed = new Set([...loopbackNames, ...allowedHosts.map((host) => host.toLowerCase())])
  return async (request: FastifyRequest): Promise<void> => {
    const host = hostOf(request.headers.host)
    if (!host || !(allowed.has(host.hostname) || allowed.has(host.host)))
      throw new ProblemError({
        status: 403,
        code: 'host-not-allowed',
        detail: `the Host header ${JSON.stringify(request.headers.host ?? '')} is not one of ${[...allowed].join(', ')}`,
        rule: 'the Host header names this server',
        allowed: [...allowed],
      })
    const { origin } = request.headers
    if (origin !== undefined && URL.parse(origin)?.host !== host.host)
      throw new ProblemError({
        status: 403,
        code: 'origin-not-allowed',
        detail: `the Origin ${JSON.stringify(origin)} is not this server; pages of other sites may not call it`,
        rule: 'the Origin header, where there is one, names this server',
      })
  }
}

function hostOf(header: string | undefined): { hostname: string; host: string } | undefined {
  if (header === undefined || !/^[A-Za-z0-9.:[\]-]+$/.test(header)) return undefined
  return URL.parse(`http://${header}`) ?? undefined
}
