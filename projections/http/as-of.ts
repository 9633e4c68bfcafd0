/** What every query has in common: `asOf`/`asOfPosition`, where the answer stands, and the headers that say so. */
import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import { ProblemError } from '../../infra/http/problem.ts'
import type { PoolClient } from '../../infra/postgres/pool.ts'
import type { Batch } from '../../schemas/http.ts'
import { sourceTime } from '../../schemas/mqtt.ts'
import { readBatch } from '../query/records.ts'
import {
  type AsOfQuestion,
  atStanding,
  type QueryDeps,
  refuseParked,
  resolveStanding,
  type Standing,
} from '../query/standing.ts'

/** An instant with its zone; `Date.parse` alone would take 31 February for 3 March. */
export const instantParameter = sourceTime.refine((text) => {
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split('-').map(Number)
  const date = new Date(Date.UTC(year, month - 1, day))
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day && !Number.isNaN(Date.parse(text))
}, 'an instant of the calendar')

export const asOfParameters = {
  asOf: instantParameter
    .optional()
    .describe(
      'Answer with what had been recorded up to this instant (inclusive); not together with asOfPosition',
    ),
  asOfPosition: z
    .string()
    .regex(/^\d{1,19}$/, 'a position: digits only')
    .optional()
    .describe('Answer with what had been recorded up to this position (inclusive)'),
}

export const pageParameters = {
  limit: z.coerce.number().int().min(1).max(1000).default(100).describe('Items a page, at most 1000'),
  after: z.string().max(1000).optional().describe('Value of next in the page before'),
}

/** Given once or several times. */
export const severalTexts = z
  .union([z.string().max(100), z.array(z.string().max(100)).max(50)])
  .transform((value) => (typeof value === 'string' ? [value] : value))

export const asOfAnswer = (standing: Standing) => ({
  position: standing.position.toString(),
  recordedAt: standing.recordedAt,
})

/** Answers a question in one snapshot of the read models, and says in the headers where it stands. */
export async function answer<Result>(
  deps: QueryDeps,
  reply: FastifyReply,
  question: AsOfQuestion,
  work: (client: PoolClient, standing: Standing) => Promise<Result>,
): Promise<{ readonly result: Result; readonly standing: Standing }> {
  const position = await resolveStanding(deps, question)
  const answered = await atStanding(deps, position, async (client, standing) => ({
    result: await work(client, standing),
    standing,
  }))
  reply.header('as-of-position', answered.standing.position.toString())
  if (answered.standing.recordedAt !== null) reply.header('as-of-recorded', answered.standing.recordedAt)
  return answered
}

const uuidText = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** The batch where the answer stands; 404 when there is none, 503 when its read models stopped before. */
export async function requireBatch(client: PoolClient, standing: Standing, id: string): Promise<Batch> {
  if (!uuidText.test(id)) throw unknownBatch(id, standing)
  await refuseParked(client, standing, [`batch-${id}`, `reading-${id}`])
  const batch = await readBatch(client, id, standing.position)
  if (batch) return batch
  throw unknownBatch(id, standing)
}

/** The same for a batch that is not yet there and for one that never will be: the past knows no future. */
const unknownBatch = (id: string, standing: Standing) =>
  new ProblemError({
    status: 404,
    code: 'unknown-batch',
    detail: `there was no batch ${id} as of position ${standing.position}`,
    rule: 'the id of a batch that exists as of the position asked for',
  })

export const batchPath = z.object({ id: z.string().min(1).max(100).toLowerCase() })
