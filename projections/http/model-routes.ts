/** `models`, `models/{modelId}`, and the card and report of a version. */
import { z } from 'zod'
import { formatParameter } from '../../infra/http/formats.ts'
import { ProblemError } from '../../infra/http/problem.ts'
import { type HttpServer, problemResponses } from '../../infra/http/server.ts'
import type { PoolClient } from '../../infra/postgres/pool.ts'
import { model as modelAnswer, modelList } from '../../schemas/http-evidence.ts'
import { streams } from '../../schemas/streams.ts'
import { type ModelRecord, type ModelVersionAnswer, readModelHistory, readModels } from '../query/models.ts'
import { type QueryDeps, refuseParked, type Standing } from '../query/standing.ts'
import { loadParkedKeys } from '../tables/parked.ts'
import { answer, asOfAnswer, asOfParameters } from './as-of.ts'
import { described, sendJson } from './json-answer.ts'
import { sendList, text } from './lists.ts'
import { type Artefact, type ArtefactPart, readArtefact } from './model-artefact.ts'
import { recordPage } from './record-page.ts'

export type ModelRouteDeps = QueryDeps & {
  /** Folder of model artefacts, each with its `manifest.json`; without it no card can be shown. */
  readonly modelFolder?: string
}

const modelPath = z.object({ modelId: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,49}$/, 'the id of a model') })

export function registerModelRoutes(server: HttpServer, deps: ModelRouteDeps): void {
  server.route({
    method: 'GET',
    url: '/api/v1/models',
    config: { access: 'read' },
    schema: {
      summary: 'Every version of every model with its state; active ones first',
      querystring: z.object({ ...asOfParameters, format: formatParameter }),
      response: { 200: described(modelList), ...problemResponses },
    },
    handler: async (request, reply) => {
      const { result, standing } = await answer(deps, reply, request.query, async (client, at) => ({
        rows: (await readModels(client, at.position)).map((record) => record.answer),
        stopped: (await loadParkedKeys(client, at.position)).filter(({ stream }) =>
          stream.startsWith(streams.model('')),
        ),
      }))
      return sendList<ModelVersionAnswer>(request, reply, request.query.format, {
        ...result,
        limit: result.rows.length,
        standing,
        keyOf: (version) => [version.modelId],
        fileName: 'models',
        columns: [
          text('modelId', (version) => version.modelId),
          text('version', (version) => version.version),
          text('use', (version) => version.use),
          text('state', (version) => version.state),
          text('stateSince', (version) => version.stateSince),
          text('approvedFor', (version) => version.approvedFor.join(' ')),
          text('activeFor', (version) => version.activeFor.join(' ')),
          text('modelHash', (version) => version.modelHash),
          text('featureSchemaHash', (version) => version.featureSchemaHash),
          text('registeredAt', (version) => version.registeredAt),
          text('cardSha256', (version) => version.cardSha256),
          text('reportSha256', (version) => version.reportSha256),
        ],
      })
    },
  })

  server.route({
    method: 'GET',
    url: '/api/v1/models/:modelId',
    config: { access: 'read' },
    schema: {
      summary: 'One model: its versions, and what happened to it in the order of recording',
      params: modelPath,
      querystring: z.object(asOfParameters),
      response: { 200: described(modelAnswer), ...problemResponses },
    },
    handler: async (request, reply) => {
      const { modelId } = request.params
      const { result, standing } = await answer(deps, reply, request.query, async (client, at) => {
        const versions = await requireModel(client, at, modelId)
        return {
          modelId,
          versions: versions.map((record) => record.answer),
          history: await readModelHistory(client, modelId, at.position),
        }
      })
      return sendJson(reply, { ...result, asOf: asOfAnswer(standing) })
    },
  })

  registerArtefact(server, deps, 'card', 'What the model is for, its ranges, its figures and its limits')
  registerArtefact(server, deps, 'report', 'The validation report of the model')
}

function registerArtefact(
  server: HttpServer,
  deps: ModelRouteDeps,
  part: ArtefactPart,
  summary: string,
): void {
  server.route({
    method: 'GET',
    url: `/api/v1/models/:modelId/${part}`,
    config: { access: 'read' },
    schema: {
      summary,
      params: modelPath,
      querystring: z.object({
        version: z.string().max(50).optional().describe('Without it the active version, else the newest'),
        ...asOfParameters,
      }),
      response: {
        200: {
          description:
            'As it was registered: HTML, Markdown or JSON; a JSON record as a page where Accept names HTML',
          content: { 'text/html': { schema: z.string() } },
        },
        ...problemResponses,
      },
    },
    handler: async (request, reply) => {
      const { modelId } = request.params
      const { version } = request.query
      const { result: registered } = await answer(deps, reply, request.query, async (client, at) =>
        chosenVersion(await requireModel(client, at, modelId), modelId, version, at),
      )
      const { version: chosen, registration } = registered.model
      const artefact = await readArtefact(deps.modelFolder, modelId, chosen, part, registration)
      const { text: body, type } = documentOf(artefact, request.headers.accept, {
        title: `${part === 'card' ? 'Model card' : 'Validation report'}: ${modelId} ${chosen}`,
      })
      return (
        reply
          .header('vary', 'Accept')
          // Of the registered bytes, also where a page is made of them.
          .header('artefact-sha256', artefact.sha256)
          // A document of its own: it may style itself and carry its pictures, and can do nothing else.
          .header(
            'content-security-policy',
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'none'",
          )
          .type(type)
          .serializer((document: string) => document)
          .send(body)
      )
    },
  })
}

/** As it was registered; a JSON record becomes a page for whoever asks for HTML. */
function documentOf(
  artefact: Artefact,
  accept: string | undefined,
  { title }: { title: string },
): { readonly text: string; readonly type: string } {
  switch (artefact.form) {
    case 'html':
      return { text: artefact.text, type: 'text/html; charset=utf-8' }
    case 'md':
      return { text: artefact.text, type: 'text/markdown; charset=utf-8' }
    case 'json':
      return accept?.includes('text/html')
        ? {
            text: recordPage(title, JSON.parse(artefact.text), artefact.sha256),
            type: 'text/html; charset=utf-8',
          }
        : { text: artefact.text, type: 'application/json; charset=utf-8' }
  }
}

/** The versions known where the answer stands; 404 when there is none, 503 when the model's events stopped before. */
async function requireModel(client: PoolClient, at: Standing, modelId: string): Promise<ModelRecord[]> {
  await refuseParked(client, at, [streams.model(modelId)])
  const versions = (await readModels(client, at.position)).filter(
    (record) => record.model.modelId === modelId,
  )
  if (versions.length > 0) return versions
  throw new ProblemError({
    status: 404,
    code: 'unknown-model',
    detail: `there was no model ${modelId} as of position ${at.position}`,
    rule: 'the id of a model that is known as of the position asked for',
  })
}

function chosenVersion(
  versions: readonly ModelRecord[],
  modelId: string,
  wanted: string | undefined,
  at: Standing,
): ModelRecord {
  const chosen =
    wanted === undefined
      ? (versions.find((record) => record.model.state === 'active') ?? versions.at(-1))
      : versions.findLast((record) => record.model.version === wanted)
  if (chosen) return chosen
  throw new ProblemError({
    status: 404,
    code: 'unknown-model-version',
    detail: `there was no version ${wanted} of model ${modelId} as of position ${at.position}`,
    rule: 'a version of the model that is known as of the position asked for',
    allowed: versions.map((record) => record.model.version),
  })
}
