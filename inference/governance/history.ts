/** All model events of a store so far, and the state of the models as it stood before any position. */
import {
  evolveGovernance,
  type Governance,
  governanceTypes,
  isModelEvent,
  noGovernance,
} from '../../domain/models/governance.ts'
import type { EventStore } from '../../infra/event-store/event-store.ts'
import type { RecordedEvent } from '../../schemas/event.ts'
import { upcast } from '../../schemas/events/registry.ts'

export type GovernanceHistory = {
  /** In store order; events known already and events of other streams change nothing. */
  apply(event: RecordedEvent): void
  /** The state after all events below `position`. */
  before(position: bigint): Governance
  now(): Governance
  /** Of every model ever registered. */
  modelHashes(): readonly string[]
}

export function governanceHistory(): GovernanceHistory {
  const states: { readonly position: bigint; readonly state: Governance }[] = []
  const types: ReadonlySet<string> = new Set(governanceTypes)
  const now = (): Governance => states.at(-1)?.state ?? noGovernance

  return {
    apply(event) {
      if (!isModelEvent(event) || !types.has(event.type)) return
      const last = states.at(-1)
      if (last && event.position <= last.position) return
      states.push({ position: event.position, state: evolveGovernance(now(), upcast(event)) })
    },
    before(position) {
      for (let index = states.length - 1; index >= 0; index--) {
        const entry = states[index]
        if (entry && entry.position < position) return entry.state
      }
      return noGovernance
    },
    now,
    modelHashes: () => [...new Set([...now().models.values()].map(({ modelHash }) => modelHash))],
  }
}

/** Up to `until` (inclusive), or to the store's end. */
export async function readGovernance(
  store: Pick<EventStore, 'readAll'>,
  until?: bigint,
): Promise<GovernanceHistory> {
  const history = governanceHistory()
  for await (const page of store.readAll({
    filter: { types: [...governanceTypes], categories: ['model'] },
    ...(until === undefined ? {} : { until }),
  }))
    for (const event of page.events) history.apply(event)
  return history
}
