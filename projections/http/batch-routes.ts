/** `batches` and `batches/{id}`. */
import { z } from 'zod'
import { type HttpServer, problemResponses } from '../../infra/http/server.ts'
import { batchStatus } from '../../schemas/events/batch-events.ts'
import { type Batch, batchList, batchState } from '../../schemas/http.ts'
import { readCurrent } from '../query/current.ts'
import { readCursor } from '../query/cursor.ts'
import { readBatches } from '../query/records.ts'
import type { QueryDeps } from '../query/standing.ts'
import { loadParkedKeys } from '../tables/parked.ts'
import { answer, asOfAnswer, asOfParameters, batchPath, requireBatch } from './as-of.ts'
import { described, sendJson } from './json-answer.ts'
import { listParameters, number, sendList, text } from './lists.ts'

export function registerBatchRoutes(server: HttpServer, deps: QueryDeps): void {
  server.route({
    method: 'GET',
    url: '/api/v1/batches',
    config: { access: 'read' },
    schema: {
      summary: 'Batches, newest first',
      querystring: z.object({
        status: batchStatus.optional(),
        vessel: z.string().max(50).optional(),
        campaign: z.string().max(50).optional(),
        ...listParameters,
      }),
      response: { 200: described(batchList), ...problemResponses },
    },
    handler: async (request, reply) => {
      const { limit, after, format, asOf, asOfPosition, ...filter } = request.query
      const cursor = readCursor(after, [z.iso.datetime(), z.uuid()])
      const { result, standing } = await answer(
        deps,
        reply,
        { asOf, asOfPosition, cursorPosition: cursor?.position },
        async (client, at) => ({
          rows: await readBatches(
            client,
            at.position,
            filter,
            cursor?.key as [string, string] | undefined,
            limit + 1,
          ),
          stopped: (await loadParkedKeys(client, at.position)).filter(({ stream }) =>
            stream.startsWith('batch-'),
          ),
        }),
      )
      return sendList<Batch>(request, reply, format, {
        ...result,
        limit,
        standing,
        keyOf: (batch) => [batch.createdAt, batch.id],
        fileName: 'batches',
        columns: [
          text('id', (batch) => batch.id),
          text('campaign', (batch) => batch.campaign),
          number('number', (batch) => batch.number),
          number('attempt', (batch) => batch.attempt),
          text('phase', (batch) => batch.phase),
          text('vessel', (batch) => batch.vessel),
          text('status', (batch) => batch.status),
          text('origin', (batch) => batch.origin),
          text('createdAt', (batch) => batch.createdAt),
          text('inoculatedAt', (batch) => batch.inoculatedAt),
          text('closedAt', (batch) => batch.closedAt),
          text('outcome', (batch) => batch.outcome),
          text('operatorId', (batch) => batch.operatorId),
          text('variation', (batch) => batch.variation),
          text('notes', (batch) => batch.notes),
          number('sampleCount', (batch) => batch.sampleCount),
          number('revision', (batch) => batch.revision),
        ],
      })
    },
  })

  server.route({
    method: 'GET',
    url: '/api/v1/batches/:id',
    config: { access: 'read' },
    schema: {
      summary: 'One batch and the current value of each tag',
      params: batchPath,
      querystring: z.object(asOfParameters),
      response: { 200: described(batchState), ...problemResponses },
    },
    handler: async (request, reply) => {
      const { id } = request.params
      const { result, standing } = await answer(deps, reply, request.query, async (client, at) => {
        const batch = await requireBatch(client, at, id)
        return { ...batch, current: await readCurrent(client, `reading-${id}`, at.position) }
      })
      reply.header('etag', `"batch-${id}@${result.revision}"`)
      return sendJson(reply, { ...result, asOf: asOfAnswer(standing) })
    },
  })
}
