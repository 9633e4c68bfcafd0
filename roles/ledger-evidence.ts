/**
 * Outside evidence for the ledger's checkpoints: witnesses that cosign them and authorities that put a time on them, as
 * far as the settings name any. Neither ever holds up sealing; both show in `readyz` and in the metrics.
 */
import { readFile } from 'node:fs/promises'
import { systemClock } from '../infra/clock.ts'
import type { Config } from '../infra/config.ts'
import type { EventStore } from '../infra/event-store/event-store.ts'
import type { Logger } from '../infra/log.ts'
import type { Pool } from '../infra/postgres/pool.ts'
import type { Telemetry } from '../infra/telemetry/telemetry.ts'
import { parseCosignatureKey } from '../ledger/log/cosignature.ts'
import { NoteError, parseNote } from '../ledger/log/note.ts'
import { consistencyProof } from '../ledger/log/proof.ts'
import { openLedger } from '../ledger/storage/database.ts'
import type { LogReader } from '../ledger/storage/log-reader.ts'
import { postgresLogReader } from '../ledger/storage/postgres-log-reader.ts'
import { httpTimeStampAuthority, type TimeStampAuthority } from '../ledger/time-stamp/authority.ts'
import { hasNews } from '../ledger/time-stamp/news.ts'
import { postgresTimeStamps } from '../ledger/time-stamp/stamped.ts'
import { startTimeStamping } from '../ledger/time-stamp/time-stamping.ts'
import { certificatesOf } from '../ledger/time-stamp/token.ts'
import { publishCosignatures } from '../ledger/witness/publish-cosignatures.ts'
import { type WitnessFinding, witnessClient } from '../ledger/witness/witness-client.ts'
import { startWitnessing } from '../ledger/witness/witnessing.ts'
import { reasonOf, type Urls } from './foundations.ts'
import type { Part } from './part.ts'
import { appendStoreAlarm } from './store-alarm.ts'
import { UserError } from './user-error.ts'

export type LedgerEvidence = { readonly parts: readonly Part[]; stop(): Promise<void> }

type Deps = {
  readonly store: EventStore
  readonly urls: Urls
  readonly config: Config
  readonly log: Logger
  readonly telemetry: Telemetry
}

/** Throws `UserError` for a key or a certificate file that cannot be used. */
export async function startLedgerEvidence(deps: Deps): Promise<LedgerEvidence> {
  const { config, telemetry } = deps
  const pool = openLedger(deps.urls.app, { name: 'ledger-evidence', max: 2 })
  const reader = postgresLogReader(pool)
  const started: (Part & { stop(): Promise<void> })[] = []
  const unregisters: (() => void)[] = []
  const stop = async () => {
    for (const unregister of unregisters) unregister()
    for (const part of started) await part.stop()
    await pool.end()
  }
  try {
    if (config.ledgerWitnesses.length > 0)
      started.push({ name: 'witnesses', ...witnessesOf(deps, pool, reader) })
    if (config.timeStampAuthorities.length > 0)
      started.push({ name: 'time-stamps', ...timeStampsOf(deps, pool, reader, await authoritiesOf(config)) })
    for (const part of started) unregisters.push(telemetry.registerMetrics(part.metrics))
    return { parts: started, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function witnessesOf({ store, config, log }: Deps, pool: Pool, reader: LogReader) {
  const witnesses = config.ledgerWitnesses.map(({ verifierKey, url }) => {
    try {
      return { verifier: parseCosignatureKey(verifierKey), url }
    } catch (error) {
      if (!(error instanceof NoteError)) throw error
      throw new UserError(`BIOLEDGER_LEDGER_WITNESSES: ${verifierKey} is no witness key: ${error.rule}`)
    }
  })
  if ((config.ledgerWitnessQuorum ?? 0) > witnesses.length)
    throw new UserError(
      `BIOLEDGER_LEDGER_WITNESS_QUORUM: ${config.ledgerWitnessQuorum} of ${witnesses.length} witnesses cannot be reached`,
    )
  const told = new Set<string>()
  const alarm = (finding: WitnessFinding) => {
    const identity = `${finding.witness} ${finding.kind} ${finding.witnessSize}`
    if (told.has(identity)) return
    told.add(identity)
    const message =
      finding.kind === 'ahead'
        ? `witness ${finding.witness} cosigned ${finding.witnessSize} entries, the ledger has ${finding.ourSize}: entries were lost, or an old backup was restored`
        : `the checkpoint of ${finding.ourSize} entries does not extend the ${finding.witnessSize} that witness ${finding.witness} cosigned: the ledger was rewritten`
    log.error(
      { ...finding, ourSize: String(finding.ourSize), witnessSize: String(finding.witnessSize) },
      message,
    )
    appendStoreAlarm(store, config.site, message, 'ledger_not_as_witnessed').catch((error: unknown) => {
      told.delete(identity)
      log.error({ error: String(error) }, 'the alarm could not be stored')
    })
  }
  return startWitnessing({
    client: witnessClient({ witnesses, nowMs: systemClock.nowMs, onFinding: alarm }),
    everyMs: config.ledgerWitnessEveryMs,
    quorum: config.ledgerWitnessQuorum ?? witnesses.length,
    nowMs: systemClock.nowMs,
    log,
    published: async () => {
      const head = await reader.head()
      return (
        head && {
          size: head.size,
          note: head.note,
          proofFrom: (oldSize) => consistencyProof(oldSize, head.size, reader.subtrees(head.size)),
        }
      )
    },
    publish: (size, lines) => publishCosignatures(pool, size, lines),
  })
}

function timeStampsOf(
  { store, config, log }: Deps,
  pool: Pool,
  reader: LogReader,
  authorities: readonly TimeStampAuthority[],
) {
  return startTimeStamping({
    authorities,
    everyMs: config.timeStampEveryMs,
    maximumGapMs: config.timeStampMaxGapMs,
    timeStamps: postgresTimeStamps(pool),
    store,
    site: config.site,
    nowMs: systemClock.nowMs,
    log,
    published: async () => {
      const head = await reader.head()
      return head && { size: head.size, text: parseNote(head.note).text }
    },
    hasNews: (from, to) => hasNews(reader, from, to),
  })
}

async function authoritiesOf(config: Config): Promise<readonly TimeStampAuthority[]> {
  return await Promise.all(
    config.timeStampAuthorities.map(async ({ url, caFile, policy }) => {
      try {
        const trusted = await readFile(caFile, 'utf8')
        certificatesOf(trusted)
        return httpTimeStampAuthority({ url, trusted, policy })
      } catch (error) {
        throw new UserError(`BIOLEDGER_TIME_STAMP_AUTHORITIES: ${caFile}: ${reasonOf(error)}`)
      }
    }),
  )
}
