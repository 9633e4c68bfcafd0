/** What a decision answers: the fact to record, or every rule that forbids it, as data. */
import type { Instant } from '../../schemas/event.ts'

/** What becomes an event once the writer adds its envelope. */
export type Fact = {
  readonly type: string
  readonly occurredAt: Instant
  readonly reason?: { readonly code: string; readonly text: string }
  readonly data: Record<string, unknown>
}

export type Rejection = {
  /**
   * `authority`: this role may not; `state`: not in this state of the batch; `rule`: not with these values.
   */
  readonly kind: 'authority' | 'state' | 'rule'
  readonly code: string
  /** What must hold, as a sentence without a final dot. */
  readonly rule: string
  readonly state: string
  /** What may be asked for in this state (or, for `authority`, the roles that may). */
  readonly allowed: readonly string[]
  /** The field of the request, and what stood there. */
  readonly field?: string
  readonly value?: unknown
}

export type Decision =
  | { readonly kind: 'accepted'; readonly fact: Fact }
  | { readonly kind: 'rejected'; readonly rejections: readonly [Rejection, ...Rejection[]] }

/** Collects broken rules about values. */
export type Findings = {
  readonly add: (code: string, field: string, value: unknown, rule: string) => void
  readonly list: () => readonly { code: string; field: string; value: unknown; rule: string }[]
}

export function createFindings(): Findings {
  const found: { code: string; field: string; value: unknown; rule: string }[] = []
  return { add: (code, field, value, rule) => found.push({ code, field, value, rule }), list: () => found }
}
