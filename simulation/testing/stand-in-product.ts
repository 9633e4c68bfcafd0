/**
 * A stand-in for the product in tests of the simulator: a real MQTT broker and a small HTTP server that keeps the
 * contract of the batch commands (bearer token, Idempotency-Key, If-Match, 201 with Location, RFC 9457 problems) and
 * counts what arrives. What a batch allows is decided by the product's own rules (`domain/batch`).
 */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { Aedes } from 'aedes'
import { type BatchState, evolve, initialState, isOpen } from '../../domain/batch/batch.ts'
import type { BatchCommand } from '../../domain/batch/commands.ts'
import { decide } from '../../domain/batch/decide.ts'
import { closeBatch, createBatch, recordInoculation, recordSample } from '../../schemas/commands.ts'

export type ReceivedMessage = { readonly topic: string; readonly payload: Record<string, unknown> }
export type ReceivedCommand = {
  readonly part: string
  readonly body: Record<string, unknown>
  readonly key: string | undefined
  /** Readings that had arrived before it. */
  readonly afterReadings: number
}

/** The command that a part of a batch's address stands for; throws the schema's error. */
function commandOf(part: string, body: unknown): BatchCommand | undefined {
  if (part === 'batches') return { kind: 'create', request: createBatch.parse(body) }
  if (part === 'inoculation') return { kind: 'inoculate', request: recordInoculation.parse(body) }
  if (part === 'samples') return { kind: 'sample', request: recordSample.parse(body) }
  if (part === 'closure') return { kind: 'close', request: closeBatch.parse(body) }
  return undefined
}

const token = 'stand-in-token'

export async function standInProduct() {
  const messages: ReceivedMessage[] = []
  const commands: ReceivedCommand[] = []
  const batches = new Map<string, { revision: number; vessel: string; key: string; state: BatchState }>()
  let readings = 0
  let failures = 0
  let staleQueries = 0

  const aedes = await Aedes.createBroker()
  aedes.authorizePublish = (_client, packet, done) => {
    const payload = JSON.parse(packet.payload.toString()) as Record<string, unknown>
    messages.push({ topic: packet.topic, payload })
    const values = payload.values
    readings += typeof values === 'object' && values !== null ? Object.keys(values).length : 1
    done(null)
  }
  const sockets = new Set<Socket>()
  const mqtt = createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    aedes.handle(socket)
  }).listen(0, '127.0.0.1')
  await once(mqtt, 'listening')

  const answer = (
    response: ServerResponse,
    status: number,
    body: object,
    headers: Record<string, string> = {},
  ) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(JSON.stringify(body))
  }
  const problem = (response: ServerResponse, status: number, code: string, more: object = {}) =>
    answer(response, status, { code, title: code, detail: `refused: ${code}`, status, ...more })

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let text = ''
    for await (const chunk of request) text += chunk
    if (failures > 0) {
      failures--
      return problem(response, 503, 'store-unavailable')
    }
    if (request.headers.authorization !== `Bearer ${token}`) return problem(response, 401, 'no-token')
    const [, batchId, part] = /^\/api\/v1\/batches(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(request.url ?? '') ?? []
    const batch = batchId === undefined ? undefined : batches.get(batchId)
    if (request.method === 'GET') {
      if (!batch) return problem(response, 404, 'no-such-batch')
      if (part === 'ingress')
        return answer(response, 200, { received: readings, stored: readings, duplicate: 0, quarantined: 0 })
      if (staleQueries > 0) {
        staleQueries--
        return answer(response, 200, { id: batchId, revision: '0' })
      }
      return answer(response, 200, { id: batchId, revision: String(batch.revision) })
    }
    const key = request.headers['idempotency-key']
    if (typeof key !== 'string') return problem(response, 400, 'no-idempotency-key')
    const command = commandOf(batchId === undefined ? 'batches' : (part ?? ''), JSON.parse(text))
    if (!command) return problem(response, 404, 'no-such-thing')
    const id = batchId ?? randomUUID()
    if (command.kind === 'create') {
      const { campaign, number, attempt, vessel } = command.request
      const name = `${campaign}/${number}/${attempt ?? 1}`
      const others = [...batches.values()]
      if (others.some((other) => other.key === name)) return problem(response, 409, 'number-reserved')
      if (others.some((other) => other.vessel === vessel && isOpen(other.state)))
        return problem(response, 409, 'vessel-reserved')
      batches.set(id, { revision: -1, vessel, key: name, state: initialState })
    } else {
      if (!batch) return problem(response, 404, 'no-such-batch')
      const ifMatch = request.headers['if-match']
      if (ifMatch === undefined) return problem(response, 428, 'precondition-required')
      if (ifMatch !== `"batch-${id}@${batch.revision}"`)
        return problem(
          response,
          412,
          'stale-revision',
          staleQueries > 0 ? {} : { revision: String(batch.revision) },
        )
    }
    const known = batches.get(id)
    if (!known) return problem(response, 404, 'no-such-batch')
    const decision = decide(known.state, command, {
      batchId: id,
      eventId: randomUUID(),
      actor: { kind: 'human', id: 'local', role: 'admin' },
      receivedAt: new Date().toISOString(),
    })
    if (decision.kind === 'rejected') {
      if (command.kind === 'create') batches.delete(id)
      return problem(response, 422, decision.rejections[0].code, { detail: decision.rejections[0].rule })
    }
    known.state = evolve(known.state, { ...decision.fact, origin: 'simulated' })
    known.revision++
    commands.push({
      part: batchId === undefined ? 'batches' : (part ?? ''),
      body: command.request,
      key,
      afterReadings: readings,
    })
    return answer(
      response,
      201,
      { eventId: 'e', revision: String(known.revision), position: '1', recordedAt: 'x' },
      batchId === undefined ? { location: `/api/v1/batches/${id}` } : {},
    )
  }
  const http = createHttpServer((request, response) => {
    handle(request, response).catch((error: unknown) =>
      problem(response, 400, 'bad-request', { detail: String(error) }),
    )
  }).listen(0, '127.0.0.1')
  await once(http, 'listening')

  return {
    token,
    mqttUrl: `mqtt://127.0.0.1:${(mqtt.address() as AddressInfo).port}`,
    httpUrl: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    messages,
    commands,
    readings: () => readings,
    /** The next `count` requests are answered with 503. */
    failNext: (count: number) => {
      failures = count
    },
    /** Somebody else writes to every batch; the next `count` queries still answer the old revision. */
    moveOn: (count: number) => {
      for (const batch of batches.values()) batch.revision++
      staleQueries = count
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      mqtt.close()
      http.closeAllConnections()
      http.close()
      await new Promise<void>((resolve) => aedes.close(() => resolve()))
    },
  }
}
