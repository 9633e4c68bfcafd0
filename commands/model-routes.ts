/**
 * Decisions about models over HTTP: `POST /api/v1/models/{modelId}/versions/{version}/{approval|activation|suspension|retirement}`.
 * Live data are forecast only by a model that a person approved for them, and that person neither registered nor
 * activated it.
 */
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { ModelCommand } from '../domain/models/decide.ts'
import { type Clock, toInstant } from '../infra/clock.ts'
import type { EventStore } from '../infra/event-store/event-store.ts'
import { actorOf } from '../infra/http/access.ts'
import { type HttpServer, problemResponses } from '../infra/http/server.ts'
import {
  activateModel,
  approveModel,
  commandAccepted,
  retireModel,
  suspendModel,
} from '../schemas/commands.ts'
import { sendStored } from './answers.ts'
import { commandOnModel, modelSubject } from './model-command.ts'
import { checkIfMatch, idempotencyKeyOf, requireIdempotencyKey } from './preconditions.ts'
import { type RequestIdentity, requestId } from './request-ids.ts'

const headers = z.object({
  'idempotency-key': z
    .string()
    .min(1)
    .max(200)
    .describe('New for each command; the same again when the command is sent again'),
  'if-match': z
    .string()
    .optional()
    .describe('ETag of the model, "model-<id>@<revision>"; 428 without it, 412 when the model has moved on'),
})
const parameters = z.object({
  modelId: z.string().max(50).describe('Id of the model'),
  version: z.string().max(50).describe('Its version, major.minor.patch'),
})

export function registerModelCommands(
  server: HttpServer,
  deps: { readonly store: EventStore; readonly clock: Clock; readonly site: string },
): void {
  onModel('approval', 'Approve a model version for data of some origins', approveModel, (request) => ({
    kind: 'approve',
    request,
  }))
  onModel('activation', 'Make a model version the active one of its use', activateModel, (request) => ({
    kind: 'activate',
    request,
  }))
  onModel('suspension', 'Withhold the forecasts of a model version', suspendModel, (request) => ({
    kind: 'suspend',
    request,
  }))
  onModel('retirement', 'Retire a model version for good', retireModel, (request) => ({
    kind: 'retire',
    request,
  }))

  function onModel<Body extends z.ZodType>(
    path: string,
    summary: string,
    body: Body,
    toCommand: (body: z.infer<Body>) => ModelCommand,
  ): void {
    server.route({
      method: 'POST',
      url: `/api/v1/models/:modelId/versions/:version/${path}`,
      config: { access: 'write' },
      schema: {
        summary,
        tags: ['commands'],
        headers,
        params: parameters,
        body,
        response: { 201: commandAccepted, ...problemResponses },
      },
      preValidation: requireIdempotencyKey,
      handler: async (request, reply) => {
        const model = request.params
        const identity = identityOf(request, `${model.modelId}/${model.version}/${path}`)
        const stored = await commandOnModel(deps.store, {
          model,
          identity,
          command: toCommand(request.body as z.infer<Body>),
          by: {
            actor: actorOf(request),
            origin: 'live',
            site: deps.site,
            receivedAt: toInstant(deps.clock.nowMs()),
            correlationId: request.id,
            causationId: requestId(identity, request.body),
          },
          checkRevision: (revision) => checkIfMatch(request, modelSubject(model.modelId), revision),
        })
        return sendStored(reply, modelSubject(model.modelId), `/api/v1/models/${model.modelId}`, stored)
      },
    })
  }
}

function identityOf(request: FastifyRequest, route: string): RequestIdentity {
  return { actorId: actorOf(request).id, route, key: idempotencyKeyOf(request) }
}
