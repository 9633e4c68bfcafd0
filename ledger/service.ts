/**
 * The ledger: seals every event of the store in a Merkle tree that anybody can verify without us.
 *
 * In: every event, in store order. Out: schema `ledger` (entries, tiles, checkpoints), the events of `ledger-keys` and
 * `ledger-heads`, in the data folder the keys and the last signed checkpoint, and an alarm when the log must not go on.
 */
import type { Clock } from '../infra/clock.ts'
import type { EventStore } from '../infra/event-store/event-store.ts'
import type { Logger } from '../infra/log.ts'
import type { Pool } from '../infra/postgres/pool.ts'
import type { Metric } from '../infra/telemetry/metric.ts'
import { fileKeyVault } from './keys/file-vault.ts'
import type { KeyVault } from './keys/key-vault.ts'
import { ownEvents } from './sequencer/own-event.ts'
import { LedgerRefusedError } from './sequencer/refusal.ts'
import { runSequencer } from './sequencer/sequencer.ts'
import { type SignedState, signedStateFile } from './sequencer/signed-state.ts'
import { type FileMirror, fileMirror } from './storage/file-mirror.ts'
import type { PublishedCheckpoint } from './storage/log-reader.ts'
import { postgresLogReader } from './storage/postgres-log-reader.ts'
import { filesContradiction } from './storage/static-files.ts'

export type StartLedgerDeps = {
  readonly store: EventStore
  /** From `openLedger`, at least three connections. The caller ends it after `stop`. */
  readonly pool: Pool
  readonly log: Logger
  readonly clock: Clock
  readonly site: string
  /** First part of a new log's origin, e.g. `ledger.company.example/site-1`; an existing log keeps its own. */
  readonly originPrefix: string
  /** Holds the keys and `ledger.signed`. */
  readonly folder: string
  /** Time between checkpoints while the log grows; default 1 s. */
  readonly cadenceMs?: number
  /** Least time between heads statements that nobody asked for; default 1 h. */
  readonly headsEveryMs?: number
  readonly pageSize?: number
  /** Keys elsewhere than in the folder. */
  readonly openVault?: (origin: string) => Promise<KeyVault>
  readonly signedState?: SignedState
  /**
   * Asked each time before the first signature: what others hold that the published log (undefined: nothing yet) does
   * not contain, a sentence each. Whoever cannot be reached says nothing.
   */
  readonly contradictions?: (
    origin: string,
    published: PublishedCheckpoint | undefined,
  ) => Promise<readonly string[]>
  /** Also keeps the log as static files there. */
  readonly filesFolder?: string | undefined
  /** Told once when the log must not go on; repeated until it succeeds, so it must be idempotent. */
  readonly raiseAlarm: (finding: string) => Promise<void>
}

export type Ledger = {
  readonly stop: () => Promise<void>
  /** Signs nothing more, from the next signature on, and raises the alarm: somebody holds a log that this one contradicts. */
  readonly refuse: (finding: string) => void
  /** Size of the newest published checkpoint; undefined before the first of this run. */
  readonly publishedSize: () => bigint | undefined
  /** Not ok: it refused to go on, it cannot write, or its newest checkpoint is too old. A standby is ready. */
  readonly readiness: () => Promise<{ readonly ok: boolean; readonly detail?: string }>
  readonly metrics: Readonly<Record<string, Metric>>
}

const readyLagMs = 30_000

