/** `batches`, `batches/{id}`, `…/timeline`, `…/gaps`, `…/quarantine`, `…/ingress`, and `quarantine` of all streams. */
import { z } from 'zod'
import { formatParameter } from '../../infra/http/formats.ts'
import { type HttpServer, problemResponses } from '../../infra/http/server.ts'
import { batchStatus } from '../../schemas/events/batch-events.ts'
import {
  type Batch,
  batchList,
  batchState,
  gapList,
  ingressBalance,
  quarantineList,
  timeline,
} from '../../schemas/http.ts'
import { readCurrent } from '../query/current.ts'
import { readCursor } from '../query/cursor.ts'
import { readIngress } from '../query/ingress.ts'
import {
  type Gap,
  type QuarantinedMessage,
  readBatches,
  readGaps,
  readQuarantine,
  readTimeline,
  type TimelineItem,
} from '../query/records.ts'
import type { QueryDeps } from '../query/standing.ts'
import { loadParkedKeys } from '../tables/parked.ts'
import {
  answer,
  asOfAnswer,
  asOfParameters,
  batchPath,
  pageParameters,
  requireBatch,
  severalTexts,
} from './as-of.ts'
import { number, sendList, text } from './lists.ts'
import { tagOf } from './tag-parameter.ts'

const positionText = z.string().regex(/^\d{1,19}$/)
const listParameters = { ...pageParameters, ...asOfParameters, format: formatParameter }

export function registerRecordRoutes(server: HttpServer, deps: QueryDeps): void {
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
      const { limit, after, format, type, order, ...question } = request.query
      const cursor = readCursor(after, [positionText])
      const key = cursor?.key[0]
      const { result, standing } = await answer(
        deps,
        reply,
        { ...question, cursorPosition: cursor?.position },
        async (client, at) => {
          await requireBatch(client, at, id)
          return await readTimeline(client, {
            batchId: id,
            through: at.position,
            ...(key === undefined ? {} : order === 'asc' ? { after: BigInt(key) } : { before: BigInt(key) }),
            types: type,
            newestFirst: order === 'desc',
            limit: limit + 1,
          })
        },
      )
      return sendList<TimelineItem>(request, reply, format, {
        rows: result,
        limit,
        standing,
        keyOf: (item) => [item.position],
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
      const { limit, after, format, tag, ...question } = request.query
      const cursor = readCursor(after, [positionText])
      const { result, standing } = await answer(
        deps,
        reply,
        { ...question, cursorPosition: cursor?.position },
        async (client, at) => {
          await requireBatch(client, at, id)
          const key = cursor?.key[0]
          return await readGaps(
            client,
            `reading-${id}`,
            at.position,
            tag === undefined ? undefined : tagOf(tag),
            key === undefined ? undefined : BigInt(key),
            limit + 1,
          )
        },
      )
      return sendList<Gap>(request, reply, format, {
        rows: result,
        limit,
        standing,
        keyOf: (gap) => [gap.position],
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

  const quarantineColumns = [
    number<QuarantinedMessage>('position', (message) => message.position),
    text<QuarantinedMessage>('recordedAt', (message) => message.recordedAt),
    text<QuarantinedMessage>('receivedAt', (message) => message.receivedAt),
    text<QuarantinedMessage>('vessel', (message) => message.vessel),
    text<QuarantinedMessage>('tag', (message) => message.tag),
    text<QuarantinedMessage>('topic', (message) => message.topic),
    text<QuarantinedMessage>('reason', (message) => message.reason),
    text<QuarantinedMessage>('field', (message) => message.field),
    text<QuarantinedMessage>('rule', (message) => message.rule),
    number<QuarantinedMessage>('rawLength', (message) => message.rawLength),
    text<QuarantinedMessage>('truncated', (message) => message.truncated),
    text<QuarantinedMessage>('raw', (message) => message.raw),
  ]
  server.route({
    method: 'GET',
    url: '/api/v1/batches/:id/quarantine',
    config: { access: 'read' },
    schema: {
      summary: 'Messages for the batch that could not be taken as readings, with their raw bytes (base64)',
      params: batchPath,
      querystring: z.object(listParameters),
      response: { 200: described(quarantineList), ...problemResponses },
    },
    handler: async (request, reply) => {
      const { id } = request.params
      const { limit, after, format, ...question } = request.query
      const cursor = readCursor(after, [positionText])
      const { result, standing } = await answer(
        deps,
        reply,
        { ...question, cursorPosition: cursor?.position },
        async (client, at) => {
          await requireBatch(client, at, id)
          const key = cursor?.key[0]
          return await readQuarantine(
            client,
            `reading-${id}`,
            at.position,
            key === undefined ? undefined : BigInt(key),
            limit + 1,
          )
        },
      )
      return sendList(request, reply, format, {
        rows: result,
        limit,
        standing,
        keyOf: (message) => [message.position],
        fileName: `quarantine-${id}`,
        columns: quarantineColumns,
      })
    },
  })
  server.route({
    method: 'GET',
    url: '/api/v1/quarantine',
    config: { access: 'read' },
    schema: {
      summary: 'Messages of any vessel that could not be taken as readings',
      querystring: z.object(listParameters),
      response: { 200: described(quarantineList), ...problemResponses },
    },
    handler: async (request, reply) => {
      const { limit, after, format, ...question } = request.query
      const cursor = readCursor(after, [positionText])
      const key = cursor?.key[0]
      const { result, standing } = await answer(
        deps,
        reply,
        { ...question, cursorPosition: cursor?.position },
        async (client, at) => ({
          rows: await readQuarantine(
            client,
            undefined,
            at.position,
            key === undefined ? undefined : BigInt(key),
            limit + 1,
          ),
          stopped: await loadParkedKeys(client, at.position),
        }),
      )
      return sendList(request, reply, format, {
        ...result,
        limit,
        standing,
        keyOf: (message) => [message.position],
        fileName: 'quarantine',
        columns: quarantineColumns,
      })
    },
  })
}

/** The answer is written as text (so that its bytes are ours to keep); the schema describes it. */
export const described = <Schema extends z.ZodType>(schema: Schema) => ({
  description: 'The answer; its asOf names where it stands',
  content: { 'application/json': { schema } },
})

export function sendJson(reply: import('fastify').FastifyReply, body: unknown) {
  return reply
    .type('application/json; charset=utf-8')
    .serializer((text: string) => text)
    .send(JSON.stringify(body))
}
