import type { Metric } from '../infra/telemetry/metric.ts'

/** What the API of the same process tells about another part: is it ready, and its figures. */
export type Part = {
  readonly name: string
  readonly readiness: () => Promise<{ readonly ok: boolean; readonly detail?: string }>
  readonly metrics: Readonly<Record<string, Metric>>
}