export function startLedger(deps: StartLedgerDeps): Ledger {
  const stopping = new AbortController()
  const refusing = new AbortController()
  const state = {
    role: 'opening' as 'opening' | 'standby' | 'active' | 'refused',
    size: 0n,
    publishedSize: undefined as bigint | undefined,
    entries: 0,
    publishedAt: undefined as number | undefined,
    /** Since when there is something durable that no checkpoint covers. */
    owingSince: undefined as number | undefined,
    caughtUp: false,
    recordedAt: undefined as string | undefined,
    trouble: undefined as unknown,
    refusal: undefined as Error | undefined,
  }
  const files: FileMirror | undefined =
    deps.filesFolder === undefined
      ? undefined
      : fileMirror({ reader: postgresLogReader(deps.pool), folder: deps.filesFolder, log: deps.log })
  const running = runSequencer({
    store: deps.store,
    pool: deps.pool,
    log: deps.log,
    own: ownEvents(deps),
    signal: AbortSignal.any([stopping.signal, refusing.signal]),
    originPrefix: deps.originPrefix,
    signedState: deps.signedState ?? signedStateFile(deps.folder),
    contradictions: async (origin) => {
      const reader = postgresLogReader(deps.pool)
      const mirrored =
        deps.filesFolder === undefined ? undefined : await filesContradiction(reader, deps.filesFolder)
      const told = (await deps.contradictions?.(origin, await reader.head())) ?? []
      return [...(mirrored === undefined ? [] : [mirrored]), ...told]
    },
    openVault: deps.openVault ?? ((origin) => fileKeyVault(deps.folder, origin)),
    cadenceMs: deps.cadenceMs ?? 1_000,
    headsEveryMs: deps.headsEveryMs ?? 3_600_000,
    // Short enough that a page holds up nothing else in this process for long: about 20 ms.
    pageSize: deps.pageSize ?? 2_000,
    on: {
      standby: () => {
        state.role = 'standby'
      },
      open: (origin, durable) => {
        state.role = 'active'
        state.size = durable?.size ?? 0n
        deps.log.info({ origin, size: String(state.size) }, 'the ledger seals events')
      },
      integrated: (events, durable, caughtUp) => {
        state.entries += events
        state.size = durable.size
        state.recordedAt = durable.recordedAt
        state.caughtUp = caughtUp
        state.trouble = undefined
        state.owingSince ??= performance.now()
      },
      published: (size) => {
        state.publishedSize = size
        state.publishedAt = performance.now()
        state.owingSince = size === state.size ? undefined : performance.now()
        state.trouble = undefined
        files?.follow()
      },
      trouble: (error) => {
        state.trouble = error
      },
    },
  })
    .then(() => refusing.signal.throwIfAborted())
    .catch(async (error: unknown) => {
      if (stopping.signal.aborted) return
      const refusal = error instanceof Error ? error : new Error(String(error))
      state.role = 'refused'
      state.refusal = refusal
      deps.log.fatal({ err: refusal }, 'the ledger stopped: it must not go on')
      await deliverAlarm(deps, refusal.message, stopping.signal)
    })

  return {
    refuse: (finding) => refusing.abort(new LedgerRefusedError(finding)),
    stop: async () => {
      stopping.abort()
      await running
      await files?.idle()
    },
    publishedSize: () => state.publishedSize,
    readiness: async () => {
      if (state.refusal) return { ok: false, detail: state.refusal.message }
      if (files?.failure()) return { ok: false, detail: `static files: ${files.failure()}` }
      if (state.trouble) return { ok: false, detail: `tries again: ${messageOf(state.trouble)}` }
      if (state.role === 'standby') return { ok: true, detail: 'standby: another sequencer writes the log' }
      const owedMs = state.owingSince === undefined ? 0 : performance.now() - state.owingSince
      return owedMs > readyLagMs
        ? { ok: false, detail: `no checkpoint covers what came ${Math.round(owedMs / 1000)} s ago` }
        : { ok: true }
    },
    metrics: {
      bioledger_ledger_size: {
        kind: 'gauge',
        unit: '{entry}',
        description: 'Entries of the log',
        read: () => Number(state.size),
      },
      bioledger_ledger_published_size: {
        kind: 'gauge',
        unit: '{entry}',
        description: 'Entries that the newest checkpoint of this run covers',
        read: () => Number(state.publishedSize ?? 0n),
      },
      bioledger_ledger_entries_total: {
        kind: 'counter',
        unit: '{entry}',
        description: 'Entries integrated since the start',
        read: () => state.entries,
      },
      bioledger_ledger_checkpoint_age_seconds: {
        kind: 'gauge',
        unit: 's',
        description: 'Time for which something durable has waited for a checkpoint; 0 when all is covered',
        read: () => (state.owingSince === undefined ? 0 : (performance.now() - state.owingSince) / 1000),
      },
      bioledger_ledger_lag_seconds: {
        kind: 'gauge',
        unit: 's',
        description: 'Age of the newest integrated event while the log is behind the store; 0 at its end',
        read: () =>
          state.caughtUp || state.recordedAt === undefined
            ? 0
            : (deps.clock.nowMs() - Date.parse(state.recordedAt)) / 1000,
      },
      bioledger_ledger_active: {
        kind: 'gauge',
        unit: '1',
        description: '1 while this process writes the log, 0 on standby or after a refusal',
        read: () => (state.role === 'active' ? 1 : 0),
      },
    },
  }
}

async function deliverAlarm(deps: StartLedgerDeps, finding: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      return await deps.raiseAlarm(finding)
    } catch (error) {
      deps.log.error({ err: error }, 'the alarm about the ledger is not in the store yet')
      await new Promise<void>((settle) => {
        const timer = setTimeout(settle, 5_000)
        signal.addEventListener(
          'abort',
          () => {
            clearTimeout(timer)
            settle()
          },
          { once: true },
        )
      })
    }
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
