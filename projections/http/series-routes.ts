/** `batches/{id}/series` (whole or reduced for a chart) and `batches/{id}/windows`. */
import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import { type Column, formatParameter, negotiateFormat, sendRows } from '../../infra/http/formats.ts'
import { type HttpServer, problemResponses } from '../../infra/http/server.ts'
import type { Pool, PoolClient } from '../../infra/postgres/pool.ts'
import { series as seriesAnswer, windowList } from '../../schemas/http.ts'
import { findTag } from '../../schemas/tags.ts'
import { readCursor } from '../query/cursor.ts'
import {
  extentOf,
  pointsInOrder,
  type Reduction,
  reduceToExtremes,
  reduceToMeans,
  type SeriesPoint,
  toSeriesPoint,
} from '../query/points.ts'
import {
  type Catalogue,
  readCatalogue,
  readSeries,
  type SeriesRow,
  type TimeRange,
} from '../query/readings.ts'
import type { QueryDeps } from '../query/standing.ts'
import { readWindows, type Window } from '../query/windows.ts'
import { answer, asOfAnswer, asOfParameters, batchPath, pageParameters, requireBatch } from './as-of.ts'
import { described } from './json-answer.ts'
import { number, sendList, text } from './lists.ts'
import { tagOf } from './tag-parameter.ts'
import { rangeOf, rangeParameters } from './time-range.ts'

const seriesParameters = {
  tag: z.string().min(1).max(100).describe('Canonical tag or one of its aliases'),
  unit: z
    .string()
    .max(50)
    .optional()
    .describe('Of a tag that was sent in several units; without it the unit that came first'),
  ...rangeParameters,
}

export function registerSeriesRoutes(server: HttpServer, deps: QueryDeps): void {
  server.route({
    method: 'GET',
    url: '/api/v1/batches/:id/series',
    config: { access: 'read' },
    schema: {
      summary: 'Readings of one tag, by source time; whole, or reduced for a chart',
      params: batchPath,
      querystring: z.object({
        ...seriesParameters,
        reduce: z
          .enum(['none', 'minmax', 'mean'])
          .default('none')
          .describe('minmax keeps the readings with the least and the greatest value of each bucket'),
        points: z.coerce.number().int().min(4).max(20_000).default(2_000).describe('About how many at most'),
        ...asOfParameters,
        format: formatParameter,
      }),
      response: { 200: described(seriesAnswer), ...problemResponses },
    },
    handler: async (request, reply) => {
      const { id } = request.params
      const { tag: name, unit, reduce, points, format } = request.query
      const tag = tagOf(name)
      const range = rangeOf(request.query)
      const negotiated = negotiateFormat(request, format)
      const { result, standing } = await answer(deps, reply, request.query, async (client, at) => {
        await requireBatch(client, at, id)
        return await findSeries(client, `reading-${id}`, tag, unit, at.position)
      })
      const { catalogue } = result
      const head = { tag, unit: result.series?.unit ?? unit ?? findTag(tag)?.unit ?? '' }
      if (reduce === 'none') {
        let sourceCount = 0
        return sendPoints(reply, negotiated, `${tag}-${id}`, {
          head: { ...head, reduced: false, reduce, bucketSeconds: null },
          rows: counted(pointsOf(deps.pool, catalogue, range, standing.position), () => sourceCount++),
          after: () => ({ sourceCount, asOf: asOfAnswer(standing) }),
        })
      }
      const reduction = await reduced(deps.pool, catalogue, range, standing.position, reduce, points)
      const { bucketMs, sourceCount } = reduction
      return sendPoints(reply, negotiated, `${tag}-${id}`, {
        head: {
          ...head,
          reduced: reduction.reduced,
          reduce,
          bucketSeconds: bucketMs === null ? null : bucketMs / 1000,
        },
        rows: reduction.points,
        after: () => ({ sourceCount, asOf: asOfAnswer(standing) }),
      })
    },
  })

  server.route({
    method: 'GET',
    url: '/api/v1/batches/:id/windows',
    config: { access: 'read' },
    schema: {
      summary: 'Statistics of one tag in windows of 30 s, aligned to UTC',
      params: batchPath,
      querystring: z.object({
        ...seriesParameters,
        ...pageParameters,
        limit: z.coerce.number().int().min(1).max(10_000).default(1_000),
        ...asOfParameters,
        format: formatParameter,
      }),
      response: { 200: described(windowList), ...problemResponses },
    },
    handler: async (request, reply) => {
      const { id } = request.params
      const { tag: name, unit, limit, after, format, asOf, asOfPosition } = request.query
      const tag = tagOf(name)
      const range = rangeOf(request.query)
      const cursor = readCursor(after, [z.iso.datetime()])
      const key = cursor?.key[0]
      const { result, standing } = await answer(
        deps,
        reply,
        { asOf, asOfPosition, cursorPosition: cursor?.position },
        async (client, at) => {
          await requireBatch(client, at, id)
          const series = await findSeriesRow(client, `reading-${id}`, tag, unit, at.position)
          if (!series) return []
          const afterMs = key === undefined ? undefined : Date.parse(key)
          return await readWindows(client, `reading-${id}`, series, at.position, range, afterMs, limit + 1)
        },
      )
      return sendList<Window>(request, reply, format, {
        rows: result,
        limit,
        standing,
        keyOf: (window) => [window.from],
        fileName: `windows-${tag}-${id}`,
        columns: [
          text('tag', (window) => window.tag),
          text('unit', (window) => window.unit),
          text('from', (window) => window.from),
          text('to', (window) => window.to),
          number('mean', (window) => window.mean),
          number('sd', (window) => window.sd),
          number('min', (window) => window.min),
          number('max', (window) => window.max),
          number('count', (window) => window.count),
          number('total', (window) => window.total),
          text('quality', (window) => window.quality),
          text('closed', (window) => window.closed),
        ],
      })
    },
  })
}

