/** The balance of readings: `batches/{id}/ingress`, and `ingress` of every stream that sensors feed, idle vessels included. */
import { z } from 'zod'
import { type HttpServer, problemResponses } from '../../infra/http/server.ts'
import { ingressBalance, streamIngressList } from '../../schemas/http.ts'
import { readCursor, writeCursor } from '../query/cursor.ts'
import { readFedStreams, readIngress } from '../query/ingress.ts'
import type { QueryDeps } from '../query/standing.ts'
import { answer, asOfAnswer, asOfParameters, batchPath, pageParameters, requireBatch } from './as-of.ts'
import { described, sendJson } from './json-answer.ts'

export function registerIngressRoutes(server: HttpServer, deps: QueryDeps): void {
  server.route({
    method: 'GET',
    url: '/api/v1/ingress',
    config: { access: 'read' },
    schema: {
      summary: 'The ingress balance of every stream of readings, by name of stream',
      querystring: z.object({ ...pageParameters, ...asOfParameters }),
      response: { 200: described(streamIngressList), ...problemResponses },
    },
    handler: async (request, reply) => {
      const { limit, after } = request.query
      const cursor = readCursor(after, [z.string().max(250)])
      const question = { ...request.query, cursorPosition: cursor?.position }
      const { result, standing } = await answer(deps, reply, question, async (client, at) => {
        const streams = await readFedStreams(client, at.position, cursor?.key[0] ?? '', limit + 1)
        const items = []
        for (const stream of streams.slice(0, limit)) {
          const { bySource: _, ...balance } = await readIngress(client, stream, at.position)
          items.push({ stream, ...balance })
        }
        return { items, hasMore: streams.length > limit }
      })
      const last = result.items.at(-1)
      const next =
        result.hasMore && last ? writeCursor({ position: standing.position, key: [last.stream] }) : null
      return sendJson(reply, { items: result.items, next, asOf: asOfAnswer(standing) })
    },
  })

  server.route({
    method: 'GET',
    url: '/api/v1/batches/:id/ingress',
    config: { access: 'read' },
    schema: {
      summary: 'Received = stored + duplicate + quarantined, counted independently on both sides',
      params: batchPath,
      querystring: z.object(asOfParameters),
      response: { 200: described(ingressBalance), ...problemResponses },
    },
    handler: async (request, reply) => {
      const { id } = request.params
      const { result, standing } = await answer(deps, reply, request.query, async (client, at) => {
        await requireBatch(client, at, id)
        return await readIngress(client, `reading-${id}`, at.position)
      })
      return sendJson(reply, { ...result, asOf: asOfAnswer(standing) })
    },
  })
}
