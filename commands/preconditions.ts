/** `Idempotency-Key` (every command) and `If-Match` (every command on an existing batch). */
import type { FastifyRequest } from 'fastify'
import { ProblemError } from '../infra/http/problem.ts'
import { streams } from '../schemas/streams.ts'

const keyRule =
  'an Idempotency-Key header of 1 to 200 characters, new for each command and kept when it is sent again'

/** A `preValidation` hook: 400 unless the request can be told from its repetitions. */
export async function requireIdempotencyKey(request: FastifyRequest): Promise<void> {
  const key = request.headers['idempotency-key']
  if (typeof key === 'string' && key.length >= 1 && key.length <= 200) return
  throw new ProblemError({
    status: 400,
    code: key === undefined ? 'idempotency-key-missing' : 'idempotency-key-invalid',
    detail: `a command needs ${keyRule}`,
    rule: keyRule,
    errors: [
      {
        in: 'header',
        pointer: '/idempotency-key',
        ...(typeof key === 'string' ? { value: key.slice(0, 200) } : {}),
        rule: keyRule,
      },
    ],
  })
}

/** The key; only for routes with `requireIdempotencyKey`. */
export function idempotencyKeyOf(request: FastifyRequest): string {
  return String(request.headers['idempotency-key'])
}

/** What a command is about, as its revision is spoken of. */
export type Subject = {
  readonly what: 'batch' | 'model'
  readonly stream: string
}

export const tagOf = ({ stream }: Subject, revision: bigint): string => `"${stream}@${revision}"`

export const batchSubject = (batchId: string): Subject => ({ what: 'batch', stream: streams.batch(batchId) })

/** 428 without `If-Match`, 400 when it names no revision, 412 when it names an older one. */
export function checkIfMatch(request: FastifyRequest, subject: Subject, revision: bigint): void {
  const current = tagOf(subject, revision)
  const given = request.headers['if-match']
  if (given === undefined)
    throw new ProblemError(
      {
        status: 428,
        code: 'precondition-required',
        detail: `say which revision of the ${subject.what} this rests on: If-Match: ${current} is the current one`,
        rule: 'If-Match names the revision that was seen',
        revision: String(revision),
      },
      { etag: current },
    )
  const tags = given.split(',').map((tag) => tag.trim())
  if (!tags.every((tag) => /^(W\/)?"[^"]*"$/.test(tag)))
    throw new ProblemError({
      status: 400,
      code: 'if-match-invalid',
      detail: `If-Match ${JSON.stringify(given.slice(0, 200))} names no revision; the form is "${subject.what}-<id>@<revision>", quotes included`,
      rule: 'an entity tag as the ETag header gave it (RFC 9110 8.8.3)',
      errors: [
        { in: 'header', pointer: '/if-match', value: given.slice(0, 200), rule: `such as ${current}` },
      ],
    })
  if (!tags.includes(current)) throw staleRevision(subject, revision, given)
}

/** 412 with the current revision, so that the client can look at what changed and ask again. */
export function staleRevision(subject: Subject, revision: bigint, given: string | undefined): ProblemError {
  const current = tagOf(subject, revision)
  return new ProblemError(
    {
      status: 412,
      code: 'stale-revision',
      detail: `the ${subject.what} has moved on to ${current}${given === undefined ? '' : `; this rests on ${given.slice(0, 200)}`}`,
      rule: 'If-Match names the current revision',
      revision: String(revision),
    },
    { etag: current },
  )
}
