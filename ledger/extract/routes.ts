/** `POST /api/v1/extracts` begins an extract (202), `GET …/{id}` tells how far it is, `GET …/{id}/file` gives the zip. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { actorOf } from '../../infra/http/access.ts'
import { ProblemError } from '../../infra/http/problem.ts'
import { type HttpServer, problemResponses } from '../../infra/http/server.ts'
import { extractJob } from '../../schemas/http.ts'
import { ExtractError } from './errors.ts'
import type { ExtractJobs } from './jobs.ts'
import type { ExtractJob } from './kept-jobs.ts'
import { extractRequest, scopeOf } from './request.ts'

const base = '/api/v1/extracts'
const parameters = z.object({ id: z.string().min(1).max(100) })

export function registerExtracts(server: HttpServer, jobs: ExtractJobs): void {
  server.route({
    method: 'POST',
    url: base,
    config: { access: 'write' },
    schema: {
      summary: 'Begin the extract of a batch: one zip that proves it complete, offline',
      headers: z.object({ 'idempotency-key': z.string().min(1).max(200) }),
      body: extractRequest,
      response: { 202: extractJob, ...problemResponses },
    },
    handler: async (request, reply) => {
      const key = request.headers['idempotency-key']
      const job = await asProblem(
        jobs.begin(request.body, { actor: actorOf(request as FastifyRequest), key }),
      )
      return reply.status(202).header('location', `${base}/${job.id}`).send(described(job))
    },
  })

  server.route({
    method: 'GET',
    url: `${base}/:id`,
    config: { access: 'read' },
    schema: {
      summary: 'How far an extract is',
      params: parameters,
      response: { 200: extractJob, ...problemResponses },
    },
    handler: async (request) => described(await findJob(jobs, request.params.id)),
  })

  server.route({
    method: 'GET',
    url: `${base}/:id/file`,
    config: { access: 'read' },
    schema: {
      summary: 'The extract',
      params: parameters,
      response: {
        200: {
          description: 'The zip (docs/formats/extract.md)',
          content: {
            'application/zip': { schema: z.custom<unknown>().meta({ type: 'string', format: 'binary' }) },
          },
        },
        ...problemResponses,
      },
    },
    handler: async (request, reply) => {
      const job = await findJob(jobs, request.params.id)
      if (job.state !== 'done')
        throw new ProblemError({
          status: 409,
          code: 'extract-not-done',
          detail: `the extract ${job.id} is ${job.state}`,
          rule: 'an extract that is done',
          state: job.state,
        })
      const { size } = await stat(jobs.fileOf(job))
      return reply
        .type('application/zip')
        .header('content-length', size)
        .header('content-disposition', `attachment; filename="extract-${job.request.batchId}.zip"`)
        .send(createReadStream(jobs.fileOf(job)))
    },
  })
}

async function findJob(jobs: ExtractJobs, id: string): Promise<ExtractJob> {
  const job = await jobs.find(id)
  if (job) return job
  throw new ProblemError({
    status: 404,
    code: 'unknown-extract',
    detail: `there is no extract ${id}: files are kept for a day, ten at most`,
    rule: 'the id of an extract that was begun here',
  })
}

function described(job: ExtractJob): z.infer<typeof extractJob> {
  const { id, request, requestedAt, state, done, total, result, verdict, failure } = job
  return {
    id,
    batchId: request.batchId,
    scope: scopeOf(request),
    purpose: request.purpose,
    requestedAt,
    state,
    progress: { done, total },
    size: result ? String(result.size) : null,
    events: result ? String(result.events) : null,
    manifestSha256: result?.manifestSha256 ?? null,
    verdict: state === 'done' ? (verdict ?? null) : null,
    file: state === 'done' ? `${base}/${id}/file` : null,
    failure: failure ?? null,
  }
}

function ruleOf({ code }: ExtractError): string {
  if (code === 'unknown-batch') return 'a batch that exists'
  return code === 'not-stated' ? 'a past instant' : 'a new Idempotency-Key for a new extract'
}

async function asProblem<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked
  } catch (error) {
    if (!(error instanceof ExtractError)) throw error
    const { field, value } = error.facts
    throw new ProblemError({
      status: error.code === 'unknown-batch' ? 404 : 422,
      code: error.code,
      detail: error.message,
      rule: ruleOf(error),
      ...(field === undefined
        ? {}
        : { errors: [{ in: 'body' as const, pointer: `/${field}`, value, rule: ruleOf(error) }] }),
    })
  }
}
