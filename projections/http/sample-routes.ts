/** `batches/{id}/samples` for reading: offline samples with what was typed. */
import { z } from 'zod'
import { type HttpServer, problemResponses } from '../../infra/http/server.ts'
import { offlineSampleList } from '../../schemas/http-evidence.ts'
import { type OfflineSample, readSamples } from '../query/samples.ts'
import type { QueryDeps } from '../query/standing.ts'
import { batchPath, requireBatch } from './as-of.ts'
import { described } from './json-answer.ts'
import { listParameters, number, readPage, sendList, text } from './lists.ts'

export function registerSampleRoutes(server: HttpServer, deps: QueryDeps): void {
  server.route({
    method: 'GET',
    url: '/api/v1/batches/:id/samples',
    config: { access: 'read' },
    schema: {
      summary: 'Offline samples of the batch, in the order of recording',
      params: batchPath,
      querystring: z.object(listParameters),
      response: { 200: described(offlineSampleList), ...problemResponses },
    },
    handler: async (request, reply) => {
      const { id } = request.params
      const page = await readPage(deps, reply, request.query, async (client, at, { after, limit }) => {
        await requireBatch(client, at, id)
        return { rows: await readSamples(client, id, at.position, after, limit) }
      })
      return sendList<OfflineSample>(request, reply, request.query.format, {
        ...page,
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
