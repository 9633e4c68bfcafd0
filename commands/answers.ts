/** What a command answers: 201 with where the event stands, or a problem that says what forbade it. */
import type { FastifyReply } from 'fastify'
import type { Rejection } from '../domain/batch/decision.ts'
import { ProblemError } from '../infra/http/problem.ts'
import { batchSubject, type Subject, tagOf } from './preconditions.ts'

/** A stored event, as the answer to its command speaks of it. */
export type Stored = {
  readonly id: string
  readonly revision: bigint
  readonly position: bigint
  readonly recordedAt: string
}

export function sendAccepted(reply: FastifyReply, batchId: string, stored: Stored): FastifyReply {
  return sendStored(reply, batchSubject(batchId), `/api/v1/batches/${batchId}`, stored)
}

export function sendStored(
  reply: FastifyReply,
  subject: Subject,
  location: string,
  stored: Stored,
): FastifyReply {
  return reply
    .code(201)
    .header('location', location)
    .header('etag', tagOf(subject, stored.revision))
    .send({
      eventId: stored.id,
      revision: String(stored.revision),
      position: String(stored.position),
      recordedAt: stored.recordedAt,
    })
}

const statusOf = { authority: 403, state: 409, rule: 422 } as const

/** All rejections in one problem; code, rule and status are those of the first. */
export function rejected(
  [first, ...more]: readonly [Rejection, ...Rejection[]],
  what: Subject['what'] = 'batch',
): ProblemError {
  return new ProblemError({
    status: statusOf[first.kind],
    code: first.code,
    detail: `${first.rule}; ${foundIn(first)}the ${what} is ${first.state}${more.length > 0 ? ` (and ${more.length} more)` : ''}`,
    rule: first.rule,
    state: first.state,
    allowed: first.allowed,
    errors: [first, ...more]
      .filter((rejection) => rejection.field !== undefined)
      .map((rejection) => ({
        in: rejection.kind === 'rule' ? 'body' : 'record',
        pointer: `/${rejection.field}`,
        ...(rejection.value === undefined ? {} : { value: rejection.value }),
        rule: rejection.rule,
      })),
  })
}

function foundIn({ field, value }: Rejection): string {
  return field === undefined ? '' : `${field} is ${value === undefined ? 'missing' : JSON.stringify(value)}, `
}

export function unknownBatch(batchId: string): ProblemError {
  return new ProblemError({
    status: 404,
    code: 'batch-not-found',
    detail: `there is no batch ${JSON.stringify(batchId)}`,
    rule: 'the id of a batch',
  })
}

export function keyReused(): ProblemError {
  return new ProblemError({
    status: 422,
    code: 'idempotency-key-reused',
    detail: 'this Idempotency-Key already stands for another request; a new request takes a new key',
    rule: 'one key, one request',
  })
}

/** Others kept changing what this request needs; nothing of it was recorded as done. */
export function contended(): ProblemError {
  return new ProblemError(
    {
      status: 503,
      code: 'contended',
      detail: 'too many requests change the same thing at once; send it again with the same Idempotency-Key',
    },
    { 'retry-after': '1' },
  )
}
