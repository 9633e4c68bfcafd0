/**
 * Serves `console/dist` and a made-up batch under the same content security policy as the product, for working on
 * the page and for its pictures. `node --import tsx console/testing/fixture-server.ts [port] [scenario]`;
 * scenarios: running, withheld, no-probe, stalled, closed, empty,
 * unauthorised, no-readings, unbalanced.
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
import { derivedOf } from './fixture-derived.ts'
import {
  coverage,
  forecasts,
  liveSince,
  modelHistory,
  models,
  samples,
  withheldSpans,
} from './fixture-forecasts.ts'

export type Scenario =
  | 'running'
  | 'withheld'
  | 'no-probe'
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
    scenario === 'running' || scenario === 'unbalanced' || scenario === 'withheld'
      ? setInterval(() => advance(fixture, listeners, scenario), 1000)
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

  function isSent({ tag }: { tag: string }): boolean {
    return scenario !== 'no-probe' || tag !== 'OD'
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
        return ok({
          ...batchOf(seen, status),
          current: empty ? [] : currentValues(seen).filter(isSent),
          asOf,
        })
      case `batches/${batchId}/timeline`: {
        const type = url.searchParams.get('type')
        return ok({
          items: timelineItems(seen).filter((item) => type === null || item.type === type),
          next: null,
          asOf,
        })
      }
      case `batches/${batchId}/samples`:
        return ok({ items: empty ? [] : samples(seen), next: null, asOf })
      case 'models':
        return ok({ items: models(seen, scenario === 'withheld'), next: null, asOf })
      case 'models/od600':
        return ok({ modelId: 'od600', versions: models(seen, false), history: modelHistory(seen), asOf })
      case `batches/${batchId}/forecasts`: {
        const points = Number(url.searchParams.get('points') ?? 1)
        const items = empty ? [] : forecasts(seen, points, scenario === 'withheld')
        return ok({ items: url.searchParams.has('points') ? items : items.slice(-1), next: null, asOf })
      }
      case `batches/${batchId}/forecasts/withheld`:
        return ok({ items: empty ? [] : withheldSpans(seen, scenario === 'withheld'), next: null, asOf })
      case `batches/${batchId}/forecasts/coverage`:
        return ok(empty ? { stated: 0.9, items: [], issued: 0, withheld: [], asOf } : coverage(seen, asOf))
      case `batches/${batchId}/derived`: {
        const series = derivedOf(
          seen,
          url.searchParams.get('key') ?? '',
          timeOf(url, 'from'),
          timeOf(url, 'to'),
          Number(url.searchParams.get('points') ?? 1000),
        )
        return series
          ? ok({ ...series, ...(empty ? { points: [] } : {}), asOf })
          : { status: 422, body: { detail: 'no such quantity' } }
      }
      case `batches/${batchId}/gaps`:
        return ok({ items: gapList(seen), next: null, asOf })
      case `batches/${batchId}/ingress`:
        return ok(ingressOf(seen.seconds, empty, scenario === 'unbalanced', asOf))
      case `batches/${batchId}/series`: {
        return ok(
          seriesOf(
            seen,
            url.searchParams.get('tag') ?? '',
            timeOf(url, 'from'),
            timeOf(url, 'to'),
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

function advance(fixture: Fixture, listeners: ReadonlySet<ServerResponse>, scenario: Scenario): void {
  const readings = []
  for (let second = fixture.seconds + 1; second <= fixture.seconds + speed; second += 1)
    for (const { tag, unit } of tagDefinitions) {
      const isSilent = tag === 'Temp_Exhaust' || (scenario === 'no-probe' && tag === 'OD')
      const reading = isSilent ? undefined : readingAt(tag, second)
      if (reading) readings.push({ tag, unit, ...reading, at: at(fixture, second) })
    }
  const before = fixture.seconds
  fixture.seconds += speed
  const position = String(fixture.seconds * 20 + 120)
  const { forecasts: items, windows } = liveSince(fixture, before, scenario === 'withheld')
  const event = (name: string, data: object) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
  const frame =
    event('readings', { position, readings }) +
    event('forecasts', { position, items }) +
    `id: ${position}\n${event('derived', { position, windows })}`
  for (const response of listeners) response.write(frame)
}

const timeOf = (url: URL, name: string): number | undefined =>
  url.searchParams.has(name) ? Date.parse(url.searchParams.get(name) ?? '') : undefined

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
