/**
 * Serves `console/dist` and a made-up batch under the same content security policy as the product, for working on
 * the page and for its pictures. `node --import tsx console/testing/fixture-server.ts [port] [scenario]`;
 * scenarios: running, stalled, closed, empty, unauthorised, no-readings, unbalanced.
 */
import { createReadStream, existsSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { tagDefinitions } from '../../schemas/tags.ts'
import {
  at,
  batchId,
  batchOf,
  currentValues,
  type Fixture,
  gapList,
  readingAt,
  seriesOf,
  timelineItems,
} from './fixture-batch.ts'

export type Scenario =
  | 'running'
  | 'stalled'
  | 'closed'
  | 'empty'
  | 'unauthorised'
  | 'no-readings'
  | 'unbalanced'

const dist = fileURLToPath(new URL('../dist', import.meta.url))
const mediaTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}
const speed = 60

export async function startFixtureServer(
  scenario: Scenario,
  port = 0,
): Promise<{ url: string; stop: () => void }> {
  const fixture: Fixture = { startMs: Date.now() - 26 * 3_600_000, seconds: Math.round(17.4 * 3600) }
  const listeners = new Set<ServerResponse>()
  const ticking =
    scenario === 'running' || scenario === 'unbalanced'
      ? setInterval(() => advance(fixture, listeners), 1000)
      : undefined
  const server: Server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://fixture')
    if (url.pathname === '/api/v1/live') listen(response)
    else if (url.pathname.startsWith('/api/v1/')) json(response, answer(url))
    else file(url.pathname, response)
  })
  await new Promise<void>((settle) => server.listen(port, '127.0.0.1', settle))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => {
      clearInterval(ticking)
      server.close()
      server.closeAllConnections()
    },
  }

  function listen(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n\n')
    listeners.add(response)
    response.on('close', () => listeners.delete(response))
  }

  function answer(url: URL): Answer {
    if (scenario === 'unauthorised') return { status: 401, body: { detail: 'no session' } }
    const path = url.pathname.slice('/api/v1/'.length)
    const past = url.searchParams.get('asOf')
    const seen = past ? asKnownAt(Date.parse(past)) : fixture
    const empty = scenario === 'no-readings'
    const asOf = {
      position: String(seen.seconds * 20 + 120),
      recordedAt: past ?? new Date().toISOString(),
    }
    const status = scenario === 'closed' ? 'complete' : 'running'
    switch (path) {
      case 'batches':
        return ok({
          items: scenario === 'empty' ? [] : [batchOf(seen, status)],
          next: null,
          asOf,
        })
      case `batches/${batchId}`:
        return ok({ ...batchOf(seen, status), current: empty ? [] : currentValues(seen), asOf })
      case `batches/${batchId}/timeline`: {
        const type = url.searchParams.get('type')
        return ok({
          items: timelineItems(seen).filter((item) => type === null || item.type === type),
          next: null,
          asOf,
        })
      }
      case `batches/${batchId}/gaps`:
        return ok({ items: gapList(seen), next: null, asOf })
      case `batches/${batchId}/ingress`:
        return ok(ingressOf(seen.seconds, empty, scenario === 'unbalanced', asOf))
      case `batches/${batchId}/series`: {
        const time = (name: string) =>
          url.searchParams.has(name) ? Date.parse(url.searchParams.get(name) ?? '') : undefined
        return ok(
          seriesOf(
            seen,
            url.searchParams.get('tag') ?? '',
            time('from'),
            time('to'),
            Number(url.searchParams.get('points') ?? 1000),
          ),
        )
      }
      default:
        return { status: 404, body: { detail: `there is nothing at ${url.pathname}` } }
    }
  }

  /** The fixture records 60 s of source time a second, the newest now. */
  function asKnownAt(ms: number): Fixture {
    return { ...fixture, seconds: Math.max(0, fixture.seconds - Math.round((Date.now() - ms) / 1000)) }
  }
}

function ingressOf(seconds: number, empty: boolean, unbalanced: boolean, asOf: object) {
  const stored = empty ? 0 : seconds * 17
  const source = { received: stored + 15, stored, duplicate: 12, quarantined: 3 }
  const topic = 'bioprocess/pichia/V-01/sensors'
  return {
    ...source,
    received: source.received + (unbalanced ? 2 : 0),
    balanced: !unbalanced,
    sinceStatement: 34,
    bySource: [{ topic, ...source }],
    asOf,
  }
}

function advance(fixture: Fixture, listeners: ReadonlySet<ServerResponse>): void {
  const readings = []
  for (let second = fixture.seconds + 1; second <= fixture.seconds + speed; second += 1)
    for (const { tag, unit } of tagDefinitions) {
      const reading = tag === 'Temp_Exhaust' ? undefined : readingAt(tag, second)
      if (reading) readings.push({ tag, unit, ...reading, at: at(fixture, second) })
    }
  fixture.seconds += speed
  const position = String(fixture.seconds * 20 + 120)
  for (const response of listeners)
    response.write(`id: ${position}\nevent: readings\ndata: ${JSON.stringify({ position, readings })}\n\n`)
}

type Answer = { readonly status: number; readonly body: object }

const ok = (body: object): Answer => ({ status: 200, body })

function json(response: ServerResponse, { status, body }: Answer): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(JSON.stringify(body))
}

function file(path: string, response: ServerResponse): void {
  const name = path === '/' ? 'index.html' : path.slice(1)
  const found = join(dist, name)
  if (!found.startsWith(dist) || !existsSync(found)) {
    response.writeHead(404).end()
    return
  }
  response.writeHead(200, {
    'content-type': mediaTypes[extname(found)] ?? 'application/octet-stream',
    'content-security-policy':
      "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  })
  createReadStream(found).pipe(response)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [port = '8090', scenario = 'running'] = process.argv.slice(2)
  const { url } = await startFixtureServer(scenario as Scenario, Number(port))
  process.stdout.write(`${url}\n`)
}
