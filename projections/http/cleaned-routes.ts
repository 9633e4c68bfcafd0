/** `batches/{id}/cleaned` (one tag's cleaned series) and `batches/{id}/findings` (what is to be said about its raw readings). */
import { z } from 'zod'
import { rulesVersion } from '../../domain/signal-cleaning/cleaning-rules.ts'
import { findingNames } from '../../domain/signal-cleaning/data-findings.ts'
import { formatParameter, negotiateFormat, sendRows } from '../../infra/http/formats.ts'
import { type HttpServer, problemResponses } from '../../infra/http/server.ts'
import { cleanedSeries, dataFindingList } from '../../schemas/http-cleaning.ts'
import { findTag, type TagDefinition, tagDefinitions } from '../../schemas/tags.ts'
import {
  type CleanedItem,
  cleanedInRange,
  type FindingItem,
  findingsOf,
  readingsInOrder,
  readTagReadings,
  readUntil,
} from '../query/cleaned.ts'
import { readCursor } from '../query/cursor.ts'
import type { QueryDeps, Standing } from '../query/standing.ts'
import { answer, asOfAnswer, asOfParameters, batchPath, pageParameters, requireBatch } from './as-of.ts'
import { described } from './json-answer.ts'
import { number, sendList, text } from './lists.ts'
import { tagOf } from './tag-parameter.ts'
import { rangeOf, rangeParameters } from './time-range.ts'

const always = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY }

