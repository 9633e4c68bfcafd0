/**
 * The continuous check. In: the event store, schema `ledger`, the read models, the log's verifier key. Out: findings, as
 * events and alarm. Cycle after cycle it goes over the whole log and then the read models, evenly spread, so that a
 * row that anybody changed behind the product's back is named within one cycle; it mends nothing.
 *
 * A cycle aims at two minutes and never takes more than the budget; `readiness` says so when it cannot keep five.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '../../infra/clock.ts'
import type { EventStore } from '../../infra/event-store/event-store.ts'
import type { Logger } from '../../infra/log.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import type { Metric } from '../../infra/telemetry/metric.ts'
import type { RecordedEvent } from '../../schemas/event.ts'
import type { NoteVerifier } from '../log/note.ts'
import { checkLog } from './check-log.ts'
import type { AuditFinding } from './finding.ts'
import { pacing } from './pacing.ts'
import { reportFindings } from './report-findings.ts'

/** Read models as the events say that they must be. */
export type ReadModelComparison = {
  /** Events that are as they were sealed, in store order; those that it has had before are passed over. */
  add(events: readonly RecordedEvent[]): Promise<void>
  /** Differences as of `position`, or as far as the read models have come. */
  compare(position: bigint): Promise<readonly AuditFinding[]>
  close(): Promise<void>
}

export type AuditDeps = {
  readonly pool: Pool
  /** For the product's own appends. */
  readonly store: EventStore
  /** One that remembers nothing, for one cycle. */
  readonly openStore: () => Promise<EventStore>
  /** Undefined before the log has an origin. */
  readonly verifiers: () => Promise<{ origin: string; verifiers: readonly NoteVerifier[] } | undefined>
  readonly readModels: () => Promise<ReadModelComparison>
  readonly clock: Clock
  readonly site: string
  readonly log: Logger
  /** Entries re-hashed a second at most. */
  readonly entriesPerSecond: number
  /** What a cycle aims at; default 2 min. */
  readonly cycleMs?: number
}

export type AuditCycle = {
  readonly size: bigint
  readonly seconds: number
  readonly findings: readonly AuditFinding[]
}

/** One cycle without pause. Rejects when something does not answer. */
export async function auditOnce(
  deps: Pick<AuditDeps, 'pool' | 'openStore' | 'verifiers'>,
  readModels: ReadModelComparison,
  run: {
    readonly pace: (entries: number) => Promise<void>
    readonly onFinding?: (finding: AuditFinding) => void
    readonly onEntries?: (entries: number) => void
  },
): Promise<AuditCycle> {
  const began = performance.now()
  const findings: AuditFinding[] = []
  const found = (finding: AuditFinding) => {
    findings.push(finding)
    run.onFinding?.(finding)
  }
  const ended = (size: bigint): AuditCycle => ({
    size,
    seconds: (performance.now() - began) / 1000,
    findings,
  })
  const signed = await deps.verifiers()
  if (!signed) return ended(0n)
  const store = await deps.openStore()
  try {
    const { size, position } = await checkLog({
      pool: deps.pool,
      store,
      ...signed,
      onFinding: found,
      onEvents: (events) => readModels.add(events),
      pace: async (entries) => {
        await run.pace(entries)
        run.onEntries?.(entries)
      },
    })
    if (position !== undefined) for (const finding of await readModels.compare(position)) found(finding)
    return ended(size)
  } finally {
    await store.close()
  }
}

export type Audit = {
  readonly readiness: () => Promise<{ readonly ok: boolean; readonly detail?: string }>
  readonly metrics: Readonly<Record<string, Metric>>
  stop(): Promise<void>
}

/** What the check reports about itself, apart from the values: those may be read in another thread. */
export const auditMetrics = {
  bioledger_ledger_audit_findings: {
    kind: 'gauge',
    unit: '{finding}',
    description: 'Things that are not as they were sealed',
  },
  bioledger_ledger_audit_cycles_total: {
    kind: 'counter',
    unit: '{cycle}',
    description: 'Checks of the whole ledger that ended',
  },
  bioledger_ledger_audit_entries_total: {
    kind: 'counter',
    unit: '{entry}',
    description: 'Entries held against the event store, bundles and tiles',
  },
  bioledger_ledger_audit_cycle_seconds: {
    kind: 'gauge',
    unit: 's',
    description: 'Time that the last check of the whole ledger took',
  },
} as const satisfies Readonly<Record<string, Omit<Metric, 'read'>>>

const promisedMs = 5 * 60_000
const leastEntriesPerSecond = 2_000
const retryMs = 5_000
const leastRestMs = 3_000
const toldFindings = 3

