/**
 * `GET /api/v1/live?batch=<id>`: server-sent events (WHATWG HTML 9.2). About once a second one frame: `batch`,
 * `timeline` and `ingress` events where something changed, then `readings`, `forecasts` and `derived`. The frame's last event carries `id:`, the
 * position reached; a client that comes back with `Last-Event-ID` goes on after it (a frame cut in the middle is sent
 * again whole). A slow client gets fewer frames, never a growing buffer.
 */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { z } from 'zod'
import { ProblemError } from '../../infra/http/problem.ts'
import { type HttpServer, problemResponses } from '../../infra/http/server.ts'
import type { Logger } from '../../infra/log.ts'
import { type LiveFrame, readLiveFrame } from '../query/live.ts'
import { atStanding, type QueryDeps } from '../query/standing.ts'
import { asOfAnswer, requireBatch } from './as-of.ts'

export type LiveDeps = QueryDeps & {
  readonly log: Logger
  /** Between frames; default 1 s. */
  readonly frameMs?: number
  /** Between signs of life while nothing happens; default 15 s. */
  readonly heartbeatMs?: number
}

const patienceMs = 60_000
const position = z.string().regex(/^\d{1,19}$/, 'a position: digits only')

export function registerLiveRoute(server: HttpServer, deps: LiveDeps): void {
  server.route({
    method: 'GET',
    url: '/api/v1/live',
    exposeHeadRoute: false,
    config: { access: 'read' },
    schema: {
      summary: 'Live feed of a batch (server-sent events)',
      querystring: z.object({
        batch: z.string().min(1).max(100).toLowerCase(),
        after: position
          .optional()
          .describe('Begin after this position; a Last-Event-ID header goes before it. Default: the present'),
      }),
      response: {
        200: {
          description: 'Events until the client leaves',
          content: { 'text/event-stream': { schema: z.string() } },
        },
        ...problemResponses,
      },
    },
    handler: async (request, reply) => {
      const { batch: batchId, after } = request.query
      const resume = lastEventId(request.headers['last-event-id']) ?? after
      const start = await atStanding(deps, undefined, async (client, standing) => {
        await requireBatch(client, standing, batchId)
        return standing.position
      })
      const from = resume === undefined ? undefined : BigInt(resume)
      const headers = Object.entries(reply.getHeaders())
      reply.hijack()
      for (const [name, value] of headers) if (value !== undefined) reply.raw.setHeader(name, value)
      reply.raw.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      })
      // Not awaited: the answer is the stream, and it lasts as long as the client stays.
      feed(deps, reply.raw, batchId, from ?? start, from === undefined).catch((error: unknown) => {
        if (!(error instanceof ProblemError)) deps.log.warn({ err: error, batchId }, 'a live feed broke off')
        reply.raw.destroy()
      })
      return reply
    },
  })
}

function lastEventId(header: string | string[] | undefined): string | undefined {
  if (header === undefined || header === '') return undefined
  const checked = position.safeParse(header)
  if (checked.success) return checked.data
  throw new ProblemError({
    status: 400,
    code: 'invalid-request',
    detail: `header Last-Event-ID is ${JSON.stringify(header).slice(0, 100)}: a position of this feed, digits only`,
    rule: 'the id of the last event that was received',
    errors: [{ in: 'header', pointer: '/last-event-id', value: header, rule: 'digits only' }],
  })
}

async function feed(
  deps: LiveDeps,
  response: ServerResponse,
  batchId: string,
  after: bigint,
  isFresh: boolean,
): Promise<void> {
  const frameMs = deps.frameMs ?? 1_000
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  let reached = after
  let lastSent = performance.now()
  await send(response, gone.signal, `retry: 2000\n${isFresh ? `id: ${after}\n` : ''}\n`)
  while (!gone.signal.aborted) {
    const frame = await atStanding(deps, undefined, async (client, standing) => {
      if (standing.position <= reached) return undefined
      await requireBatch(client, standing, batchId)
      const next = await readLiveFrame(client, batchId, reached, standing.position)
      return { next, isLast: next.through >= standing.position }
    })
    const text = frame ? eventsOf(frame.next) : ''
    if (frame) reached = frame.next.through
    if (text !== '') {
      await send(response, gone.signal, text)
      lastSent = performance.now()
    } else if (performance.now() - lastSent >= (deps.heartbeatMs ?? 15_000)) {
      await send(response, gone.signal, `: still here\nid: ${reached}\n\n`)
      lastSent = performance.now()
    }
    if (!frame || frame.isLast) await pause(frameMs, gone.signal)
  }
}

/** The frame as events; only the last one carries the id, so that an id never promises what was not sent. */
function eventsOf(frame: LiveFrame): string {
  const at = asOfAnswer({ position: frame.through, recordedAt: null })
  const events: { name: string; data: unknown }[] = []
  if (frame.batch) events.push({ name: 'batch', data: frame.batch })
  for (const item of frame.timeline) events.push({ name: 'timeline', data: item })
  if (frame.ingress) events.push({ name: 'ingress', data: { ...frame.ingress, asOf: at } })
  if (frame.readings.length > 0)
    events.push({
      name: 'readings',
      data: { position: frame.through.toString(), readings: frame.readings },
    })
  if (frame.forecasts.length > 0)
    events.push({ name: 'forecasts', data: { position: frame.through.toString(), items: frame.forecasts } })
  if (frame.windows.length > 0)
    events.push({
      name: 'derived',
      data: {
        position: frame.through.toString(),
        windows: frame.windows.map(({ to, phase, derived, position }) => ({
          at: to,
          phase,
          derived,
          position,
        })),
      },
    })
  return events
    .map(
      ({ name, data }, index) =>
        `event: ${name}\ndata: ${JSON.stringify(data)}\n${index === events.length - 1 ? `id: ${frame.through}\n` : ''}\n`,
    )
    .join('')
}

/** Writes and waits until the client has taken it; a client that takes nothing for a minute is left. */
async function send(response: ServerResponse, gone: AbortSignal, text: string): Promise<void> {
  if (gone.aborted || response.write(text)) return
  const tooLong = AbortSignal.any([gone, AbortSignal.timeout(patienceMs)])
  await once(response, 'drain', { signal: tooLong }).catch(() => {
    if (!gone.aborted) response.destroy()
  })
}

function pause(ms: number, gone: AbortSignal): Promise<void> {
  return new Promise((settle) => {
    if (gone.aborted) return settle()
    const timer = setTimeout(done, ms)
    gone.addEventListener('abort', done, { once: true })
    function done() {
      clearTimeout(timer)
      gone.removeEventListener('abort', done)
      settle()
    }
  })
}
