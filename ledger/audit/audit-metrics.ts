import type { Metric } from '../../infra/telemetry/metric.ts'

/** What the check reports about itself, apart from the values: those may be read in another thread. */
export const auditMetrics = {
  bioledger_ledger_audit_findings: {
    kind: 'gauge',
    unit: '{finding}',
    description: 'Things that are not as they were sealed',
  },
  bioledger_ledger_audit_cycles_total: {
    kind: 'counter',
    unit: '{cycle}',
    description: 'Checks of the whole ledger that ended',
  },
  bioledger_ledger_audit_entries_total: {
    kind: 'counter',
    unit: '{entry}',
    description: 'Entries held against the event store, bundles and tiles',
  },
  bioledger_ledger_audit_cycle_seconds: {
    kind: 'gauge',
    unit: 's',
    description: 'Time that the last check of the whole ledger took',
  },
} as const satisfies Readonly<Record<string, Omit<Metric, 'read'>>>
