/**
 * `bioledger serve witness`: cosigns checkpoints of the logs that BIOLEDGER_WITNESS_LOGS names. It needs nothing but
 * its data folder (own key, one file a log), so it can run on a box that only QA administers.
 */
import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../infra/clock.ts'
import type { Config } from '../infra/config.ts'
import { registerHealth } from '../infra/http/health.ts'
import { createHttpServer } from '../infra/http/server.ts'
import { createLogger } from '../infra/log.ts'
import { NoteError, type NoteVerifier, parseVerifierKey } from '../ledger/log/note.ts'
import { type WitnessedLog, witness } from '../ledger/witness/witness.ts'
import { readOrCreateWitnessKey, WitnessKeyError } from '../ledger/witness/witness-key.ts'
import { registerWitness } from '../ledger/witness/witness-routes.ts'
import { fileWitnessState } from '../ledger/witness/witness-state.ts'
import { prometheusText } from '../projections/http/prometheus.ts'
import { openDataFolder } from './data-folder.ts'
import { shutdownOrder, untilStopped } from './shutdown.ts'
import { UserError } from './user-error.ts'
import { version } from './version.ts'

/** Throws `UserError` for missing settings, a key of another witness, a folder in use. */
export async function serveWitness(config: Config): Promise<void> {
  const { witnessName, witnessLogs } = config
  if (witnessName === undefined || witnessLogs.length === 0)
    throw new UserError(
      'serve witness needs a name and logs: set BIOLEDGER_WITNESS_NAME and BIOLEDGER_WITNESS_LOGS',
    )
  const logs = logsOf(witnessLogs)
  const shutdown = shutdownOrder()
  try {
    const folder = await openDataFolder(config.dataFolder)
    shutdown.add(() => folder.release())
    const signer = await readOrCreateWitnessKey(folder.path, witnessName).catch((error: unknown) => {
      throw error instanceof WitnessKeyError || error instanceof NoteError
        ? new UserError(error.message)
        : error
    })
    const stateFolder = join(folder.path, 'witness')
    await mkdir(stateFolder, { recursive: true })
    const cosigning = witness({
      signer,
      logs,
      state: fileWitnessState(stateFolder),
      nowMs: systemClock.nowMs,
    })
    const base = await createHttpServer({
      log: createLogger(config.logLevel),
      clock: systemClock,
      token: randomBytes(32).toString('base64url'),
      site: config.site,
      version,
      host: config.httpHost,
      port: config.httpPort,
      allowedHosts: config.httpAllowedHosts,
    })
    shutdown.add(() => base.close())
    await registerWitness(base.server, cosigning)
    registerHealth(base.server, {
      // A state that cannot be read is found here before the next request meets it.
      readiness: async () => ({
        witness: await Promise.all(cosigning.origins.map((origin) => cosigning.latest(origin))).then(
          () => ({ ok: true }),
          (error: unknown) => ({ ok: false, detail: String(error) }),
        ),
      }),
      metrics: prometheusText(() => [cosigning.metrics]),
    })
    const url = await base.listen()
    process.stdout.write(`bioledger witness ready ${url}\nvkey ${signer.verifierKey}\n`)
    await untilStopped(new Promise(() => {}))
  } finally {
    await shutdown.run()
  }
}

/** Several keys of one origin: the log's old and new key around a rotation. */
function logsOf(verifierKeys: readonly string[]): readonly WitnessedLog[] {
  const logs = new Map<string, NoteVerifier[]>()
  for (const verifierKey of verifierKeys) {
    try {
      const verifier = parseVerifierKey(verifierKey)
      logs.set(verifier.name, [...(logs.get(verifier.name) ?? []), verifier])
    } catch (error) {
      if (!(error instanceof NoteError)) throw error
      throw new UserError(`BIOLEDGER_WITNESS_LOGS: ${verifierKey} is no verifier key: ${error.rule}`)
    }
  }
  return [...logs].map(([origin, verifiers]) => ({ origin, verifiers }))
}
