/** `batches/{id}/forecasts` (issued and withheld), `…/forecasts/coverage` and `…/forecasts/withheld`. */
import { z } from 'zod'
import { formatParameter, negotiateFormat, sendRows } from '../../infra/http/formats.ts'
import { type HttpServer, problemResponses } from '../../infra/http/server.ts'
import type { PoolClient } from '../../infra/postgres/pool.ts'
import { type Horizon, horizon } from '../../schemas/events/forecast-events.ts'
import { forecastCoverage, forecastList, withheldSpanList } from '../../schemas/http-evidence.ts'
import { streams } from '../../schemas/streams.ts'
import { readCursor } from '../query/cursor.ts'
import {
  type Forecast,
  readCoverage,
  readForecasts,
  readThinnedForecasts,
  readWithheldSpans,
  type WithheldSpan,
} from '../query/forecasts.ts'
import { type QueryDeps, refuseParked, type Standing } from '../query/standing.ts'
import { answer, asOfAnswer, asOfParameters, batchPath, pageParameters, requireBatch } from './as-of.ts'
import { described, sendJson } from './json-answer.ts'
import { number, sendList, text } from './lists.ts'
import { rangeOf, rangeParameters } from './time-range.ts'

const positionText = z.string().regex(/^\d{1,19}$/)

export function registerForecastRoutes(server: HttpServer, deps: QueryDeps): void {
  server.route({
    method: 'GET',
    url: '/api/v1/batches/:id/forecasts',
    config: { access: 'read' },
    schema: {
      summary: 'Forecasts of OD600, issued and withheld, by the end of the window they looked at',
      params: batchPath,
      querystring: z.object({
        ...rangeParameters,
        order: z.enum(['asc', 'desc']).default('asc'),
        points: z.coerce
          .number()
          .int()
          .min(1)
          .max(5_000)
          .optional()
          .describe(
            'Thin the list for a chart: of each slice of time the newest issued and the newest withheld',
          ),
        ...pageParameters,
        cursor: z.string().max(1000).optional().describe('The same as after'),
        ...asOfParameters,
        format: formatParameter,
      }),
      response: { 200: described(forecastList), ...problemResponses },
    },
    handler: async (request, reply) => {
      const { id } = request.params
      const { limit, after, cursor: alias, points, order, format, asOf, asOfPosition } = request.query
      const range = rangeOf(request.query)
      const cursor = readCursor(after ?? alias, [z.iso.datetime(), positionText])
      const { result, standing } = await answer(
        deps,
        reply,
        { asOf, asOfPosition, cursorPosition: cursor?.position },
        async (client, at) => {
          await requireForecasts(client, at, id)
          const question = { batchId: id, position: at.position, range }
          if (points !== undefined)
            return { thinned: await readThinnedForecasts(client, { ...question, points }), rows: [] }
          const rows = await readForecasts(client, {
            ...question,
            newestFirst: order === 'desc',
            after: cursor?.key as [string, string] | undefined,
            limit: limit + 1,
          })
          return { thinned: undefined, rows }
        },
      )
      const fileName = `forecasts-${id}`
      if (!result.thinned)
        return sendList<Forecast>(request, reply, format, {
          rows: result.rows,
          limit,
          standing,
          keyOf: (forecast) => [forecast.issuedAt, forecast.position],
          fileName,
          columns: forecastColumns,
        })
      const { items, ...thinning } = result.thinned
      return sendRows(reply, {
        format: negotiateFormat(request, format),
        rows: order === 'asc' ? items : items.toReversed(),
        columns: forecastColumns,
        fileName,
        json: { name: 'items', after: () => ({ next: null, ...thinning, asOf: asOfAnswer(standing) }) },
      })
    },
  })

  server.route({
    method: 'GET',
    url: '/api/v1/batches/:id/forecasts/coverage',
    config: { access: 'read' },
    schema: {
      summary: 'How issued forecasts met later samples, by horizon; how many were issued and withheld',
      params: batchPath,
      querystring: z.object(asOfParameters),
      response: { 200: described(forecastCoverage), ...problemResponses },
    },
    handler: async (request, reply) => {
      const { id } = request.params
      const { result, standing } = await answer(deps, reply, request.query, async (client, at) => {
        await requireForecasts(client, at, id)
        return await readCoverage(client, id, at.position)
      })
      return sendJson(reply, { stated: 0.9, ...result, asOf: asOfAnswer(standing) })
    },
  })

  server.route({
    method: 'GET',
    url: '/api/v1/batches/:id/forecasts/withheld',
    config: { access: 'read' },
    schema: {
      summary: 'Runs of windows in which no forecast was issued, with the reason',
      params: batchPath,
      querystring: z.object({
        ...rangeParameters,
        ...pageParameters,
        ...asOfParameters,
        format: formatParameter,
      }),
      response: { 200: described(withheldSpanList), ...problemResponses },
    },
    handler: async (request, reply) => {
      const { id } = request.params
      const { limit, after, format, asOf, asOfPosition } = request.query
      const range = rangeOf(request.query)
      const cursor = readCursor(after, [z.iso.datetime()])
      const { result, standing } = await answer(
        deps,
        reply,
        { asOf, asOfPosition, cursorPosition: cursor?.position },
        async (client, at) => {
          await requireForecasts(client, at, id)
          return await readWithheldSpans(client, {
            batchId: id,
            position: at.position,
            range,
            after: cursor?.key[0],
            limit: limit + 1,
          })
        },
      )
      return sendList<WithheldSpan>(request, reply, format, {
        rows: result,
        limit,
        standing,
        keyOf: (span) => [span.from],
        fileName: `withheld-${id}`,
        columns: [
          text('from', (span) => span.from),
          text('to', (span) => span.to),
          text('reason', (span) => span.reason),
          text('detail', (span) => span.detail),
          number('count', (span) => span.count),
          text('modelId', (span) => span.modelId),
          text('modelVersion', (span) => span.modelVersion),
        ],
      })
    },
  })
}

