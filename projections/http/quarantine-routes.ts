/** Messages that could not be taken as readings: `batches/{id}/quarantine`, and `quarantine` of all streams. */
import { z } from 'zod'
import { type HttpServer, problemResponses } from '../../infra/http/server.ts'
import { quarantineList } from '../../schemas/http.ts'
import { type QuarantinedMessage, readQuarantine } from '../query/records.ts'
import type { QueryDeps } from '../query/standing.ts'
import { loadParkedKeys } from '../tables/parked.ts'
import { batchPath, requireBatch } from './as-of.ts'
import { described } from './json-answer.ts'
import { listParameters, number, readPage, sendList, text } from './lists.ts'

export function registerQuarantineRoutes(server: HttpServer, deps: QueryDeps): void {
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
      const page = await readPage(deps, reply, request.query, async (client, at, { after, limit }) => {
        await requireBatch(client, at, id)
        return { rows: await readQuarantine(client, `reading-${id}`, at.position, after, limit) }
      })
      return sendList(request, reply, request.query.format, {
        ...page,
        fileName: `quarantine-${id}`,
        columns,
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
      const page = await readPage(deps, reply, request.query, async (client, at, { after, limit }) => ({
        rows: await readQuarantine(client, undefined, at.position, after, limit),
        stopped: await loadParkedKeys(client, at.position),
      }))
      return sendList(request, reply, request.query.format, {
        ...page,
        fileName: 'quarantine',
        columns,
      })
    },
  })
}

const columns = [
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
