/** `bioledger serve <role>`: one role against outside servers, e.g. in a container of its own. */
import type { Config } from '../infra/config.ts'
import { readOrCreateApiToken } from '../infra/http/api-token.ts'
import { createLogger } from '../infra/log.ts'
import { startTelemetry } from '../infra/telemetry/start-telemetry.ts'
import { startApi, startHealth } from './api.ts'
import { openEventStore, type Urls } from './foundations.ts'
import { startInferenceRole } from './inference.ts'
import { startIngestRole } from './ingest.ts'
import { startLedgerRole } from './ledger.ts'
import { startLedgerAuditRole } from './ledger-audit.ts'
import { startLedgerEvidence } from './ledger-evidence.ts'
import { startProjectorRole } from './projector.ts'
import { startRelayRole } from './relay.ts'
import { shutdownOrder, untilStopped } from './shutdown.ts'
import { UserError } from './user-error.ts'
import { serveWitness } from './witness.ts'

export const servedRoles = ['ingest', 'api', 'projector', 'inference', 'ledger', 'relay', 'witness'] as const
type Role = (typeof servedRoles)[number]
const isServed = (role: string): role is Role => (servedRoles as readonly string[]).includes(role)

export async function serveCommand(role: string, config: Config): Promise<void> {
  if (!isServed(role))
    throw new UserError(`there is no role ${role}; the roles are ${servedRoles.join(', ')}`)
  // A witness stands on its own folder alone: no store, no database.
  if (role === 'witness') return await serveWitness(config)
  const missing = [
    ...(config.postgresUrl === undefined ? ['BIOLEDGER_POSTGRES_URL'] : []),
    ...(role === 'ingest' && config.mqttUrl === undefined ? ['BIOLEDGER_MQTT_URL'] : []),
    ...(role === 'relay' && config.kafkaBrokers.length === 0 ? ['BIOLEDGER_KAFKA_BROKERS'] : []),
  ]
  if (config.postgresUrl === undefined || missing.length > 0)
    throw new UserError(`serve ${role} works on outside servers: set ${missing.join(' and ')}`)
  const urls: Urls = { app: config.postgresUrl, admin: config.postgresAdminUrl }
  const shutdown = shutdownOrder()
  try {
    const log = createLogger(config.logLevel)
    const telemetry = await startTelemetry({ role, environment: process.env, log })
    shutdown.add(() => telemetry.stop())
    const store = await openEventStore(config, urls, log)
    shutdown.add(() => store.close())
    const deps = { store, urls, config, log, telemetry }
    let failure: Promise<unknown> = new Promise(() => {})
    if (role === 'api') {
      const api = await startApi({ ...deps, token: await readOrCreateApiToken(config.dataFolder), parts: [] })
      shutdown.add(() => api.stop())
      announce(api.url)
    } else if (role === 'ingest') {
      const ingest = await startIngestRole(deps)
      shutdown.add(() => ingest.stop())
      failure = ingest.ended
      const health = await startHealth({ ...deps, parts: [ingest] })
      shutdown.add(() => health.stop())
      announce(health.url)
    } else if (role === 'inference') {
      const inference = await startInferenceRole({ ...deps, mqttUrl: config.mqttUrl })
      shutdown.add(() => inference.stop())
      failure = inference.ended
      const health = await startHealth({ ...deps, parts: [inference] })
      shutdown.add(() => health.stop())
      announce(health.url)
    } else if (role === 'relay') {
      const relay = startRelayRole(deps)
      shutdown.add(() => relay.stop())
      failure = relay.ended
      const health = await startHealth({ ...deps, parts: [relay] })
      shutdown.add(() => health.stop())
      announce(health.url)
    } else if (role === 'ledger') {
      const ledger = await startLedgerRole(deps)
      shutdown.add(() => ledger.stop())
      const evidence = await startLedgerEvidence({ ...deps, refuse: ledger.refuse })
      shutdown.add(() => evidence.stop())
      const audit = startLedgerAuditRole(deps)
      shutdown.add(() => audit.stop())
      const health = await startHealth({ ...deps, parts: [ledger, audit, ...evidence.parts] })
      shutdown.add(() => health.stop())
      announce(health.url)
    } else {
      const projector = await startProjectorRole(deps)
      shutdown.add(() => projector.stop())
      const health = await startHealth({ ...deps, parts: [projector] })
      shutdown.add(() => health.stop())
      failure = projector.ended
      announce(health.url)
    }
    await untilStopped(failure)
  } finally {
    await shutdown.run()
  }

  function announce(url: string): void {
    process.stdout.write(`bioledger ${role} ready ${url}\n`)
  }
}