async function findSeriesRow(
  client: PoolClient,
  stream: string,
  tag: string,
  unit: string | undefined,
  position: bigint,
): Promise<SeriesRow | undefined> {
  const series = await readSeries(client, stream, position)
  return series.find((row) => row.tag === tag && (unit === undefined || row.unit === unit))
}

async function findSeries(
  client: PoolClient,
  stream: string,
  tag: string,
  unit: string | undefined,
  position: bigint,
): Promise<{ series: SeriesRow | undefined; catalogue: Catalogue }> {
  const series = await findSeriesRow(client, stream, tag, unit, position)
  return {
    series,
    catalogue: series ? await readCatalogue(client, stream, series.id, position) : { chunks: [], loaded: [] },
  }
}

async function reduced(
  pool: Pool,
  catalogue: Catalogue,
  asked: TimeRange,
  position: bigint,
  reduce: 'minmax' | 'mean',
  points: number,
): Promise<Reduction> {
  const extent = extentOf(catalogue)
  if (!extent) return { reduced: false, bucketMs: null, sourceCount: 0, points: [] }
  const range = {
    fromMs: asked.fromMs === Number.NEGATIVE_INFINITY ? extent.minAt : asked.fromMs,
    toMs: asked.toMs === Number.POSITIVE_INFINITY ? extent.maxAt + 1 : asked.toMs,
  }
  if (range.toMs <= range.fromMs) return { reduced: false, bucketMs: null, sourceCount: 0, points: [] }
  return reduce === 'minmax'
    ? await reduceToExtremes(pool, catalogue, range, position, points)
    : await reduceToMeans(pool, catalogue, range, position, points)
}

async function* pointsOf(
  pool: Pool,
  catalogue: Catalogue,
  range: TimeRange,
  position: bigint,
): AsyncGenerator<SeriesPoint> {
  for await (const block of pointsInOrder(pool, catalogue, range, position))
    for (const point of block) yield toSeriesPoint(point)
}

async function* counted<Row>(rows: AsyncIterable<Row>, count: () => void): AsyncGenerator<Row> {
  for await (const row of rows) {
    count()
    yield row
  }
}

const pointColumns: readonly Column<SeriesPoint>[] = [
  text('at', (point) => point.at),
  number('value', (point) => point.value),
  text('quality', (point) => point.quality),
  number('position', (point) => point.position),
]

function sendPoints(
  reply: FastifyReply,
  format: 'json' | 'ndjson' | 'csv',
  fileName: string,
  answered: {
    readonly head: {
      readonly unit: string
      readonly reduced: boolean
      readonly bucketSeconds: number | null
    } & Record<string, unknown>
    readonly rows: AsyncIterable<SeriesPoint> | Iterable<SeriesPoint>
    readonly after: () => Record<string, unknown>
  },
): FastifyReply {
  // The forms without an envelope say in headers what the envelope says.
  reply.header('series-unit', encodeURI(answered.head.unit))
  reply.header('series-reduced', String(answered.head.reduced))
  if (answered.head.bucketSeconds !== null)
    reply.header('series-bucket-seconds', String(answered.head.bucketSeconds))
  return sendRows(reply, {
    format,
    rows: answered.rows,
    columns: pointColumns,
    fileName,
    json: { before: answered.head, name: 'points', after: answered.after },
  })
}
