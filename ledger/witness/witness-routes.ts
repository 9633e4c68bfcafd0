/**
 * The witness over HTTP (C2SP tlog-witness v1.0.0). In: `POST /add-checkpoint`, text. Out: 200 with cosignature
 * lines; 400 malformed or old size larger than the size; 403 no known signature; 404 unknown origin; 409 with the size
 * that the witness stands at; 422 proof does not hold. `GET /<hex SHA-256 of origin>/checkpoint`: what was cosigned last.
 */
import { z } from 'zod'
import { ProblemError } from '../../infra/http/problem.ts'
import type { HttpServer } from '../../infra/http/server.ts'
import type { Witness, WitnessAnswer } from './witness.ts'
import { originHash } from './witness-state.ts'

export const sizeMediaType = 'text/x.tlog.size'
const noteMediaType = 'text/plain; charset=utf-8'

export async function registerWitness(server: HttpServer, witness: Witness): Promise<void> {
  const origins = new Map(witness.origins.map((origin) => [originHash(origin), origin]))
  await server.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) => body)
    scope.route({
      method: 'POST',
      url: '/add-checkpoint',
      config: { access: 'public' },
      schema: {
        summary: 'Cosign a checkpoint that extends the last one cosigned (C2SP tlog-witness)',
        produces: ['text/plain', sizeMediaType],
      },
      handler: async (request, reply) => {
        const body = request.body instanceof Buffer ? request.body : Buffer.alloc(0)
        const answer = await witness.addCheckpoint(body)
        if (answer.kind === 'cosigned') return reply.type(noteMediaType).send(answer.lines)
        if (answer.kind === 'conflict') return reply.code(409).type(sizeMediaType).send(`${answer.size}\n`)
        throw refusal(answer)
      },
    })
  })
  server.route({
    method: 'GET',
    url: '/:origin/checkpoint',
    config: { access: 'public' },
    schema: {
      summary:
        'The latest checkpoint that this witness cosigned; origin is the hex SHA-256 of the log’s origin',
      params: z.object({ origin: z.string().regex(/^[0-9a-f]{64}$/, '64 lower-case hex digits') }),
      produces: ['text/plain'],
    },
    handler: async (request, reply) => {
      const origin = origins.get(request.params.origin)
      const note = origin === undefined ? undefined : await witness.latest(origin)
      if (note === undefined)
        throw new ProblemError({
          status: 404,
          code: 'no-checkpoint',
          detail: 'this witness has cosigned no checkpoint of that log',
        })
      return reply.type(noteMediaType).send(note)
    },
  })
}

const statuses = { malformed: 400, 'unknown-origin': 404, unsigned: 403, inconsistent: 422 } as const

function refusal(answer: Exclude<WitnessAnswer, { kind: 'cosigned' | 'conflict' }>): ProblemError {
  return new ProblemError({ status: statuses[answer.kind], code: answer.kind, detail: answer.rule })
}
