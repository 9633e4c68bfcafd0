/** Turns whatever goes wrong in a request into a problem answer; what nobody foresaw is logged and says nothing. */
import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from '../log.ts'
import { ProblemError, type ProblemFacts, problemBody, problemMediaType } from './problem.ts'

export function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  facts: ProblemFacts,
  headers: Readonly<Record<string, string>> = {},
): FastifyReply {
  return reply
    .code(facts.status)
    .headers(headers)
    .header('cache-control', 'no-store')
    .type(problemMediaType)
    .serializer((body: string) => body)
    .send(problemBody(facts, { correlationId: request.id, instance: pathOf(request.url) }))
}

export function errorHandler(log: Logger) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const { facts, headers } = asProblem(error)
    const context = { correlationId: request.id, method: request.method, path: pathOf(request.url) }
    if (facts.status >= 500 && !(error instanceof ProblemError))
      log.error({ ...context, err: error }, 'request failed')
    else if (facts.status === 401 || facts.status === 403)
      log.warn({ ...context, code: facts.code, from: request.ip }, 'request refused')
    return sendProblem(request, reply, facts, headers)
  }
}

type Answer = { readonly facts: ProblemFacts; readonly headers?: Readonly<Record<string, string>> }

function asProblem(error: unknown): Answer {
  if (error instanceof ProblemError) return error
  const { code, statusCode, message } = error as Partial<FastifyError>
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return {
        facts: {
          status: 413,
          code: 'body-too-large',
          detail: `the body is larger than ${bodyLimitBytes} bytes`,
          rule: `a body of at most ${bodyLimitBytes} bytes`,
        },
      }
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return {
        facts: {
          status: 415,
          code: 'unsupported-media-type',
          detail: 'the body must be JSON: Content-Type: application/json',
          rule: 'Content-Type: application/json',
        },
      }
    case 'store-unavailable':
    case 'store-overloaded':
      return unavailable(code)
  }
  if (isLostConnection(code, message)) return unavailable('store-unavailable')
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return {
      facts: {
        status: statusCode,
        code: (STATUS_CODES[statusCode] ?? 'bad request').toLowerCase().replace(/[^a-z]+/g, '-'),
        detail: message ?? 'not understood',
      },
    }
  return {
    facts: {
      status: 500,
      code: 'internal-error',
      detail: 'the request failed inside the product; its log names the cause under this correlation id',
    },
  }
}

function unavailable(code: string): Answer {
  return {
    facts: {
      status: 503,
      code,
      detail:
        'the database does not answer at present; send the same request again (a command with the same Idempotency-Key)',
      rule: 'nothing is answered that the database has not confirmed',
    },
    headers: { 'retry-after': '2' },
  }
}

/** Of the system, of Postgres (class 08, 57P: shutting down or starting up), or of its client, which gives no code. */
function isLostConnection(code: string | undefined, message: string | undefined): boolean {
  if (code !== undefined) return /^(ECONN(REFUSED|RESET|ABORTED)|EPIPE|ETIMEDOUT|08...|57P0[123])$/.test(code)
  return /^(Connection terminated|timeout exceeded when trying to connect)/.test(message ?? '')
}

export const bodyLimitBytes = 128 * 1024

/** What is not even HTTP: answered on the socket, since there is no request yet. */
export function clientErrorHandler(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const status =
    error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400
  const body = problemBody(
    { status, code: 'malformed-request', detail: 'this is not an HTTP request that can be understood' },
    { correlationId: randomUUID() },
  )
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: ${problemMediaType}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}

/** Without the query: it may hold a one-time code. */
export function pathOf(url: string): string {
  const end = url.indexOf('?')
  return end < 0 ? url : url.slice(0, end)
}
