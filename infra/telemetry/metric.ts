/** What a part of the product reports about itself: a plain object of named values that are read on export. */
import type { Attributes } from './tracer.ts'

/** One value, or one for each set of attributes; undefined while there is nothing to report. */
export type Reading =
  | number
  | readonly { readonly value: number; readonly attributes: Attributes }[]
  | undefined

export type Metric = {
  /** A gauge goes up and down (lag, queue depth); a counter only grows (a rate is its slope). */
  readonly kind: 'gauge' | 'counter'
  /** UCUM, as OpenTelemetry asks: `s`, `{event}`, `By`. */
  readonly unit: string
  readonly description: string
  readonly read: () => Reading
}
