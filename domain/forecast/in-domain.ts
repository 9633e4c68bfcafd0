/** Stub of the judgement whether a window lies in what the model was trained on. */
import type { WithholdReason } from '../../schemas/events/forecast-events.ts'
import type { VesselEstimate } from './vessel-estimate.ts'

export type DomainJudgement = {
  readonly score: number
  readonly withhold?: { readonly reason: WithholdReason; readonly detail: string }
}
export type DomainWatch = { readonly apply: (estimate: VesselEstimate) => DomainJudgement }

export function domainWatch(): DomainWatch {
  return { apply: () => ({ score: 1 }) }
}
