/**
 * Commands over HTTP: what people do to a batch, `POST /api/v1/batches` and
 * `POST /api/v1/batches/{id}/{inoculation|samples|closure|abort}`; and to a model (`model-routes.ts`).
 *
 * Request → zod → decider → append at the exact revision. Every command carries an `Idempotency-Key` (sent again, it
 * gets the answer it got), commands on a batch carry `If-Match`. Answers: 201 `{ eventId, revision, position,
 * recordedAt }` with `Location` and `ETag`, or an RFC 9457 problem.
 */
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { BatchCommand } from '../domain/batch/commands.ts'
import { type Clock, toInstant } from '../infra/clock.ts'
import type { EventStore } from '../infra/event-store/event-store.ts'
import { actorOf } from '../infra/http/access.ts'
import { type HttpServer, problemResponses } from '../infra/http/server.ts'
import type { Logger } from '../infra/log.ts'
import {
  abortBatch,
  closeBatch,
  commandAccepted,
  createBatch as createBatchBody,
  recordInoculation,
  recordSample,
} from '../schemas/commands.ts'
import { uuid } from '../schemas/event.ts'
import { sendAccepted, unknownBatch } from './answers.ts'
import { commandOnBatch } from './batch-command.ts'
import { createBatch } from './create-batch.ts'
import type { Circumstance } from './envelope.ts'
import { registerModelCommands } from './model-routes.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { batchSubject, checkIfMatch, idempotencyKeyOf, requireIdempotencyKey } from './preconditions.ts'
import { type RequestIdentity, requestId } from './request-ids.ts'
import { releaseVessel } from './reservations.ts'

export type CommandDependencies = {
  readonly store: EventStore
  readonly clock: Clock
  readonly log: Logger
  readonly site: string
}

const keyHeader = z
  .string()
  .min(1)
  .max(200)
  .describe('New for each command; the same again when the command is sent again')
const createHeaders = z.object({ 'idempotency-key': keyHeader })
const batchHeaders = z.object({
  'idempotency-key': keyHeader,
  'if-match': z
    .string()
    .optional()
    .describe('ETag of the batch, "batch-<id>@<revision>"; 428 without it, 412 when the batch has moved on'),
})
const batchParameters = z.object({ id: z.string().describe('Id of the batch') })
const responses = { 201: commandAccepted, ...problemResponses }

export function registerCommands(server: HttpServer, dependencies: CommandDependencies): void {
  registerModelCommands(server, dependencies)
  const { store, clock, log, site } = dependencies
  const creating = oneAtATime()

  server.route({
    method: 'POST',
    url: '/api/v1/batches',
    config: { access: 'write' },
    schema: {
      summary: 'Create a batch on a free vessel',
      tags: ['commands'],
      headers: createHeaders,
      body: createBatchBody,
      response: responses,
    },
    preValidation: requireIdempotencyKey,
    handler: async (request, reply) => {
      const identity = identityOf(request, 'create')
      const by = { ...circumstanceOf(request, identity), origin: request.body.origin ?? ('live' as const) }
      const command = { kind: 'create' as const, request: request.body }
      const { batchId, stored } = await creating(() => createBatch(store, { identity, command, by }))
      return sendAccepted(reply, batchId, stored)
    },
  })

  onBatch('inoculation', 'Record the inoculation: T = 0', recordInoculation, (body) => ({
    kind: 'inoculate',
    request: body,
  }))
  onBatch('samples', 'Record a sample of a running batch', recordSample, (body) => ({
    kind: 'sample',
    request: body,
  }))
  onBatch('closure', 'Close a batch as complete', closeBatch, (body) => ({ kind: 'close', request: body }))
  onBatch('abort', 'Abort a batch that is pending or running', abortBatch, (body) => ({
    kind: 'abort',
    request: body,
  }))

  function onBatch<Body extends z.ZodType>(
    path: string,
    summary: string,
    body: Body,
    toCommand: (body: z.infer<Body>) => Exclude<BatchCommand, { kind: 'create' }>,
  ): void {
    server.route({
      method: 'POST',
      url: `/api/v1/batches/:id/${path}`,
      config: { access: 'write' },
      schema: {
        summary,
        tags: ['commands'],
        headers: batchHeaders,
        params: batchParameters,
        body,
        response: responses,
      },
      preValidation: requireIdempotencyKey,
      handler: async (request, reply) => {
        const { id: batchId } = request.params
        if (!uuid.safeParse(batchId).success) throw unknownBatch(batchId)
        const identity = identityOf(request, `${batchId}/${path}`)
        const by = circumstanceOf(request, identity)
        const command = toCommand(request.body as z.infer<Body>)
        const done = await commandOnBatch(store, {
          batchId,
          identity,
          command,
          by,
          checkRevision: (revision) => checkIfMatch(request, batchSubject(batchId), revision),
        })
        if (command.kind === 'close' || command.kind === 'abort')
          await releaseVessel(
            store,
            { batchId, vessel: done.vessel, endedAt: done.occurredAt },
            { ...by, origin: done.origin },
          ).catch((error: unknown) =>
            log.warn(
              { err: error, batchId, vessel: done.vessel },
              'vessel not released yet; its next batch will',
            ),
          )
        return sendAccepted(reply, batchId, done.stored)
      },
    })
  }

  function identityOf(request: FastifyRequest, route: string): RequestIdentity {
    return { actorId: actorOf(request).id, route, key: idempotencyKeyOf(request) }
  }

  function circumstanceOf(request: FastifyRequest, identity: RequestIdentity): Omit<Circumstance, 'origin'> {
    return {
      actor: actorOf(request),
      site,
      receivedAt: toInstant(clock.nowMs()),
      correlationId: request.id,
      causationId: requestId(identity, request.body),
    }
  }
}
