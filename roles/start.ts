/**
 * `bioledger start`: everything on one machine, in one process beside its embedded Postgres. Parts start in the
 * order they need one another and stop in the reverse one; a part that cannot start takes the others down again
 * and is told in one line.
 */
import { join } from 'node:path'
import { systemClock } from '../infra/clock.ts'
import type { Config } from '../infra/config.ts'
import { readOrCreateApiToken } from '../infra/http/api-token.ts'
import { createLogger } from '../infra/log.ts'
import { startEmbeddedPostgres } from '../infra/postgres/embedded.ts'
import { startTelemetry } from '../infra/telemetry/start-telemetry.ts'
import { startApi } from './api.ts'
import { openDataFolder } from './data-folder.ts'
import { diskSpacePart } from './disk-space.ts'
import { openEventStore, type Urls } from './foundations.ts'
import { startInferenceRole } from './inference.ts'
import { startIngestRole } from './ingest.ts'
import { startLedgerRole } from './ledger.ts'
import { startLedgerAuditRole } from './ledger-audit.ts'
import { startLedgerEvidence } from './ledger-evidence.ts'
import { startProjectorRole } from './projector.ts'
import { startRelayRole } from './relay.ts'
import { shutdownOrder, untilStopped } from './shutdown.ts'
import { startSimulation } from './simulation.ts'

export async function startCommand(config: Config): Promise<void> {
  const shutdown = shutdownOrder()
  try {
    const log = createLogger(config.logLevel)
    const folder = await openDataFolder(config.dataFolder)
    shutdown.add(() => folder.release())
    const telemetry = await startTelemetry({ role: 'start', environment: process.env, log })
    shutdown.add(() => telemetry.stop())

    const dataFolders = [folder.path]
    let postgresUrl: string | null = null
    let postgresEnded: Promise<unknown> = new Promise(() => {})
    let urls: Urls
    if (config.postgresUrl === undefined) {
      const wanted = join(folder.path, 'postgres')
      const postgres = await startEmbeddedPostgres({ folder: wanted })
      if (postgres.folder !== wanted)
        process.stderr.write(
          `bioledger: the database lies in ${postgres.folder}, since its server cannot enter ${wanted}\n`,
        )
      shutdown.add(() => postgres.stop())
      dataFolders.push(postgres.folder)
      postgresEnded = postgres.ended
      await postgres.createDatabase('bioledger')
      urls = { app: postgres.appUrl(), admin: postgres.adminUrl() }
      postgresUrl = `postgres://127.0.0.1:${postgres.port}/bioledger`
    } else urls = { app: config.postgresUrl, admin: config.postgresAdminUrl }
    const store = await openEventStore(config, urls, log)
    shutdown.add(() => store.close())

    const projector = await startProjectorRole({ store, urls, config, log, telemetry })
    shutdown.add(() => projector.stop())
    const ingest = await startIngestRole({ store, urls, config, log, telemetry })
    shutdown.add(() => ingest.stop())
    const ledger = await startLedgerRole({ store, urls, config, log, telemetry })
    shutdown.add(() => ledger.stop())
    const evidence = await startLedgerEvidence({
      store,
      urls,
      config,
      log,
      telemetry,
      refuse: ledger.refuse,
    })
    shutdown.add(() => evidence.stop())
    const audit = startLedgerAuditRole({
      urls,
      config: { ...config, dataFolder: folder.path },
      log,
      telemetry,
    })
    shutdown.add(() => audit.stop())
    // With brokers named, inference reads from Kafka: somebody must fill it.
    const relays =
      config.kafkaBrokers.length > 0 ? [startRelayRole({ store, urls, config, log, telemetry })] : []
    for (const relay of relays) shutdown.add(() => relay.stop())
    const inference = await startInferenceRole({
      store,
      urls,
      config,
      log,
      telemetry,
      mqttUrl: ingest.mqttUrl,
    })
    shutdown.add(() => inference.stop())
    const token = await readOrCreateApiToken(folder.path)
    const api = await startApi({
      store,
      urls,
      config,
      log,
      token,
      parts: [
        projector,
        ingest,
        ...relays,
        inference,
        ledger,
        audit,
        ...evidence.parts,
        diskSpacePart(dataFolders),
      ],
    })
    shutdown.add(() => api.stop())

    await folder.publishEndpoints({ http: api.url, mqtt: ingest.mqttUrl, postgres: postgresUrl })
    process.stdout.write(`bioledger ready ${api.url} data ${folder.path}\n`)
    process.stdout.write(`open ${api.url}${api.issueLink()}\n`)
    const simulation = startSimulation({
      config,
      log,
      folder: folder.path,
      clock: systemClock,
      http: api.url,
      mqtt: ingest.mqttUrl,
      token,
    })
    shutdown.add(() => simulation.stop())

    await untilStopped(
      Promise.race([
        projector.ended,
        ingest.ended,
        inference.ended,
        ...relays.map((relay) => relay.ended),
        postgresEnded,
      ]),
    )
  } finally {
    await shutdown.run()
  }
}
