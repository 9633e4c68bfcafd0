/**
 * The HTTP base that commands and queries build on: fastify with zod schemas, OpenAPI 3.1 generated from them,
 * RFC 9457 problems for every error, access policies, `Host`/`Origin` checks and security headers.
 *
 * A route is registered with `server.route({ method, url, config: { access }, schema, handler })`; it fails by
 * throwing `ProblemError`. Nothing is served before `listen`.
 */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import fastifyCookie from '@fastify/cookie'
import fastifySwagger from '@fastify/swagger'
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  fastify,
  LogController,
  type RawServerDefault,
} from 'fastify'
import {
  createJsonSchemaTransform,
  serializerCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod'
import { z } from 'zod'
import { type Actor, uuid } from '../../schemas/event.ts'
import { problem } from '../../schemas/http.ts'
import type { Clock } from '../clock.ts'
import type { Logger } from '../log.ts'
import { accessCheck } from './access.ts'
import { bodyLimitBytes, clientErrorHandler, errorHandler, pathOf, sendProblem } from './errors.ts'
import { parseJsonBody } from './json-body.ts'
import { ProblemError, problemMediaType } from './problem.ts'
import { createRouteInventory } from './route-inventory.ts'
import { sameSiteCheck } from './same-site.ts'
import { createSessions, sessionLifetimeMs } from './session.ts'
import { invalidRequest, unknownParameters, validatorCompiler } from './validation.ts'

export type HttpServer = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>

export type HttpServerOptions = {
  readonly log: Logger
  readonly clock: Clock
  /** Bearer token of the API (`api-token.ts`). */
  readonly token: string
  readonly site: string
  /** Of the product; stands in `X-Build` and in the OpenAPI document. */
  readonly version: string
  /** 127.0.0.1 unless told otherwise. */
  readonly host?: string
  /** 0 (default): any free port. */
  readonly port?: number
  /** Names beside the loopback ones under which people reach the server: `name` or `name:port`. */
  readonly allowedHosts?: readonly string[]
}

export type HttpBase = {
  readonly server: HttpServer
  /** Path of a fresh one-time link that opens a read-only browser session. */
  readonly issueLink: () => string
  /** Starts to answer; gives the URL without a slash at its end. Rejects with the system's error, e.g. EADDRINUSE. */
  readonly listen: () => Promise<string>
  /** Ends open answers (streams included) and stops listening. */
  readonly close: () => Promise<void>
}

/** Until people have accounts, whoever holds the token is this person. */
const localOperator: Actor = { kind: 'human', id: 'local-operator', role: 'process_engineer' }

/** Spread into a route's `response` schemas: what every route may answer beside them. */
const problemContent = (description: string) => ({
  description,
  content: { [problemMediaType]: { schema: problem } },
})
export const problemResponses = {
  '4xx': problemContent('The request broke a rule; the problem names it'),
  '5xx': problemContent('The product could not answer; nothing was half-done'),
}

export async function createHttpServer(options: HttpServerOptions): Promise<HttpBase> {
  const sessions = createSessions(options.token, options.clock)
  const inventory = createRouteInventory()
  const onError = errorHandler(options.log)
  const server: HttpServer = fastify({
    loggerInstance: options.log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: bodyLimitBytes,
    genReqId: correlationIdOf,
    forceCloseConnections: true,
    requestTimeout: 30_000,
    routerOptions: { maxParamLength: 200 },
    clientErrorHandler,
    frameworkErrors: (_error, request, reply) => {
      sendProblem(
        request,
        reply,
        {
          status: 400,
          code: 'malformed-path',
          detail: 'the path cannot be decoded',
          rule: 'a path with valid percent-encoding (RFC 3986 2.1)',
        },
        { ...securityHeaders, 'x-correlation-id': request.id },
      )
    },
  }).withTypeProvider<ZodTypeProvider>()

  server.setValidatorCompiler(validatorCompiler)
  server.setSerializerCompiler(serializerCompiler)
  server.setErrorHandler(onError)
  server.removeAllContentTypeParsers()
  server.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (_request: unknown, body: Buffer) => parseJsonBody(body),
  )
  server.addHook('onRoute', inventory.add)
  server.decorateRequest('caller')
  await server.register(fastifyCookie)

  server.addHook('onRequest', async (request, reply) => {
    reply.headers({
      ...securityHeaders,
      'x-build': options.version,
      'x-correlation-id': request.id,
    })
  })
  server.addHook('onRequest', sameSiteCheck(options.allowedHosts ?? []))
  server.addHook(
    'onRequest',
    accessCheck({ token: options.token, actor: localOperator, isSession: sessions.isValid }),
  )
  server.addHook('preValidation', async (request) => {
    if (request.is404 || request.routeOptions.schema?.querystring) return
    const unknown = unknownParameters(request.query, [])
    if (unknown.length > 0) throw invalidRequest(unknown)
  })
  server.addHook('onSend', async (_request, reply) => {
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store')
  })
  server.setNotFoundHandler((request, reply) => {
    const allowed = inventory.methodsOf(pathOf(request.url))
    if (allowed.length === 0 || allowed.includes(request.method))
      return sendProblem(request, reply, {
        status: 404,
        code: 'not-found',
        detail: `there is nothing at ${pathOf(request.url)}`,
      })
    return sendProblem(
      request,
      reply,
      {
        status: 405,
        code: 'method-not-allowed',
        detail: `${request.method} is not possible here`,
        rule: `one of the methods ${allowed.join(', ')}`,
        allowed,
      },
      { allow: allowed.join(', ') },
    )
  })

  await server.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'bioprocess-ledger',
        description: 'Commands and queries of the digital shadow. Errors are RFC 9457 problems.',
        version: options.version,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer', description: 'The file api-token in the data folder' },
          session: {
            type: 'apiKey',
            in: 'cookie',
            name: sessions.cookieName,
            description: 'Read-only, set by the one-time link',
          },
        },
      },
    },
    // The provider's own override loses union branches that are pipes ("a decimal string or a number").
    transform: createJsonSchemaTransform({ skipList: [], zodToJsonConfig: { override: () => {} } }),
  })

  server.route({
    method: 'GET',
    url: '/openapi.json',
    config: { access: 'read' },
    schema: { hide: true },
    handler: async (_request, reply) => reply.type('application/json').send(JSON.stringify(server.swagger())),
  })
  server.route({
    method: 'GET',
    url: '/open',
    exposeHeadRoute: false,
    config: { access: 'public' },
    schema: { hide: true, querystring: z.object({ code: z.string().min(1).max(100) }) },
    handler: async (request, reply) => {
      const value = sessions.redeem(request.query.code)
      if (value === undefined)
        throw new ProblemError({
          status: 403,
          code: 'link-spent',
          detail: 'this link was used, has expired or was never given; each start prints a fresh one',
          rule: 'a one-time link works once and for half an hour',
        })
      return reply
        .setCookie(sessions.cookieName, value, {
          httpOnly: true,
          sameSite: 'strict',
          path: '/',
          maxAge: sessionLifetimeMs / 1000,
        })
        .redirect('/', 303)
    },
  })

  return {
    server,
    issueLink: sessions.issueLink,
    listen: async () => {
      const url = await server.listen({ host: options.host ?? '127.0.0.1', port: options.port ?? 0 })
      return url
    },
    close: () => server.close(),
  }
}

/** The caller's own id when it is a UUID, so that it can stand in the events; else a fresh one. */
function correlationIdOf(request: IncomingMessage): string {
  const given = request.headers['x-correlation-id']
  const checked = typeof given === 'string' ? uuid.safeParse(given.toLowerCase()) : undefined
  return checked?.success ? checked.data : randomUUID()
}

const securityHeaders = {
  'content-security-policy':
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}
