import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pino } from 'pino'
import { z } from 'zod'
import { createLogger, type Logger } from '../log.ts'
import { registerConsole } from './console.ts'
import { registerHealth } from './health.ts'
import { MissingAccessPolicyError } from './route-inventory.ts'
import { createHttpServer, type HttpBase, problemResponses } from './server.ts'
import { linkLifetimeMs, sessionLifetimeMs } from './session.ts'

const token = 'test-token-0123456789-0123456789-0123456789'
const bearer = { authorization: `Bearer ${token}` }
let nowMs = Date.parse('2026-11-21T12:00:00.000Z')
let base: HttpBase
let url: string
let folder: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bioledger-console-'))
  await mkdir(join(folder, 'assets'))
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>console</title>')
  await writeFile(join(folder, 'assets', 'app-1a2b.js'), 'export {}')
  await writeFile(join(folder, '.secret'), 'not for the world')
  base = await newServer()
  await registerConsole(base.server, folder)
  url = await base.listen()
})
after(async () => {
  await base.close()
  await rm(folder, { recursive: true, force: true })
})

async function newServer(
  allowedHosts: readonly string[] = [],
  log: Logger = createLogger('silent'),
): Promise<HttpBase> {
  const made = await createHttpServer({
    log,
    clock: { nowMs: () => nowMs },
    token,
    site: 'site-1',
    version: '0.1.0-test',
    allowedHosts,
  })
  registerHealth(made.server, {
    readiness: async () => ({ store: { ok: false, detail: 'starting' } }),
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4', text: 'up 1\n' }),
  })
  made.server.route({
    method: 'GET',
    url: '/api/v1/things/:id',
    config: { access: 'read' },
    schema: {
      querystring: z.object({ limit: z.coerce.number().int().max(10).optional() }),
      response: { 200: z.object({ id: z.string(), caller: z.string() }), ...problemResponses },
    },
    handler: async (request) => ({ id: (request.params as { id: string }).id, caller: request.caller.kind }),
  })
  made.server.route({
    method: 'POST',
    url: '/api/v1/things',
    config: { access: 'write' },
    schema: {
      body: z.strictObject({
        name: z.string(),
        amount: z.union([z.string(), z.number().transform(String).pipe(z.string())]).optional(),
      }),
    },
    handler: async (_request, reply) => reply.code(201).send(JSON.stringify({})),
  })
  made.server.route({
    method: 'GET',
    url: '/api/v1/broken',
    config: { access: 'read' },
    handler: async () => {
      throw new Error('SELECT secret FROM people')
    },
  })
  made.server.route({
    method: 'GET',
    url: '/api/v1/cut-off',
    config: { access: 'read' },
    handler: async () => {
      throw Object.assign(new Error('connect ECONNREFUSED 10.1.2.3:5432'), { code: 'ECONNREFUSED' })
    },
  })
  return made
}

type Init = { method?: string; headers?: Record<string, string>; body?: string }
const call = (path: string, init: Init = {}) => fetch(url + path, { redirect: 'manual', ...init })

async function problemOf(answer: Response | Promise<Response>, status: number, code: string) {
  const got = await answer
  assert.equal(got.status, status)
  assert.equal(got.headers.get('content-type'), 'application/problem+json')
  const body = (await got.json()) as Record<string, unknown>
  assert.equal(body.status, status)
  assert.equal(body.code, code)
  for (const field of ['type', 'title', 'detail', 'correlationId']) assert.ok(body[field], field)
  assert.equal(got.headers.get('x-correlation-id'), body.correlationId)
  assert.equal('stack' in body, false)
  return body
}

/** With headers that `fetch` does not let anybody set. */
function rawCall(headers: Record<string, string>, path = '/api/v1/things/7'): Promise<number> {
  return new Promise((settle, fail) => {
    const { hostname, port } = new URL(url)
    httpRequest({ hostname, port, path, headers: { ...bearer, ...headers }, agent: false }, (answer) => {
      answer.resume()
      settle(answer.statusCode ?? 0)
    })
      .on('error', fail)
      .end()
  })
}

test('it listens on the loopback address alone unless told otherwise', () => {
  assert.equal(new URL(url).hostname, '127.0.0.1')
})

