/** `batches/{id}/derived` (one quantity, whole or reduced) and `batches/{id}/process-windows` (whole windows). */
import { z } from 'zod'
import { derivedQuantities, findDerivedQuantity } from '../../domain/process-windows/derived-quantities.ts'
import { formatParameter, negotiateFormat, sendRows } from '../../infra/http/formats.ts'
import { ProblemError } from '../../infra/http/problem.ts'
import { type HttpServer, problemResponses } from '../../infra/http/server.ts'
import type { PoolClient } from '../../infra/postgres/pool.ts'
import { derivedSeries, processWindowList } from '../../schemas/http-evidence.ts'
import { streams } from '../../schemas/streams.ts'
import { readCursor } from '../query/cursor.ts'
import {
  type DerivedPoint,
  type ProcessWindowItem,
  readDerivedPoints,
  readProcessWindows,
  reduceDerived,
} from '../query/derived.ts'
import { type QueryDeps, refuseParked, type Standing } from '../query/standing.ts'
import { answer, asOfAnswer, asOfParameters, batchPath, pageParameters, requireBatch } from './as-of.ts'
import { described } from './json-answer.ts'
import { number, sendList, text } from './lists.ts'
import { rangeOf, rangeParameters } from './time-range.ts'

export function registerDerivedRoutes(server: HttpServer, deps: QueryDeps): void {
  server.route({
    method: 'GET',
    url: '/api/v1/batches/:id/derived',
    config: { access: 'read' },
    schema: {
      summary: 'One derived process value by the ends of its 30-s windows; whole, or reduced for a chart',
      params: batchPath,
      querystring: z.object({
        key: z
          .string()
          .min(1)
          .max(100)
          .describe(`One of ${derivedQuantities.map(({ key }) => key).join(', ')}`),
        ...rangeParameters,
        reduce: z.enum(['none', 'minmax', 'mean']).default('none'),
        points: z.coerce.number().int().min(4).max(20_000).default(2_000).describe('About how many at most'),
        ...asOfParameters,
        format: formatParameter,
      }),
      response: { 200: described(derivedSeries), ...problemResponses },
    },
    handler: async (request, reply) => {
      const { id } = request.params
      const { reduce, points: limit, format } = request.query
      const quantity = quantityOf(request.query.key)
      const range = rangeOf(request.query)
      const negotiated = negotiateFormat(request, format)
      const { result, standing } = await answer(deps, reply, request.query, async (client, at) => {
        await requireDerived(client, at, id)
        return await readDerivedPoints(client, id, quantity.key, at.position, range)
      })
      const { reduced, bucketMs, points } =
        reduce === 'none'
          ? { reduced: false, bucketMs: null, points: result }
          : reduceDerived(result, reduce, limit)
      const { key, label, unit, displayUnit, displayFactor, decimals } = quantity
      const bucketSeconds = bucketMs === null ? null : bucketMs / 1000
      reply.header('series-unit', encodeURI(unit))
      reply.header('series-reduced', String(reduced))
      if (bucketSeconds !== null) reply.header('series-bucket-seconds', String(bucketSeconds))
      return sendRows<DerivedPoint>(reply, {
        format: negotiated,
        rows: points,
        columns: [
          text('at', (point) => point.at),
          number('value', (point) => point.value),
          text('quality', (point) => point.quality),
          text('reason', (point) => point.reason),
          number('position', (point) => point.position),
        ],
        fileName: `${key}-${id}`,
        json: {
          before: { key, label, unit, displayUnit, displayFactor, decimals, reduced, reduce, bucketSeconds },
          name: 'points',
          after: () => ({ sourceCount: result.length, asOf: asOfAnswer(standing) }),
        },
      })
    },
  })

  server.route({
    method: 'GET',
    url: '/api/v1/batches/:id/process-windows',
    config: { access: 'read' },
    schema: {
      summary: 'Closed 30-s windows with all derived values, and how readings were cleaned for them',
      params: batchPath,
      querystring: z.object({
        ...rangeParameters,
        ...pageParameters,
        ...asOfParameters,
        format: formatParameter,
      }),
      response: { 200: described(processWindowList), ...problemResponses },
    },
    handler: async (request, reply) => {
      const { id } = request.params
      const { limit, after, format, asOf, asOfPosition } = request.query
      const range = rangeOf(request.query)
      const cursor = readCursor(after, [z.iso.datetime(), z.string().regex(/^\d{1,19}$/)])
      const { result, standing } = await answer(
        deps,
        reply,
        { asOf, asOfPosition, cursorPosition: cursor?.position },
        async (client, at) => {
          await requireDerived(client, at, id)
          return await readProcessWindows(
            client,
            id,
            at.position,
            range,
            cursor?.key as [string, string] | undefined,
            limit + 1,
          )
        },
      )
      return sendList<ProcessWindowItem>(request, reply, format, {
        rows: result,
        limit,
        standing,
        keyOf: (window) => [window.to, window.position],
        fileName: `process-windows-${id}`,
        columns: [
          text('from', (window) => window.from),
          text('to', (window) => window.to),
          text('phase', (window) => window.phase),
          number('qualityScore', (window) => window.qualityScore),
          ...derivedQuantities.map(({ key }) =>
            number<ProcessWindowItem>(key, (window) => window.derived[key]?.value),
          ),
          text('depletionConfirmed', (window) => window.depletionConfirmed),
          text('rulesVersion', (window) => window.rulesVersion),
          number('position', (window) => window.position),
          text('eventId', (window) => window.eventId),
        ],
      })
    },
  })
}

/** As any question about the batch, and 503 when its derived windows could not be followed any further. */
async function requireDerived(client: PoolClient, at: Standing, id: string): Promise<void> {
  await requireBatch(client, at, id)
  await refuseParked(client, at, [streams.derived(id)])
}

function quantityOf(key: string) {
  const quantity = findDerivedQuantity(key)
  if (quantity) return quantity
  const allowed = derivedQuantities.map((known) => known.key)
  throw new ProblemError({
    status: 422,
    code: 'unknown-quantity',
    detail: `${JSON.stringify(key)} is no derived quantity: they are ${allowed.join(', ')}`,
    rule: 'a key of a derived quantity',
    allowed,
    errors: [{ in: 'query', pointer: '/key', value: key, rule: 'a key of a derived quantity' }],
  })
}
