/**
 * The continuous check. In: the event store, schema `ledger`, the read models, the log's verifier key. Out: findings, as
 * events and alarm. Cycle after cycle it goes over the whole log and then the read models, evenly spread, so that a
 * row that anybody changed behind the product's back is named within one cycle; it mends nothing.
 *
 * A cycle aims at two minutes, and takes what it needs to end within four; once the tripwire says that rows were changed
 * it goes as fast as it can.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { type Clock, toInstant } from '../../infra/clock.ts'
import type { EventStore } from '../../infra/event-store/event-store.ts'
import type { Logger } from '../../infra/log.ts'
import type { Metric } from '../../infra/telemetry/metric.ts'
import { auditMetrics } from './audit-metrics.ts'
import { type AuditCycle, type AuditOnceDeps, auditOnce, type ReadModelComparison } from './audit-once.ts'
import type { AuditFinding } from './finding.ts'
import { entriesPerSecondFor, leastEntriesPerSecond, pacing } from './pacing.ts'
import { reportFindings } from './report-findings.ts'
import type { Tripwire } from './tripwire.ts'

export type AuditDeps = AuditOnceDeps & {
  /** For the product's own appends. */
  readonly store: EventStore
  readonly readModels: () => Promise<ReadModelComparison>
  /** Undefined: nothing is watched between cycles. */
  readonly tripwire?: Tripwire
  readonly clock: Clock
  readonly site: string
  readonly log: Logger
  /** Entries re-hashed a second at most; undefined: as many as the log's size asks for. */
  readonly entriesPerSecond?: number | undefined
  /** What a cycle aims at; default 2 min. */
  readonly cycleMs?: number
}

export type Audit = {
  readonly readiness: () => Promise<{ readonly ok: boolean; readonly detail?: string }>
  readonly metrics: Readonly<Record<string, Metric>>
  stop(): Promise<void>
}

const promisedMs = 5 * 60_000
const retryMs = 5_000
const leastRestMs = 3_000
const toldFindings = 3
const watchEveryMs = 5_000

function kindOfTable(table: string): AuditFinding['kind'] {
  if (table.startsWith('projections.')) return 'read-model'
  return table.startsWith('ledger.') ? 'bundle' : 'event'
}

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
    /** Entries a second by which the log grew between the last two cycles. */
    growth: 0,
    /** What the read models took in the last cycle. */
    comparedMs: 0,
    /** Rows of tables that only grow were changed: told at once, until a cycle has named them. */
    tripped: [] as AuditFinding[],
    hurry: false,
  }
  let wake = new AbortController()
  const running = Promise.all([cycles(), watch()])

  async function watch(): Promise<void> {
    while (deps.tripwire && !signal.aborted) {
      try {
        const { tripped, isSuspicious } = await deps.tripwire.look()
        if (tripped.length > 0 || isSuspicious) {
          state.hurry = true
          wake.abort()
        }
        const findings = tripped.map(
          ({ table, updated, deleted }): AuditFinding => ({
            kind: kindOfTable(table),
            subject: `table ${table}`,
            finding: `${updated} rows were changed and ${deleted} removed, in a table that only grows, at ${toInstant(deps.clock.nowMs())}`,
          }),
        )
        if (findings.length > 0) {
          state.tripped.push(...findings)
          for (const finding of await reportFindings(deps, findings))
            deps.log.error({ ...finding }, 'rows of the ledger were changed')
        }
      } catch (error) {
        deps.log.warn({ error: String(error) }, 'the tables that only grow could not be watched')
      }
      await delay(watchEveryMs, undefined, { signal }).catch(() => {})
    }
  }

  async function cycles(): Promise<void> {
    let readModels: ReadModelComparison | undefined
    while (!signal.aborted) {
      const began = performance.now()
      try {
        readModels ??= await deps.readModels()
        state.current = []
        const told = teller()
        // A hurry of before is this cycle's; one that comes meanwhile is for the rest of it and for the next.
        if (!state.hurry) wake = new AbortController()
        state.hurry = false
        const hurry = wake.signal
        let pace = pacing(leastEntriesPerSecond, { signal, hurry })
        let comparing = performance.now()
        const seen = state.tripped.length
        const cycle = await auditOnce(deps, readModels, {
          pace: (entries) => pace.spend(entries),
          onSize: (size) => {
            pace = pacing(rateFor(size), { signal, hurry })
          },
          onCompare: () => {
            comparing = performance.now()
          },
          onFinding: (finding) => {
            state.current.push(finding)
            told.tell()
          },
          onEntries: (entries) => {
            state.entries += entries
          },
        })
        state.comparedMs = performance.now() - comparing
        await told.all()
        const grown = Number(cycle.size - (state.last?.size ?? cycle.size))
        state.growth = grown / Math.max(1, (performance.now() - state.endedAt) / 1000)
        state.last = cycle
        state.tripped.splice(0, seen)
        state.cycles++
        state.endedAt = performance.now()
        state.trouble = undefined
        if (!state.hurry) await pause(restAfter(performance.now() - began))
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

  const rateFor = (size: bigint): number =>
    entriesPerSecondFor({
      size,
      cycleMs,
      growth: state.growth,
      comparedMs: state.comparedMs,
      bound: deps.entriesPerSecond,
    })

  /** A tenth of the time at most for a small log; for a large one what is left of the time that a cycle aims at. */
  const restAfter = (workedMs: number): number =>
    Math.max(leastRestMs, Math.min(cycleMs - workedMs, 9 * workedMs))

  const pause = (ms: number) =>
    delay(ms, undefined, { signal: AbortSignal.any([signal, wake.signal]) }).catch(() => {})

  const standing = (): readonly AuditFinding[] => {
    // What the cycle before found stands until this one has been there again.
    const known = new Map((state.last?.findings ?? []).map((finding) => [JSON.stringify(finding), finding]))
    for (const finding of [...state.current, ...state.tripped]) known.set(JSON.stringify(finding), finding)
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
      if (state.trouble !== undefined)
        return sinceMs > promisedMs
          ? { ok: false, detail: `nothing was checked for ${Math.round(sinceMs / 1000)} s: ${state.trouble}` }
          : { ok: true, detail: `tries again: ${state.trouble}` }
      // A log too large for the machine or the budget is checked more slowly, not less thoroughly: no reason to send people away.
      const cycleS = Math.max(state.last?.seconds ?? 0, sinceMs / 1000)
      return cycleS * 1000 > promisedMs
        ? {
            ok: true,
            detail: `a check of the whole ledger takes ${Math.round(cycleS)} s: ${
              deps.entriesPerSecond === undefined
                ? 'the machine is too busy for it'
                : 'BIOLEDGER_LEDGER_AUDIT_EVENTS_PER_S bounds it'
            }`,
          }
        : { ok: true }
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
