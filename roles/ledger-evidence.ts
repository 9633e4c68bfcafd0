/**
 * Outside evidence for the ledger's checkpoints: witnesses that cosign them and authorities that put a time on them, as
 * far as the settings name any. Neither ever holds up sealing by being away; both show in `readyz` and in the metrics. A
 * witness that holds a history which this log does not continue ends it.
 */
import { readFile } from 'node:fs/promises'
import { systemClock } from '../infra/clock.ts'
import type { Config } from '../infra/config.ts'
import type { EventStore } from '../infra/event-store/event-store.ts'
import type { Logger } from '../infra/log.ts'
import type { Pool } from '../infra/postgres/pool.ts'
import type { Telemetry } from '../infra/telemetry/telemetry.ts'
import { parseNote } from '../ledger/log/note.ts'
import { consistencyProof } from '../ledger/log/proof.ts'
import { openLedger } from '../ledger/storage/database.ts'
import type { LogReader } from '../ledger/storage/log-reader.ts'
import { postgresLogReader } from '../ledger/storage/postgres-log-reader.ts'
import { httpTimeStampAuthority, type TimeStampAuthority } from '../ledger/time-stamp/authority.ts'
import { hasNews } from '../ledger/time-stamp/news.ts'
import { postgresTimeStamps } from '../ledger/time-stamp/stamped.ts'
import { startTimeStamping } from '../ledger/time-stamp/time-stamping.ts'
import { certificatesOf } from '../ledger/time-stamp/token.ts'
import { contradictionText } from '../ledger/witness/contradictions.ts'
import { publishCosignatures } from '../ledger/witness/publish-cosignatures.ts'
import { type WitnessFinding, witnessClient } from '../ledger/witness/witness-client.ts'
import { startWitnessing } from '../ledger/witness/witnessing.ts'
import { reasonOf, type Urls } from './foundations.ts'
import { configuredWitnesses } from './ledger-witnesses.ts'
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
  /** Told when a witness holds more than the ledger, or something else: it must sign nothing more. */
  readonly refuse: (finding: string) => void
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

function witnessesOf({ store, config, log, refuse }: Deps, pool: Pool, reader: LogReader) {
  const witnesses = configuredWitnesses(config)
  if ((config.ledgerWitnessQuorum ?? 0) > witnesses.length)
    throw new UserError(
      `BIOLEDGER_LEDGER_WITNESS_QUORUM: ${config.ledgerWitnessQuorum} of ${witnesses.length} witnesses cannot be reached`,
    )
  const told = new Set<string>()
  async function judge(finding: WitnessFinding): Promise<void> {
    // Another process of ours may have published more, and had it cosigned, since the checkpoint was read.
    const head = await reader.head()
    if (finding.kind === 'ahead' && head && head.size >= finding.witnessSize) return
    const message = contradictionText(finding)
    refuse(message)
    const identity = `${finding.witness} ${finding.kind} ${finding.witnessSize}`
    if (told.has(identity)) return
    told.add(identity)
    log.error(
      { ...finding, ourSize: String(finding.ourSize), witnessSize: String(finding.witnessSize) },
      message,
    )
    await appendStoreAlarm(store, config.site, message, 'ledger_not_as_witnessed').catch((error: unknown) => {
      told.delete(identity)
      throw error
    })
  }
  const onFinding = (finding: WitnessFinding) => {
    // A witness repeats it in the next round.
    judge(finding).catch((error: unknown) =>
      log.error({ error: String(error) }, 'the finding of a witness could not be told'),
    )
  }
  return startWitnessing({
    client: witnessClient({ witnesses, nowMs: systemClock.nowMs, onFinding }),
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
