/** `ledger/checkpoint`, `ledger/tile/<level>/<index>`, `ledger/tile/entries/<index>` (C2SP tlog-tiles). */
import { z } from 'zod'
import { ProblemError } from '../../infra/http/problem.ts'
import { type HttpServer, problemResponses } from '../../infra/http/server.ts'
import { parseTilePath } from '../log/tile.ts'
import type { LogReader } from '../storage/log-reader.ts'
import { asSealed } from './as-sealed.ts'

const base = '/api/v1/ledger'
/** What a full tile holds never changes, and leads to the root of a checkpoint. A partial one is asked for no more once there is a wider one. */
const forever = 'private, max-age=31536000, immutable'
const shortly = 'private, max-age=60'

export function registerTileRoutes(server: HttpServer, reader: LogReader): void {
  server.route({
    method: 'GET',
    url: `${base}/checkpoint`,
    config: { access: 'read' },
    schema: {
      summary: 'The newest checkpoint of the log as signed note (C2SP tlog-checkpoint)',
      response: {
        200: { description: 'The text', content: { 'text/plain': { schema: z.string() } } },
        ...problemResponses,
      },
    },
    handler: async (_request, reply) => {
      const head = await reader.head()
      if (!head) throw nothingPublished()
      return reply
        .type('text/plain; charset=utf-8')
        .header('cache-control', 'private, max-age=1')
        .send(head.note)
    },
  })

  server.route({
    method: 'GET',
    url: `${base}/tile/*`,
    config: { access: 'read' },
    schema: {
      summary: 'A tile of hashes, or a bundle of entries (C2SP tlog-tiles)',
      response: {
        200: {
          description: 'The bytes',
          content: {
            'application/octet-stream': {
              schema: z.custom<Buffer>().meta({ type: 'string', format: 'binary' }),
            },
          },
        },
        ...problemResponses,
      },
    },
    handler: async (request, reply) => {
      const path = `tile/${(request.params as { '*': string })['*']}`
      const tile = parseTilePath(path)
      const bytes = tile && (await asSealed(() => reader.tile(tile)))
      if (!tile || !bytes)
        throw new ProblemError({
          status: 404,
          code: 'unknown-tile',
          detail: `no published checkpoint covers ${path}`,
          rule: 'the path of a tile of the newest checkpoint (C2SP tlog-tiles)',
        })
      return reply
        .type('application/octet-stream')
        .header('cache-control', tile.width === 256 ? forever : shortly)
        .send(bytes)
    },
  })
}

export const nothingPublished = (): ProblemError =>
  new ProblemError(
    {
      status: 404,
      code: 'nothing-published',
      detail: 'the log has no checkpoint yet: it comes within seconds of the first event',
      rule: 'a log with a published checkpoint',
    },
    { 'retry-after': '1' },
  )
