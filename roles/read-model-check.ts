/** Holds the live read models against what the sealed events make of them, for the ledger's continuous check. */
import type { EventStore } from '../infra/event-store/event-store.ts'
import type { ReadModelComparison } from '../ledger/audit/audit-once.ts'
import type { AuditFinding } from '../ledger/audit/finding.ts'
import { type NamedDifference, openShadowReadModels, type ShadowReadModels } from '../projections/shadow.ts'
import type { RowDifference } from '../projections/tables/first-difference.ts'

export async function readModelCheck(deps: {
  readonly url: string
  readonly store: EventStore
}): Promise<ReadModelComparison> {
  let shadow: ShadowReadModels | undefined = await openShadowReadModels(deps)
  return {
    add: async (events) => {
      shadow ??= await openShadowReadModels(deps)
      await shadow.add(events)
    },
    compare: async (position) => {
      if (!shadow) return []
      const { differences, isWhole } = await shadow.compare(position)
      if (!isWhole) {
        // A changed event was left out, and its stream with it: the next cycle begins anew, perhaps with it mended.
        await shadow.close()
        shadow = undefined
      }
      return differences.map(findingOf)
    },
    close: async () => {
      await shadow?.close()
    },
  }
}

/** Without the numbers of rows where a row is named: they change with each cycle, and the finding would be told again. */
function findingOf({ table, key, live, rebuilt, first }: NamedDifference): AuditFinding {
  if (first)
    return {
      kind: 'read-model',
      subject: `table ${table}, ${key}, row ${first.row}`,
      finding: `${howOf(first)}; it is the first row of its key that differs`,
    }
  const rows = (count: number) => `${count} ${count === 1 ? 'row' : 'rows'}`
  return {
    kind: 'read-model',
    subject: `table ${table}, ${key}`,
    finding:
      (live?.rows ?? 0) === (rebuilt?.rows ?? 0)
        ? `its ${rows(live?.rows ?? 0)} are not what the log makes of its events`
        : `it has ${rows(live?.rows ?? 0)}, the log makes ${rows(rebuilt?.rows ?? 0)} of its events`,
  }
}

function howOf({ how, columns }: RowDifference): string {
  if (how === 'missing') return 'the row is missing that the log makes of its events'
  if (how === 'extra') return 'the log makes no such row of its events'
  return `it is not what the log makes of its events: ${columns.join(', ')}`
}
