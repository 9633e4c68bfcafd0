/** Holds the live read models against what the sealed events make of them, for the ledger's continuous check. */
import type { EventStore } from '../infra/event-store/event-store.ts'
import type { ReadModelComparison } from '../ledger/audit/audit-once.ts'
import type { AuditFinding } from '../ledger/audit/finding.ts'
import { openShadowReadModels, type ShadowReadModels } from '../projections/shadow.ts'
import type { Difference } from '../projections/tables/table-hashes.ts'

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

function findingOf({ table, key, live, rebuilt }: Difference): AuditFinding {
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
