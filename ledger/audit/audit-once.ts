/** One cycle of the check: the whole log, then the read models. */
import type { EventStore } from '../../infra/event-store/event-store.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import type { RecordedEvent } from '../../schemas/event.ts'
import type { NoteVerifier } from '../log/note.ts'
import { checkLog } from './check-log.ts'
import type { AuditFinding } from './finding.ts'

/** Read models as the events say that they must be. */
export type ReadModelComparison = {
  /** Events that are as they were sealed, in store order; those that it has had before are passed over. */
  add(events: readonly RecordedEvent[]): Promise<void>
  /** Differences as of `position`, or as far as the read models have come. */
  compare(position: bigint): Promise<readonly AuditFinding[]>
  close(): Promise<void>
}

export type AuditOnceDeps = {
  readonly pool: Pool
  /** One that remembers nothing, for one cycle. */
  readonly openStore: () => Promise<EventStore>
  /** Undefined before the log has an origin. */
  readonly verifiers: () => Promise<{ origin: string; verifiers: readonly NoteVerifier[] } | undefined>
}

export type AuditCycle = {
  readonly size: bigint
  readonly seconds: number
  readonly findings: readonly AuditFinding[]
}

/** One cycle without pause. Rejects when something does not answer. */
export async function auditOnce(
  deps: AuditOnceDeps,
  readModels: ReadModelComparison,
  run: {
    readonly pace: (entries: number) => Promise<void>
    readonly onFinding?: (finding: AuditFinding) => void
    readonly onEntries?: (entries: number) => void
    /** Before the first entry: how many there are. */
    readonly onSize?: (size: bigint) => void
    /** Behind the last entry: the read models come next. */
    readonly onCompare?: () => void
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
      ...(run.onSize ? { onSize: run.onSize } : {}),
      onEvents: (events) => readModels.add(events),
      pace: async (entries) => {
        await run.pace(entries)
        run.onEntries?.(entries)
      },
    })
    run.onCompare?.()
    if (position !== undefined) for (const finding of await readModels.compare(position)) found(finding)
    return ended(size)
  } finally {
    await store.close()
  }
}