test('the token opens the API; none, a wrong one, half of one and another scheme do not', async () => {
  assert.deepEqual(await (await call('/api/v1/things/7', { headers: bearer })).json(), {
    id: '7',
    caller: 'token',
  })
  for (const authorization of [
    undefined,
    'Bearer wrong',
    `Bearer ${token.slice(0, -1)}`,
    `Bearer ${token}x`,
    token,
    `Basic ${btoa(`x:${token}`)}`,
  ]) {
    const answer = await call(
      '/api/v1/things/7',
      authorization === undefined ? {} : { headers: { authorization } },
    )
    assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer/)
    await problemOf(answer, 401, 'unauthorized')
  }
})

test('no path below /api tells a stranger whether it exists', async () => {
  for (const path of ['/api/v1/nothing', '/api/v1/things', '/api/v1/broken', '/openapi.json'])
    await problemOf(call(path), 401, 'unauthorized')
})

test('health, metrics and the console answer without a token', async () => {
  assert.equal((await call('/healthz')).status, 200)
  const ready = await call('/readyz')
  assert.equal(ready.status, 503)
  assert.deepEqual(await ready.json(), {
    status: 'not-ready',
    checks: { store: { ok: false, detail: 'starting' } },
  })
  assert.equal(await (await call('/metrics')).text(), 'up 1\n')
  assert.match(await (await call('/')).text(), /console/)
})

test('a one-time link opens a session that reads and never writes', async () => {
  const opened = await call(base.issueLink())
  assert.equal(opened.status, 303)
  assert.equal(opened.headers.get('location'), '/')
  const cookie = opened.headers.get('set-cookie') ?? ''
  assert.match(cookie, /; Path=\/; HttpOnly; SameSite=Strict$/)
  const session = { cookie: cookie.split(';')[0] ?? '' }
  assert.deepEqual(await (await call('/api/v1/things/7', { headers: session })).json(), {
    id: '7',
    caller: 'session',
  })
  const write = {
    method: 'POST',
    headers: { ...session, 'content-type': 'application/json' },
    body: '{"name":"x"}',
  }
  await problemOf(call('/api/v1/things', write), 403, 'read-only-session')
  await problemOf(
    call('/api/v1/things/7', { headers: { ...session, authorization: 'Bearer wrong' } }),
    401,
    'unauthorized',
  )
})

test('a link works once and for half an hour', async () => {
  const link = base.issueLink()
  assert.equal((await call(link)).status, 303)
  await problemOf(call(link), 403, 'link-spent')
  await problemOf(call('/open?code=guessed'), 403, 'link-spent')
  const late = base.issueLink()
  nowMs += linkLifetimeMs
  await problemOf(call(late), 403, 'link-spent')
})

test('a session ends by itself, and a changed cookie is none', async () => {
  const opened = await call(base.issueLink())
  const [name, value] = (opened.headers.get('set-cookie') ?? '').split(';')[0]?.split('=') ?? []
  const withCookie = (text: string) => call('/api/v1/things/7', { headers: { cookie: `${name}=${text}` } })
  assert.equal((await withCookie(value ?? '')).status, 200)
  const [expires, nonce, signature] = (value ?? '').split('.')
  for (const changed of [
    `${Number(expires) + 1}.${nonce}.${signature}`,
    `${expires}.${nonce}.`,
    `${expires}.x.${signature}`,
    '',
  ])
    assert.equal((await withCookie(changed)).status, 401)
  nowMs += sessionLifetimeMs
  assert.equal((await withCookie(value ?? '')).status, 401)
})

test('a foreign Host or Origin is refused even with the token (DNS rebinding, CSRF)', async () => {
  const own = new URL(url).host
  assert.equal(await rawCall({ host: own }), 200)
  assert.equal(await rawCall({ host: `localhost:${new URL(url).port}` }), 200)
  for (const host of [
    'evil.example',
    `evil.example:${new URL(url).port}`,
    '127.0.0.1.evil.example',
    'localhost@evil.example',
    '[::2]',
  ])
    assert.equal(await rawCall({ host }), 403, host)
  assert.equal(await rawCall({ host: own, origin: `http://${own}` }), 200)
  for (const origin of [
    'http://evil.example',
    'null',
    'http://127.0.0.1:1',
    `http://localhost:${new URL(url).port}`,
  ])
    assert.equal(await rawCall({ host: own, origin }), 403, origin)
  assert.equal(await rawCall({ host: 'evil.example' }, '/'), 403)
})

