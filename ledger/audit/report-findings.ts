/**
 * Tells findings to the world: `LedgerFindingRaised` in `ledger-findings` for each, and one `AlarmRaised` (category
 * `store_integrity`) that names the first of them. The same finding is never told twice, over restarts too.
 */
import { type Clock, toInstant } from '../../infra/clock.ts'
import type { EventStore } from '../../infra/event-store/event-store.ts'
import type { ClientEvent } from '../../schemas/event.ts'
import { derivedId } from '../../schemas/ids.ts'
import { streams } from '../../schemas/streams.ts'
import type { AuditFinding } from './finding.ts'

export type ReportDeps = { readonly store: EventStore; readonly clock: Clock; readonly site: string }

/** More than this at once are told as a number: whoever rewrote a table must not fill the log with it. */
const toldAtOnce = 50
const named = 3

/** Resolves when everything is durable; gives the findings that had not been told before. */
export async function reportFindings(
  deps: ReportDeps,
  findings: readonly AuditFinding[],
): Promise<readonly AuditFinding[]> {
  const { store } = deps
  const fresh: { finding: AuditFinding; id: string }[] = []
  for (const finding of findings.slice(0, toldAtOnce)) {
    const id = derivedId(
      0,
      'ledger-finding/v1',
      store.storeId,
      finding.kind,
      finding.subject,
      finding.finding,
    )
    if (!(await store.readById(id))) fresh.push({ finding, id })
  }
  const [first] = fresh
  if (!first) return []
  const now = toInstant(deps.clock.nowMs())
  const event = (id: string, type: string, data: Record<string, unknown>): ClientEvent => ({
    id,
    type,
    schemaVersion: 1,
    occurredAt: now,
    receivedAt: now,
    actor: { kind: 'service', id: 'ledger-audit', role: 'ledger-audit' },
    origin: 'live',
    site: deps.site,
    data,
  })
  const count = fresh.length + Math.max(0, findings.length - toldAtOnce)
  const outcomes = await store.append([
    {
      stream: streams.ledgerFindings,
      expectedRevision: 'any',
      events: fresh.map(({ id, finding }) => event(id, 'LedgerFindingRaised', { ...finding })),
    },
    {
      stream: streams.config,
      expectedRevision: 'any',
      events: [
        event(derivedId(0, 'ledger-finding-alarm/v1', first.id, count), 'AlarmRaised', {
          level: 'critical',
          category: 'store_integrity',
          name: 'ledger_finding',
          message: `${count} ${count === 1 ? 'thing is' : 'things are'} not as sealed: ${fresh
            .slice(0, named)
            .map(({ finding }) => `${finding.kind} ${finding.subject}: ${finding.finding}`)
            .join('; ')}`,
          vessel: null,
          tag: null,
        }),
      ],
    },
  ])
  for (const outcome of outcomes)
    if (outcome.kind !== 'appended' && outcome.kind !== 'duplicate')
      throw new Error(`a finding was answered with ${outcome.kind}`)
  return fresh.map(({ finding }) => finding)
}
