/** `batches/{id}/samples` for reading: offline samples with what was typed. */
import { z } from 'zod'
import { formatParameter } from '../../infra/http/formats.ts'
import { type HttpServer, problemResponses } from '../../infra/http/server.ts'
import { offlineSampleList } from '../../schemas/http-evidence.ts'
import { readCursor } from '../query/cursor.ts'
import { type OfflineSample, readSamples } from '../query/samples.ts'
import type { QueryDeps } from '../query/standing.ts'
import { answer, asOfParameters, batchPath, pageParameters, requireBatch } from './as-of.ts'
import { number, sendList, text } from './lists.ts'
import { described } from './record-routes.ts'

export function registerSampleRoutes(server: HttpServer, deps: QueryDeps): void {
  server.route({
    method: 'GET',
    url: '/api/v1/batches/:id/samples',
    config: { access: 'read' },
    schema: {
      summary: 'Offline samples of the batch, in the order of recording',
      params: batchPath,
      querystring: z.object({ ...pageParameters, ...asOfParameters, format: formatParameter }),
      response: { 200: described(offlineSampleList), ...problemResponses },
    },
    handler: async (request, reply) => {
      const { id } = request.params
      const { limit, after, format, ...question } = request.query
      const cursor = readCursor(after, [z.string().regex(/^\d{1,19}$/)])
      const key = cursor?.key[0]
      const { result, standing } = await answer(
        deps,
        reply,
        { ...question, cursorPosition: cursor?.position },
        async (client, at) => {
          await requireBatch(client, at, id)
          return await readSamples(
            client,
            id,
            at.position,
            key === undefined ? undefined : BigInt(key),
            limit + 1,
          )
        },
      )
      return sendList<OfflineSample>(request, reply, format, {
        rows: result,
        limit,
        standing,
        keyOf: (sample) => [sample.position],
        fileName: `samples-${id}`,
        columns: [
          number('sampleNumber', (sample) => sample.sampleNumber),
          number('replicate', (sample) => sample.replicate),
          text('sampledAt', (sample) => sample.sampledAt),
          text('recordedAt', (sample) => sample.recordedAt),
          text('takenBy', (sample) => sample.takenBy),
          number('timepointHours', (sample) => sample.timepointHours),
          number('od600Raw', (sample) => sample.od600Raw),
          number('dilutionFactor', (sample) => sample.dilutionFactor),
          number('od600', (sample) => sample.od600),
          text('contaminationDetected', (sample) => sample.contaminationDetected),
          text('lateEntry', (sample) => sample.lateEntry),
          text('sampleId', (sample) => sample.sampleId),
          number('position', (sample) => sample.position),
          text('eventId', (sample) => sample.eventId),
        ],
      })
    },
  })
}