test('further host names are allowed by setting', async () => {
  const named = await newServer(['Ledger.Lab.example', 'other.example:8443'])
  const status = async (host: string) =>
    (await named.server.inject({ url: '/healthz', headers: { host } })).statusCode
  assert.equal(await status('ledger.lab.example'), 200)
  assert.equal(await status('ledger.lab.example:9999'), 200)
  assert.equal(await status('other.example:8443'), 200)
  assert.equal(await status('other.example'), 403)
  await named.close()
})

test('every answer, errors included, carries the security headers and the correlation id', async () => {
  const mine = '018f0000-0000-7000-8000-00000000abcd'
  for (const path of ['/', '/healthz', '/api/v1/things/7', '/nothing', '/api/v1/%zz']) {
    const answer = await call(path, { headers: { 'x-correlation-id': mine.toUpperCase() } })
    assert.equal(answer.headers.get('x-correlation-id'), mine, path)
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff', path)
    assert.match(
      answer.headers.get('content-security-policy') ?? '',
      /default-src 'self';.*frame-ancestors 'none'/,
      path,
    )
    assert.equal(answer.headers.get('referrer-policy'), 'no-referrer', path)
  }
  const other = (await call('/healthz', { headers: { 'x-correlation-id': 'no uuid' } })).headers.get(
    'x-correlation-id',
  )
  assert.match(other ?? '', /^[0-9a-f-]{36}$/)
})

const json = { ...bearer, 'content-type': 'application/json' }

test('wrong requests are told what is wrong', async () => {
  await problemOf(call('/api/v1/nothing', { headers: bearer }), 404, 'not-found')
  await problemOf(call('/nothing'), 404, 'not-found')
  const wrongMethod = await call('/api/v1/things', { method: 'DELETE', headers: bearer })
  assert.equal(wrongMethod.headers.get('allow'), 'POST')
  await problemOf(wrongMethod, 405, 'method-not-allowed')
  const post = (headers: Record<string, string>, body: string) =>
    call('/api/v1/things', { method: 'POST', headers, body })
  await problemOf(post({ ...bearer, 'content-type': 'text/plain' }, 'x'), 415, 'unsupported-media-type')
  await problemOf(
    post({ ...bearer, 'content-type': 'application/xml' }, '<x/>'),
    415,
    'unsupported-media-type',
  )
  await problemOf(post(json, 'x'.repeat(200_000)), 413, 'body-too-large')
  await problemOf(post(json, '{"name":'), 400, 'malformed-body')
  const missing = await problemOf(post(json, '{}'), 400, 'invalid-request')
  assert.deepEqual(
    (missing.errors as { in: string; pointer: string }[]).map((error) => [error.in, error.pointer]),
    [['body', '/name']],
  )
  await problemOf(call('/api/v1/%zz', { headers: bearer }), 400, 'malformed-path')
})

test('an unknown query parameter is refused, on routes without any as well', async () => {
  const known = await problemOf(
    call('/api/v1/things/7?limit=3&depth=1', { headers: bearer }),
    400,
    'invalid-request',
  )
  assert.match(String(known.detail), /depth.*limit/)
  await problemOf(call('/healthz?verbose=1'), 400, 'invalid-request')
  await problemOf(call('/api/v1/things/7?limit=1&limit=2', { headers: bearer }), 400, 'invalid-request')
})

test('a failure inside says nothing of the inside', async () => {
  const body = await problemOf(call('/api/v1/broken', { headers: bearer }), 500, 'internal-error')
  assert.doesNotMatch(JSON.stringify(body), /SELECT|secret|Error/)
})

