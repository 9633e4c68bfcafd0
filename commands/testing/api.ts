/** The command side over a real store, as a client sees it; and stores that fail at a chosen append. */
import { randomUUID } from 'node:crypto'
import { type EventStore, StoreUnavailableError } from '../../infra/event-store/event-store.ts'
import { createHttpServer } from '../../infra/http/server.ts'
import { createLogger } from '../../infra/log.ts'
import type { RecordedEvent } from '../../schemas/event.ts'
import { registerCommands } from '../service.ts'

const token = 'commands-test-token-0123456789-0123456789'

export type Answer = {
  readonly status: number
  readonly body: Record<string, unknown>
  readonly etag: string | undefined
  readonly location: string | undefined
}

export type Api = Awaited<ReturnType<typeof startApi>>

export async function startApi(store: EventStore, nowMs: () => number = Date.now) {
  const log = createLogger('silent')
  const base = await createHttpServer({ log, clock: { nowMs }, token, site: 'site-1', version: 'test' })
  registerCommands(base.server, { store, clock: { nowMs }, log, site: 'site-1' })
  await base.server.ready()

  /** `key` undefined: a fresh one; null: none. */
  async function post(
    path: string,
    body: unknown,
    options: { key?: string | null; ifMatch?: string | undefined; headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const key = options.key === undefined ? randomUUID() : options.key
    const answer = await base.server.inject({
      method: 'POST',
      url: `/api/v1/${path}`,
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        ...(key === null ? {} : { 'idempotency-key': key }),
        ...(options.ifMatch === undefined ? {} : { 'if-match': options.ifMatch }),
        ...options.headers,
      },
      payload: typeof body === 'string' ? body : JSON.stringify(body),
    })
    return {
      status: answer.statusCode,
      body: answer.json() as Record<string, unknown>,
      etag: answer.headers.etag as string | undefined,
      location: answer.headers.location as string | undefined,
    }
  }

  return { post, server: base.server, close: base.close }
}

export const batchIdOf = (answer: Answer): string =>
  /^\/api\/v1\/batches\/(.+)$/.exec(answer.location ?? '')?.[1] ?? ''

export async function eventsOf(store: EventStore, stream: string): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = []
  for await (const event of store.readStream(stream)) events.push(event)
  return events
}

/**
 * The store behind a connection that breaks at its n-th append (from 0): `before` the store has it, or `after`, so
 * that only the answer is lost. To the caller both look the same.
 */
export function breakingAt(store: EventStore, n: number, when: 'before' | 'after'): EventStore {
  let appends = 0
  return {
    ...store,
    append: async (requests) => {
      const breaks = appends++ === n
      if (breaks && when === 'before') throw new StoreUnavailableError('the connection broke')
      const outcomes = await store.append(requests)
      if (breaks) throw new StoreUnavailableError('the connection broke')
      return outcomes
    },
  }
}
