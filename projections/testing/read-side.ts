/** A store, read models and an HTTP server of their own for one test, on a fresh database. */

import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { systemClock } from '../../infra/clock.ts'
import type { EventStore } from '../../infra/event-store/event-store.ts'
import {
  migrateEventStore,
  postgresEventStore,
} from '../../infra/event-store/postgres/postgres-event-store.ts'
import { createHttpServer, type HttpBase } from '../../infra/http/server.ts'
import { createLogger } from '../../infra/log.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import { testDatabase } from '../../infra/postgres/testing/test-database.ts'
import { until } from '../../infra/testing/until.ts'
import type { ClientEvent } from '../../schemas/event.ts'
import { registerQueries } from '../http/queries.ts'
import { type Projector, type StartProjectorDeps, startProjector } from '../service.ts'
import { migrateReadModels, openReadModels } from '../tables/database.ts'
import type { Packing } from '../tables/stream-write.ts'
import type { Entry } from './histories.ts'

export type ReadSide = {
  readonly store: EventStore
  readonly pool: Pool
  readonly adminUrl: string
  readonly appUrl: string
  readonly http: HttpBase
  readonly startProjector: (options?: Partial<StartProjectorDeps>) => Promise<Projector>
  /** Appends one after the other; gives the last position. */
  readonly append: (entries: readonly Entry[]) => Promise<bigint>
  readonly projected: (position: bigint) => Promise<void>
  /** GET as somebody with the token. */
  readonly get: (url: string, headers?: Record<string, string>) => Promise<Answer>
}
export type Answer = {
  readonly status: number
  readonly body: string
  readonly headers: Record<string, unknown>
  readonly json: () => Record<string, unknown>
}

/** Packs after a few readings already, so that small histories meet tails, chunks and what lies between. */
const tightPacking: Packing = {
  framesBeforeChunks: 3,
  pointsBeforeChunks: 12,
  pointsForChunksAtOnce: 9,
  pointsPerChunk: 5,
}

export const testToken = 'token-of-the-tests'

// Asked for here and not only in a test: a server of our own then lasts as long as the file, not as its first test.
await testDatabase()

export async function readSide(
  t: TestContext,
  options: { readonly modelFolder?: string } = {},
): Promise<ReadSide> {
  const log = createLogger('silent')
  const { adminUrl, appUrl } = await testDatabase()
  await migrateEventStore({ adminUrl })
  await migrateReadModels(adminUrl)
  const store = await postgresEventStore({ appUrl })
  const pool = openReadModels(appUrl, { name: 'test', max: 6 })
  const http = await createHttpServer({
    log,
    clock: systemClock,
    token: testToken,
    site: 'test',
    version: '0',
  })
  registerQueries(http.server, {
    pool,
    store,
    clock: systemClock,
    log,
    frameMs: 20,
    heartbeatMs: 100,
    ...options,
  })
  await http.server.ready()
  const projectors: Projector[] = []
  t.after(async () => {
    for (const projector of projectors) await projector.stop()
    await http.close()
    await pool.end()
    await store.close()
  })
  return {
    store,
    pool,
    adminUrl,
    appUrl,
    http,
    startProjector: async (options = {}) => {
      const projector = await startProjector({
        store,
        pool,
        log,
        raiseAlarm: async () => {},
        packing: tightPacking,
        ...options,
      })
      projectors.push(projector)
      return projector
    },
    append: async (entries) => {
      const requests: { stream: string; expectedRevision: 'any'; events: ClientEvent[] }[] = []
      for (const { stream, event } of entries) {
        const last = requests.at(-1)
        if (last?.stream === stream && last.events.length < 1_000) last.events.push(event)
        else requests.push({ stream, expectedRevision: 'any', events: [event] })
      }
      const outcomes = await store.append(requests)
      const positions = outcomes.map((outcome) => {
        assert.equal(outcome.kind, 'appended')
        return outcome.kind === 'appended' ? (outcome.recorded.at(-1)?.position ?? 0n) : 0n
      })
      return positions.at(-1) ?? 0n
    },
    projected: async (position) => {
      await until(`position ${position} is projected`, async () => {
        const { rows } = await pool.query<{ position: bigint | null }>('SELECT position FROM checkpoint')
        return (rows[0]?.position ?? -1n) >= position
      })
    },
    get: async (url, headers = {}) => {
      const answer = await http.server.inject({
        method: 'GET',
        url,
        headers: { authorization: `Bearer ${testToken}`, ...headers },
      })
      return {
        status: answer.statusCode,
        body: answer.body,
        headers: answer.headers,
        json: () => answer.json() as Record<string, unknown>,
      }
    },
  }
}
