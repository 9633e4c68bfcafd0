/**
 * A stand-in for the product in tests of the simulator: a real MQTT broker and a small HTTP server that keeps the
 * contract of the batch commands (bearer token, Idempotency-Key, If-Match, 201 with Location, RFC 9457 problems) and
 * counts what arrives. It decides nothing else: that the product itself does so is tested where the product is.
 */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { Aedes } from 'aedes'
import { closeBatch, createBatch, recordInoculation, recordSample } from '../../schemas/commands.ts'

export type ReceivedMessage = { readonly topic: string; readonly payload: Record<string, unknown> }
export type ReceivedCommand = {
  readonly part: string
  readonly body: Record<string, unknown>
  readonly key: string | undefined
  /** Readings that had arrived before it. */
  readonly afterReadings: number
}

const schemas = { inoculation: recordInoculation, samples: recordSample, closure: closeBatch } as const
const token = 'stand-in-token'

export async function standInProduct() {
  const messages: ReceivedMessage[] = []
  const commands: ReceivedCommand[] = []
  const batches = new Map<string, { revision: number; vessel: string; key: string }>()
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
    const body: unknown = JSON.parse(text)
    if (batchId === undefined) {
      const wanted = createBatch.parse(body)
      const name = `${wanted.campaign}/${wanted.number}/${wanted.attempt ?? 1}`
      if ([...batches.values()].some((other) => other.key === name))
        return problem(response, 409, 'number-taken')
      if ([...batches.values()].some((other) => other.vessel === wanted.vessel))
        return problem(response, 409, 'vessel-in-use')
      const id = randomUUID()
      batches.set(id, { revision: 0, vessel: wanted.vessel, key: name })
      commands.push({ part: 'batches', body: wanted, key, afterReadings: readings })
      return answer(
        response,
        201,
        { eventId: 'e', revision: '0', position: '1', recordedAt: 'x' },
        { location: `/api/v1/batches/${id}` },
      )
    }
    const schema = part !== undefined && part in schemas ? schemas[part as keyof typeof schemas] : undefined
    if (!batch || !schema || part === undefined) return problem(response, 404, 'no-such-thing')
    const ifMatch = request.headers['if-match']
    if (ifMatch === undefined) return problem(response, 428, 'no-if-match')
    if (ifMatch !== `"batch-${batchId}@${batch.revision}"`)
      return problem(response, 412, 'stale', staleQueries > 0 ? {} : { revision: String(batch.revision) })
    const checked = schema.safeParse(body)
    if (!checked.success) return problem(response, 422, 'wrong-body', { errors: checked.error.issues })
    batch.revision++
    commands.push({ part, body: checked.data, key, afterReadings: readings })
    return answer(response, 201, {
      eventId: 'e',
      revision: String(batch.revision),
      position: '1',
      recordedAt: 'x',
    })
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
