/** What a batch has on record, in the order of recording: `batches/{id}/timeline` and `…/gaps`. */
import { z } from 'zod'
import { type HttpServer, problemResponses } from '../../infra/http/server.ts'
import { gapList, timeline } from '../../schemas/http.ts'
import { type Gap, readGaps, readTimeline, type TimelineItem } from '../query/records.ts'
import type { QueryDeps } from '../query/standing.ts'
import { batchPath, requireBatch, severalTexts } from './as-of.ts'
import { described } from './json-answer.ts'
import { listParameters, number, readPage, sendList, text } from './lists.ts'
import { tagOf } from './tag-parameter.ts'

export function registerRecordRoutes(server: HttpServer, deps: QueryDeps): void {
  server.route({
    method: 'GET',
    url: '/api/v1/batches/:id/timeline',
    config: { access: 'read' },
    schema: {
      summary: 'What happened in the batch, in sentences, in the order of recording',
      params: batchPath,
      querystring: z.object({
        type: severalTexts
          .optional()
          .describe(
            'Only these event types; without it all but forecasts and derived windows, which come every 30 s',
          ),
        order: z.enum(['asc', 'desc']).default('asc'),
        ...listParameters,
      }),
      response: { 200: described(timeline), ...problemResponses },
    },
    handler: async (request, reply) => {
      const { id } = request.params
      const { format, type, order } = request.query
      const page = await readPage(deps, reply, request.query, async (client, at, { after, limit }) => {
        await requireBatch(client, at, id)
        const rows = await readTimeline(client, {
          batchId: id,
          through: at.position,
          ...(after === undefined ? {} : order === 'asc' ? { after } : { before: after }),
          types: type,
          newestFirst: order === 'desc',
          limit,
        })
        return { rows }
      })
      return sendList<TimelineItem>(request, reply, format, {
        ...page,
        fileName: `timeline-${id}`,
        columns: [
          number('position', (item) => item.position),
          text('occurredAt', (item) => item.occurredAt),
          text('recordedAt', (item) => item.recordedAt),
          text('type', (item) => item.type),
          text('actor', (item) => item.actor.id),
          text('role', (item) => item.actor.role),
          text('origin', (item) => item.origin),
          text('sentence', (item) => item.sentence),
          text('stream', (item) => item.stream),
          number('revision', (item) => item.revision),
          text('eventId', (item) => item.eventId),
          text('receivedAt', (item) => item.receivedAt),
        ],
      })
    },
  })

  server.route({
    method: 'GET',
    url: '/api/v1/batches/:id/gaps',
    config: { access: 'read' },
    schema: {
      summary: 'Times in which a tag was silent, in the order of their detection',
      params: batchPath,
      querystring: z.object({ tag: z.string().max(100).optional(), ...listParameters }),
      response: { 200: described(gapList), ...problemResponses },
    },
    handler: async (request, reply) => {
      const { id } = request.params
      const { format, tag } = request.query
      const page = await readPage(deps, reply, request.query, async (client, at, { after, limit }) => {
        await requireBatch(client, at, id)
        const wanted = tag === undefined ? undefined : tagOf(tag)
        return { rows: await readGaps(client, `reading-${id}`, at.position, wanted, after, limit) }
      })
      return sendList<Gap>(request, reply, format, {
        ...page,
        fileName: `gaps-${id}`,
        columns: [
          text('tag', (gap) => gap.tag),
          text('from', (gap) => gap.from),
          text('to', (gap) => gap.to),
          number('missing', (gap) => gap.missing),
          number('position', (gap) => gap.position),
        ],
      })
    },
  })
}