test('refused callers and failures are logged under their correlation id; tokens and one-time codes are not', async () => {
  const lines: Record<string, unknown>[] = []
  const logged = await newServer(
    [],
    pino({ base: null }, { write: (line: string) => lines.push(JSON.parse(line)) }),
  )
  const correlationId = '018f0000-0000-7000-8000-00000000f00d'
  const get = (url: string, headers = {}) =>
    logged.server.inject({ url, headers: { 'x-correlation-id': correlationId, ...headers } })
  await get('/api/v1/things/7', { authorization: 'Bearer guessed-token' })
  await get('/open?code=guessed-code')
  await get('/api/v1/broken', bearer)
  await get('/api/v1/nothing', bearer)
  assert.deepEqual(
    lines.map((line) => [line.level, line.path, line.code, line.correlationId]),
    [
      [40, '/api/v1/things/7', 'unauthorized', correlationId],
      [40, '/open', 'link-spent', correlationId],
      [50, '/api/v1/broken', undefined, correlationId],
    ],
  )
  assert.match(JSON.stringify(lines[2]), /SELECT secret/)
  assert.doesNotMatch(JSON.stringify(lines), /guessed|test-token/)
  await logged.close()
})

test('while the database does not answer, callers are told to come again', async () => {
  const answer = await call('/api/v1/cut-off', { headers: bearer })
  assert.equal(answer.headers.get('retry-after'), '2')
  assert.doesNotMatch(JSON.stringify(await problemOf(answer, 503, 'store-unavailable')), /10\.1\.2\.3/)
})

test('what is not HTTP gets a problem too', async () => {
  const { hostname, port } = new URL(url)
  const text = await new Promise<string>((settle, fail) => {
    let received = ''
    const socket = connect(Number(port), hostname, () => socket.write('this is not http\r\n\r\n'))
    socket.on('data', (data) => {
      received += data.toString()
    })
    socket.on('close', () => settle(received))
    socket.on('error', fail)
  })
  assert.match(text, /^HTTP\/1\.1 400 Bad Request\r\n/)
  assert.equal(JSON.parse(text.split('\r\n\r\n')[1] ?? '').code, 'malformed-request')
})

test('the console serves its own files and nothing else', async () => {
  const asset = await call('/assets/app-1a2b.js')
  assert.match(asset.headers.get('cache-control') ?? '', /immutable/)
  assert.equal(await asset.text(), 'export {}')
  assert.equal((await call('/')).headers.get('cache-control'), 'no-cache')
  for (const path of [
    '/.secret',
    '/assets/nothing.js',
    '/assets/..%2f.secret',
    '/assets/%2e%2e/.secret',
    '/package.json',
  ])
    assert.ok([403, 404].includes((await call(path)).status), path)
})

test('without a built console the page says how to build it', async () => {
  const bare = await newServer()
  await registerConsole(bare.server, join(folder, 'nothing'))
  const answer = await bare.server.inject('/')
  assert.equal(answer.statusCode, 404)
  assert.equal(answer.json().code, 'console-not-built')
  await bare.close()
})

test('a route without an access policy cannot be registered', async () => {
  const made = await newServer()
  assert.throws(
    () => made.server.get('/api/v1/forgotten', async () => 'open to all'),
    (error) => error instanceof MissingAccessPolicyError && error.url === '/api/v1/forgotten',
  )
  await made.close()
})

test('OpenAPI 3.1 describes the routes from their schemas, with who may call them', async () => {
  const document = (await (await call('/openapi.json', { headers: bearer })).json()) as {
    openapi: string
    paths: Record<
      string,
      Record<string, { security?: unknown; responses: Record<string, unknown>; requestBody?: unknown }>
    >
  }
  assert.equal(document.openapi, '3.1.0')
  const read = document.paths['/api/v1/things/{id}']?.get
  assert.deepEqual(read?.security, [{ token: [] }, { session: [] }])
  assert.ok(read?.responses['4XX'])
  assert.deepEqual(document.paths['/api/v1/things']?.post?.security, [{ token: [] }])
  assert.match(
    JSON.stringify(document.paths['/api/v1/things']?.post?.requestBody),
    /"amount":\{"type":\["string","number"\]\}/,
  )
  assert.equal(document.paths['/healthz']?.get?.security, undefined)
  assert.equal('/open' in document.paths, false)
})
