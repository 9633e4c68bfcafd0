/**
 * The public HTTP API as a technician's client: bearer token, an Idempotency-Key a command (kept over retries),
 * If-Match with the batch's last known revision. 503 and broken connections are tried again with the same key for
 * 30 s; a stale revision (412) is read again and the command repeated under a new key, since the first was refused.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { z } from 'zod'
import type { closeBatch, createBatch, recordInoculation, recordSample } from '../schemas/commands.ts'
import { SimulationError } from './simulation-error.ts'

export type Ingress = {
  readonly received: number
  readonly stored: number
  readonly duplicate: number
  readonly quarantined: number
}

/** How far a batch has come, as a resumed run must know it. */
export type BatchProgress = {
  readonly status: string
  readonly inoculated: boolean
  readonly samples: number
  /** Source time of the newest reading, ms; undefined without readings. */
  readonly newestReadingMs: number | undefined
}

export type BatchApi = {
  /** The new batch's id. Throws `api-refused` with the problem's `status` and `problemCode` among the facts. */
  readonly createBatch: (body: z.input<typeof createBatch>) => Promise<string>
  readonly inoculate: (batchId: string, body: z.input<typeof recordInoculation>) => Promise<void>
  readonly recordSample: (batchId: string, body: z.input<typeof recordSample>) => Promise<void>
  readonly close: (batchId: string, body: z.input<typeof closeBatch>) => Promise<void>
  readonly ingress: (batchId: string) => Promise<Ingress>
  /** Undefined: there is no such batch. */
  readonly progress: (batchId: string) => Promise<BatchProgress | undefined>
}

export type ApiOptions = {
  /** Root of the product, e.g. http://127.0.0.1:8080 */
  readonly url: string
  readonly token: string
  readonly signal?: AbortSignal
  readonly retryForMs?: number
}

type Answer = { readonly status: number; readonly headers: Headers; readonly body: unknown }

