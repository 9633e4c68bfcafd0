/**
 * Signatures and approvals that the batch's record holds, for the reader and for the rule that whoever enters a closure
 * or an override does not approve it. Actors are pseudonymous ids.
 */
import { isObject, type Json } from './canonical.ts'
import { type Told, textOf } from './sentences.ts'

export type Approval = {
  readonly who: string
  readonly meaning: string
  readonly at: string
  readonly stream: string
  readonly revision: number
  readonly index: number
}

/** Types of events whose payload stands in an extract of signatures only. */
export const approvingTypes: readonly string[] = ['BatchInoculated', 'BatchClosed', 'BatchAborted']

export function approvalsOf(told: Told): { approvals: readonly Approval[]; objection?: string } {
  const { type, data, who, stream, revision, index, recordedAt: at } = told
  if (!data) return { approvals: [] }
  const approval = (by: Json | undefined, meaning: string): Approval => ({
    who: textOf(by),
    meaning,
    at,
    stream,
    revision,
    index,
  })
  if (type === 'BatchInoculated') {
    const go = approval(who, 'gave the go for inoculation')
    if (!isObject(data.override)) return { approvals: [go] }
    const { approvedBy } = data.override
    return {
      approvals: [go, approval(approvedBy, 'approved the override of the inoculation gate')],
      ...(approvedBy === who ? { objection: `${who} both entered and approved the override` } : {}),
    }
  }
  if (type === 'BatchClosed') {
    const by = data.closedBy ?? who
    return {
      approvals: [approval(by, 'closed the batch'), approval(data.approvedBy, 'approved the closure')],
      ...(data.approvedBy === by || data.approvedBy === who
        ? { objection: `${textOf(data.approvedBy)} both closed the batch and approved the closure` }
        : {}),
    }
  }
  if (type === 'BatchAborted') return { approvals: [approval(who, 'aborted the batch')] }
  return { approvals: [] }
}