export function startAudit(deps: AuditDeps): Audit {
  const stopping = new AbortController()
  const { signal } = stopping
  const cycleMs = deps.cycleMs ?? 120_000
  const state = {
    cycles: 0,
    entries: 0,
    last: undefined as AuditCycle | undefined,
    /** Of the cycle under way. */
    current: [] as AuditFinding[],
    trouble: undefined as string | undefined,
    endedAt: performance.now(),
  }
  const running = cycles()

  async function cycles(): Promise<void> {
    let readModels: ReadModelComparison | undefined
    while (!signal.aborted) {
      const began = performance.now()
      try {
        readModels ??= await deps.readModels()
        state.current = []
        const told = teller()
        const pace = pacing(rateFor(state.last?.size ?? 0n), signal)
        state.last = await auditOnce(deps, readModels, {
          pace: pace.spend,
          onFinding: (finding) => {
            state.current.push(finding)
            told.tell()
          },
          onEntries: (entries) => {
            state.entries += entries
          },
        })
        await told.all()
        state.cycles++
        state.endedAt = performance.now()
        state.trouble = undefined
        await pause(restAfter(performance.now() - began))
      } catch (error) {
        if (signal.aborted) break
        state.trouble = error instanceof Error ? error.message : String(error)
        deps.log.warn({ error: state.trouble }, 'the check of the ledger begins again')
        // What it remembers may be what failed.
        await readModels?.close().catch(() => {})
        readModels = undefined
        await pause(Math.min(retryMs, cycleMs))
      }
    }
    await readModels?.close().catch(() => {})
  }

  /** Reports while the cycle goes on, one report at a time. */
  function teller() {
    let reported = 0
    let reporting: Promise<void> | undefined
    const report = async (): Promise<void> => {
      while (reported < state.current.length) {
        const next = state.current.slice(reported)
        reported += next.length
        for (const finding of await reportFindings(deps, next))
          deps.log.error({ ...finding }, 'the ledger is not as it was sealed')
      }
    }
    const start = () => {
      reporting ??= report().finally(() => {
        reporting = undefined
      })
      return reporting
    }
    return {
      tell: () => {
        start().catch((error: unknown) => {
          // Told again at the end of the cycle.
          reported = 0
          deps.log.error({ error: String(error) }, 'a finding could not be stored yet')
        })
      },
      all: async () => {
        await reporting?.catch(() => {})
        await start()
      },
    }
  }

  /** Evenly over the time that a cycle aims at, within the budget. */
  const rateFor = (size: bigint): number =>
    Math.min(deps.entriesPerSecond, Math.max(leastEntriesPerSecond, (Number(size) / (cycleMs / 2)) * 1000))

  /** A tenth of the time at most for a small log; for a large one what is left of the time that a cycle aims at. */
  const restAfter = (workedMs: number): number =>
    Math.max(leastRestMs, Math.min(cycleMs - workedMs, 9 * workedMs))

  const pause = (ms: number) => delay(ms, undefined, { signal }).catch(() => {})

  const standing = (): readonly AuditFinding[] => {
    // What the cycle before found stands until this one has been there again.
    const known = new Map((state.last?.findings ?? []).map((finding) => [JSON.stringify(finding), finding]))
    for (const finding of state.current) known.set(JSON.stringify(finding), finding)
    return [...known.values()]
  }

  return {
    readiness: async () => {
      const findings = standing()
      if (findings.length > 0)
        return {
          ok: false,
          detail: `${findings.length} not as sealed: ${findings
            .slice(0, toldFindings)
            .map(({ kind, subject, finding }) => `${kind} ${subject}: ${finding}`)
            .join('; ')}`,
        }
      const sinceMs = performance.now() - state.endedAt
      if (sinceMs > promisedMs)
        return {
          ok: false,
          detail: `no check of the whole ledger has ended for ${Math.round(sinceMs / 1000)} s${
            state.trouble === undefined
              ? ': BIOLEDGER_LEDGER_AUDIT_EVENTS_PER_S is too small for it'
              : `: ${state.trouble}`
          }`,
        }
      return state.trouble === undefined
        ? { ok: true }
        : { ok: true, detail: `tries again: ${state.trouble}` }
    },
    metrics: {
      bioledger_ledger_audit_findings: {
        ...auditMetrics.bioledger_ledger_audit_findings,
        read: () => standing().length,
      },
      bioledger_ledger_audit_cycles_total: {
        ...auditMetrics.bioledger_ledger_audit_cycles_total,
        read: () => state.cycles,
      },
      bioledger_ledger_audit_entries_total: {
        ...auditMetrics.bioledger_ledger_audit_entries_total,
        read: () => state.entries,
      },
      bioledger_ledger_audit_cycle_seconds: {
        ...auditMetrics.bioledger_ledger_audit_cycle_seconds,
        read: () => state.last?.seconds,
      },
    },
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}