/** As any question about the batch, and 503 when its forecasts could not be followed any further. */
async function requireForecasts(client: PoolClient, at: Standing, id: string): Promise<void> {
  await requireBatch(client, at, id)
  await refuseParked(client, at, [streams.forecast(id)])
}

const issued = (forecast: Forecast) => (forecast.kind === 'issued' ? forecast : undefined)
const withheld = (forecast: Forecast) => (forecast.kind === 'withheld' ? forecast : undefined)
const quantile = (name: Horizon, which: 'p5' | 'p50' | 'p95') =>
  number<Forecast>(
    `${name}_${which}`,
    (forecast) => issued(forecast)?.horizons.find((one) => one.horizon === name)?.[which],
  )

const forecastColumns = [
  text<Forecast>('kind', (forecast) => forecast.kind),
  text<Forecast>('issuedAt', (forecast) => forecast.issuedAt),
  text<Forecast>('recordedAt', (forecast) => forecast.recordedAt),
  text<Forecast>('modelId', (forecast) => forecast.modelId),
  text<Forecast>('modelVersion', (forecast) => forecast.modelVersion),
  text<Forecast>('modelHash', (forecast) => forecast.modelHash),
  text<Forecast>('inputHash', (forecast) => forecast.inputHash),
  text<Forecast>('phase', (forecast) => forecast.phase),
  number<Forecast>('hoursSinceInoculation', (forecast) => forecast.hoursSinceInoculation),
  number<Forecast>('inDomainScore', (forecast) => forecast.inDomainScore),
  number<Forecast>('lastValue', (forecast) => issued(forecast)?.lastValue),
  number<Forecast>('lastMu', (forecast) => issued(forecast)?.lastMu),
  ...horizon.options.flatMap((name) => [quantile(name, 'p5'), quantile(name, 'p50'), quantile(name, 'p95')]),
  number<Forecast>('depletionMinutes_p5', (forecast) => issued(forecast)?.depletionMinutes?.p5),
  number<Forecast>('depletionMinutes_p50', (forecast) => issued(forecast)?.depletionMinutes?.p50),
  number<Forecast>('depletionMinutes_p95', (forecast) => issued(forecast)?.depletionMinutes?.p95),
  text<Forecast>('reason', (forecast) => withheld(forecast)?.reason),
  text<Forecast>('detail', (forecast) => withheld(forecast)?.detail),
  number<Forecast>('position', (forecast) => forecast.position),
  text<Forecast>('eventId', (forecast) => forecast.eventId),
]
