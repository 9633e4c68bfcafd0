/**
 * Signatures and approvals that the batch's record holds, for the reader and for the rule that whoever enters a closure
 * or an override does not approve it. Actors are pseudonymous ids.
 */
import { isObject } from './canonical.ts'
import type { Entry } from './leaf.ts'

export type Approval = {
  readonly who: string
  readonly meaning: string
  readonly at: string
  readonly revision: number
}

/** Types of events whose payload stands in an extract of signatures only. */
export const approvingTypes: readonly string[] = ['BatchInoculated', 'BatchClosed', 'BatchAborted']

export function approvalsOf(entry: Entry): { approvals: readonly Approval[]; objection?: string } {
  const { type, data, leaf, revision, recordedAt: at } = entry
  const actor = isObject(leaf.actor) ? String(leaf.actor.id) : ''
  if (!data) return { approvals: [] }
  const approval = (who: unknown, meaning: string): Approval => ({ who: String(who), meaning, at, revision })
  if (type === 'BatchInoculated') {
    const go = approval(actor, 'go decision for inoculation')
    if (!isObject(data.override)) return { approvals: [go] }
    const { approvedBy } = data.override
    return {
      approvals: [go, approval(approvedBy, 'approved the override of the inoculation gate')],
      ...(approvedBy === actor ? { objection: `${actor} both entered and approved the override` } : {}),
    }
  }
  if (type === 'BatchClosed') {
    const by = data.closedBy ?? actor
    return {
      approvals: [approval(by, 'closed the batch'), approval(data.approvedBy, 'approved the closure')],
      ...(data.approvedBy === by || data.approvedBy === actor
        ? { objection: `${String(data.approvedBy)} both closed the batch and approved the closure` }
        : {}),
    }
  }
  if (type === 'BatchAborted') return { approvals: [approval(actor, 'aborted the batch')] }
  return { approvals: [] }
}