export function registerCleanedRoutes(server: HttpServer, deps: QueryDeps): void {
  server.route({
    method: 'GET',
    url: '/api/v1/batches/:id/cleaned',
    config: { access: 'read' },
    schema: {
      summary:
        'Readings of one tag, cleaned, on the grid of its cadence, with gaps filled as far as the rules allow',
      params: batchPath,
      querystring: z.object({
        tag: z.string().min(1).max(100).describe('Canonical tag or one of its aliases'),
        ...rangeParameters,
        ...asOfParameters,
        format: formatParameter,
      }),
      response: { 200: described(cleanedSeries), ...problemResponses },
    },
    handler: async (request, reply) => {
      const { id } = request.params
      const { tag: name, format, asOf } = request.query
      const definition = definitionOf(name)
      const range = rangeOf(request.query)
      const negotiated = negotiateFormat(request, format)
      const { result, standing } = await answer(deps, reply, request.query, async (client, at) => {
        const batch = await requireBatch(client, at, id)
        return {
          untilMs: await readUntil(client, batch, at.position, knownUpTo(asOf, at)),
          readings: await readTagReadings(client, `reading-${id}`, definition.tag, at.position),
        }
      })
      const { untilMs, readings } = result
      let sourceCount = 0
      const counts: Partial<Record<CleanedItem['quality'], number>> = {}
      const blocks = readingsInOrder(deps.pool, readings, standing.position, always)
      const points = cleanedInRange(blocks, definition, range, untilMs, () => sourceCount++)
      reply.header('series-unit', encodeURI(definition.unit))
      reply.header('series-rules', rulesVersion)
      return sendRows<CleanedItem>(reply, {
        format: negotiated,
        rows: counted(points, ({ quality }) => {
          counts[quality] = (counts[quality] ?? 0) + 1
        }),
        columns: [
          text('at', (point) => point.at),
          text('to', (point) => point.to),
          number('value', (point) => point.value),
          text('quality', (point) => point.quality),
          text('rule', (point) => point.rule),
          text('positions', (point) => point.positions.join(' ')),
          number('variance', (point) => point.variance),
          number('basisFrom', (point) => point.basis?.from),
          number('basisTo', (point) => point.basis?.to),
          number('basisCount', (point) => point.basis?.count),
        ],
        fileName: `cleaned-${definition.tag}-${id}`,
        json: {
          before: {
            tag: definition.tag,
            unit: definition.unit,
            rulesVersion,
            until: untilMs === undefined ? null : new Date(untilMs).toISOString(),
          },
          name: 'points',
          after: () => ({ sourceCount, counts, asOf: asOfAnswer(standing) }),
        },
      })
    },
  })

  server.route({
    method: 'GET',
    url: '/api/v1/batches/:id/findings',
    config: { access: 'read' },
    schema: {
      summary:
        'Findings about raw readings while the batch runs: more than 30 min without data, windows mostly without data',
      params: batchPath,
      querystring: z.object({
        tag: z.string().min(1).max(100).optional().describe('Without it: every tag that ever spoke'),
        finding: z.enum(findingNames).optional(),
        ...pageParameters,
        ...asOfParameters,
        format: formatParameter,
      }),
      response: { 200: described(dataFindingList), ...problemResponses },
    },
    handler: async (request, reply) => {
      const { id } = request.params
      const { tag: name, finding, limit, after, format, asOf, asOfPosition } = request.query
      const cursor = readCursor(after, [z.iso.datetime(), z.string(), z.string()])
      const asked = name === undefined ? tagDefinitions : [definitionOf(name)]
      const question = { asOf, asOfPosition, cursorPosition: cursor?.position }
      const { result, standing } = await answer(deps, reply, question, async (client, at) => {
        const batch = await requireBatch(client, at, id)
        const untilMs = await readUntil(client, batch, at.position, knownUpTo(asOf, at))
        const fromMs = batch.inoculatedAt === null ? undefined : Date.parse(batch.inoculatedAt)
        if (fromMs === undefined || untilMs === undefined) return undefined
        const tags = []
        for (const definition of asked)
          tags.push({
            definition,
            readings: await readTagReadings(client, `reading-${id}`, definition.tag, at.position),
          })
        return { fromMs, untilMs, tags }
      })
      const found: FindingItem[] = []
      for (const { definition, readings } of result?.tags ?? []) {
        if (readings.length === 0 || result === undefined) continue
        const { fromMs, untilMs } = result
        const blocks = readingsInOrder(deps.pool, readings, standing.position, {
          ...always,
          toMs: untilMs + 1,
        })
        found.push(...(await findingsOf(blocks, definition, fromMs, untilMs)))
      }
      const rows = found
        .filter((one) => finding === undefined || one.finding === finding)
        .map((one) => ({ one, key: keyOf(one) }))
        .sort((left, right) => (left.key < right.key ? -1 : 1))
        .filter(({ key }) => cursor === undefined || key > cursor.key.join(' '))
        .map(({ one }) => one)
      return sendList<FindingItem>(request, reply, format, {
        rows,
        limit,
        standing,
        keyOf: (one) => [one.from, one.tag, one.finding],
        fileName: `findings-${id}`,
        columns: [
          text('finding', (one) => one.finding),
          text('level', (one) => one.level),
          text('tag', (one) => one.tag),
          text('from', (one) => one.from),
          text('to', (one) => one.to),
          text('open', (one) => one.open),
          number('expected', (one) => one.expected),
          number('missing', (one) => one.missing),
          text('rule', (one) => one.rule),
          text('positions', (one) => one.positions.join(' ')),
          text('sentence', (one) => one.sentence),
        ],
      })
    },
  })
}

/** What the answer knows of time: the instant that was asked for, else the recording of the last event. */
function knownUpTo(asOf: string | undefined, { recordedAt }: Standing): number | undefined {
  if (asOf !== undefined) return Date.parse(asOf)
  return recordedAt === null ? undefined : Date.parse(recordedAt)
}

function definitionOf(name: string): TagDefinition {
  const definition = findTag(tagOf(name))
  if (definition === undefined) throw new RangeError(`${name} is no tag`)
  return definition
}

const keyOf = ({ from, tag, finding }: FindingItem): string => `${from} ${tag} ${finding}`

async function* counted<Row>(rows: AsyncIterable<Row>, count: (row: Row) => void): AsyncGenerator<Row> {
  for await (const row of rows) {
    count(row)
    yield row
  }
}