export function batchApi(options: ApiOptions): BatchApi {
  const root = `${options.url.replace(/\/+$/, '')}/api/v1`
  const revisions = new Map<string, string>()

  const call = async (method: 'GET' | 'POST', path: string, body?: unknown, ifMatch?: string) => {
    const headers: Record<string, string> = { authorization: `Bearer ${options.token}` }
    if (method === 'POST') {
      headers['content-type'] = 'application/json'
      headers['idempotency-key'] = randomUUID()
    }
    if (ifMatch !== undefined) headers['if-match'] = ifMatch
    const deadline = performance.now() + (options.retryForMs ?? 30_000)
    for (let attempt = 0; ; attempt++) {
      const answer = await request(`${root}${path}`, {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(options.signal ? { signal: options.signal } : {}),
      })
      const passing = answer instanceof Error || answer.status === 503 || answer.status === 429
      if (!passing) return answer
      const waitMs = waitBeforeRetry(answer, attempt)
      if (performance.now() + waitMs > deadline)
        throw new SimulationError(
          'api-unreachable',
          answer instanceof Error
            ? `no answer from ${options.url}: ${answer.message}`
            : `${options.url} answered ${answer.status} to ${method} ${path} for ${(options.retryForMs ?? 30_000) / 1000} s`,
        )
      await delay(waitMs, undefined, options.signal ? { signal: options.signal } : {})
    }
  }

  const refresh = async (batchId: string): Promise<string> => {
    const answer = await call('GET', `/batches/${batchId}`)
    if (answer.status !== 200) throw refused(`GET batches/${batchId}`, answer)
    const revision = textField(answer.body, 'revision')
    if (revision === undefined) throw refused(`GET batches/${batchId}`, answer)
    revisions.set(batchId, revision)
    return revision
  }

  const command = async (batchId: string, part: string, body: unknown): Promise<void> => {
    for (let attempt = 0; ; attempt++) {
      const revision = revisions.get(batchId) ?? (await refresh(batchId))
      const answer = await call('POST', `/batches/${batchId}/${part}`, body, `"batch-${batchId}@${revision}"`)
      if (answer.status === 201 || answer.status === 200) {
        const next = textField(answer.body, 'revision')
        if (next === undefined) revisions.delete(batchId)
        else revisions.set(batchId, next)
        return
      }
      if (answer.status !== 412 || attempt >= 5) throw refused(`POST batches/${batchId}/${part}`, answer)
      const current = textField(answer.body, 'revision')
      if (current !== undefined && current !== revision) revisions.set(batchId, current)
      else {
        // The query side may lag behind the command side; ask it, and give it a moment.
        await delay(100 * 2 ** attempt)
        await refresh(batchId)
      }
    }
  }

  return {
    createBatch: async (body) => {
      const answer = await call('POST', '/batches', body)
      if (answer.status !== 201 && answer.status !== 200) throw refused('POST batches', answer)
      const batchId = /\/batches\/([^/?]+)$/.exec(answer.headers.get('location') ?? '')?.[1]
      if (batchId === undefined) throw refused('POST batches (no Location in the answer)', answer)
      const revision = textField(answer.body, 'revision')
      if (revision !== undefined) revisions.set(batchId, revision)
      return batchId
    },
    inoculate: (batchId, body) => command(batchId, 'inoculation', body),
    recordSample: (batchId, body) => command(batchId, 'samples', body),
    close: (batchId, body) => command(batchId, 'closure', body),
    progress: async (batchId) => {
      const answer = await call('GET', `/batches/${batchId}`)
      if (answer.status === 404) return undefined
      const current = field(answer.body, 'current')
      const samples = field(answer.body, 'sampleCount')
      if (answer.status !== 200 || !Array.isArray(current) || typeof samples !== 'number')
        throw refused(`GET batches/${batchId}`, answer)
      const times = current.map((value) => Date.parse(textField(value, 'at') ?? ''))
      return {
        status: textField(answer.body, 'status') ?? '',
        inoculated: textField(answer.body, 'inoculatedAt') !== undefined,
        samples,
        newestReadingMs: times.length > 0 ? Math.max(...times) : undefined,
      }
    },
    ingress: async (batchId) => {
      const answer = await call('GET', `/batches/${batchId}/ingress`)
      if (answer.status !== 200) throw refused(`GET batches/${batchId}/ingress`, answer)
      const figure = (name: keyof Ingress) => {
        const value = field(answer.body, name)
        if (typeof value !== 'number') throw refused(`GET batches/${batchId}/ingress (no ${name})`, answer)
        return value
      }
      return {
        received: figure('received'),
        stored: figure('stored'),
        duplicate: figure('duplicate'),
        quarantined: figure('quarantined'),
      }
    },
  }
}

async function request(url: string, init: RequestInit): Promise<Answer | Error> {
  try {
    const response = await fetch(url, init)
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: parsed(text) }
  } catch (error) {
    if (init.signal?.aborted) throw new SimulationError('aborted', 'stopped on request')
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    return cause instanceof Error ? cause : new Error(String(cause))
  }
}

function waitBeforeRetry(answer: Answer | Error, attempt: number): number {
  const after = answer instanceof Error ? Number.NaN : Number(answer.headers.get('retry-after') ?? Number.NaN)
  return Number.isFinite(after) ? Math.min(10_000, after * 1000) : Math.min(2000, 100 * 2 ** attempt)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const field = (body: unknown, name: string): unknown =>
  typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined

function textField(body: unknown, name: string): string | undefined {
  const value = field(body, name)
  return typeof value === 'string' ? value : undefined
}

function refused(what: string, answer: Answer): SimulationError {
  const detail = textField(answer.body, 'detail') ?? textField(answer.body, 'title')
  return new SimulationError(
    'api-refused',
    `${what} was answered with ${answer.status}${detail ? `: ${detail}` : ''}`,
    { status: answer.status, problemCode: textField(answer.body, 'code'), problem: answer.body },
  )
}
