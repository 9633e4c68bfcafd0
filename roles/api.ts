/** The API's role: commands, queries, health and the console on one port. */
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { registerCommands } from '../commands/service.ts'
import { systemClock } from '../infra/clock.ts'
import type { Config } from '../infra/config.ts'
import type { EventStore } from '../infra/event-store/event-store.ts'
import { registerConsole } from '../infra/http/console.ts'
import { registerHealth } from '../infra/http/health.ts'
import { createHttpServer, type HttpServer } from '../infra/http/server.ts'
import type { Logger } from '../infra/log.ts'
import { extractJobs } from '../ledger/extract/jobs.ts'
import { registerExtracts } from '../ledger/extract/routes.ts'
import { timeStampTokens } from '../ledger/extract/time-stamp-tokens.ts'
import { registerLedger } from '../ledger/http/routes.ts'
import { openLedger } from '../ledger/storage/database.ts'
import { postgresLogReader } from '../ledger/storage/postgres-log-reader.ts'
import { prometheusText } from '../projections/http/prometheus.ts'
import { registerQueries } from '../projections/http/queries.ts'
import { openReadModels } from '../projections/tables/database.ts'
import { reasonOf, type Urls } from './foundations.ts'
import type { Part } from './part.ts'
import { UserError } from './user-error.ts'
import { version } from './version.ts'

export type ApiRole = { readonly url: string; issueLink(): string; stop(): Promise<void> }

export type ApiDeps = {
  readonly store: EventStore
  readonly urls: Urls
  readonly config: Config
  readonly log: Logger
  readonly token: string
  /** Other parts of this process. */
  readonly parts: readonly Part[]
}

/** Everything people and programs ask for. Throws `UserError` when the port is taken. */
export async function startApi(deps: ApiDeps): Promise<ApiRole> {
  const pool = openReadModels(deps.urls.app, { name: 'queries', max: 8 })
  const ledgerPool = openLedger(deps.urls.app, { name: 'ledger-queries', max: 4 })
  const { store, config, log } = deps
  const reader = postgresLogReader(ledgerPool)
  const extracts = extractJobs({
    log: reader,
    store,
    clock: systemClock,
    logger: log,
    site: config.site,
    folder: resolve(config.dataFolder),
    tokenOf: timeStampTokens(ledgerPool),
  })
  const end = async () => {
    await extracts.stop()
    await pool.end()
    await ledgerPool.end()
  }
  try {
    const http = await serveHttp(deps, async (server) => {
      registerCommands(server, { store, clock: systemClock, log, site: config.site })
      registerQueries(server, {
        pool,
        store,
        clock: systemClock,
        log,
        modelFolder: fileURLToPath(new URL('../inference/models', import.meta.url)),
      })
      registerLedger(server, { reader, store, clock: systemClock, site: config.site })
      registerExtracts(server, extracts)
      await registerConsole(server, fileURLToPath(new URL('../console/dist', import.meta.url)))
    })
    return {
      ...http,
      stop: async () => {
        await http.stop()
        await end()
      },
    }
  } catch (error) {
    await end()
    throw error
  }
}

/** Health and metrics alone, for a role that serves nobody. */
export async function startHealth(deps: Omit<ApiDeps, 'token' | 'urls'>): Promise<ApiRole> {
  return await serveHttp({ ...deps, token: randomBytes(32).toString('base64url') }, async () => {})
}

async function serveHttp(
  deps: Omit<ApiDeps, 'urls'>,
  register: (server: HttpServer) => Promise<void>,
): Promise<ApiRole> {
  const { store, config, log, parts } = deps
  const base = await createHttpServer({
    log,
    clock: systemClock,
    token: deps.token,
    site: config.site,
    version,
    host: config.httpHost,
    port: config.httpPort,
    allowedHosts: config.httpAllowedHosts,
  })
  try {
    await register(base.server)
    registerHealth(base.server, {
      readiness: async () => ({
        store: await store.head().then(
          () => ({ ok: true }),
          (error: unknown) => ({ ok: false, detail: reasonOf(error) }),
        ),
        ...Object.fromEntries(
          await Promise.all(parts.map(async (part) => [part.name, await part.readiness()])),
        ),
      }),
      metrics: prometheusText(() => parts.map((part) => part.metrics)),
    })
    return { url: await base.listen(), issueLink: base.issueLink, stop: base.close }
  } catch (error) {
    await base.close()
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE')
      throw new UserError(
        `port ${config.httpPort} is in use; choose another with BIOLEDGER_HTTP_PORT (0 takes any free one)`,
        1,
      )
    if (code === 'EACCES')
      throw new UserError(
        `port ${config.httpPort} may not be opened by this user; choose another with BIOLEDGER_HTTP_PORT`,
        1,
      )
    throw error
  }
}
