/** The continuous check over a real log: told at once, told once, and standing until it is mended. */

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../../infra/clock.ts'
import { postgresEventStore } from '../../infra/event-store/postgres/postgres-event-store.ts'
import { reading, readings } from '../../infra/event-store/testing/sample-events.ts'
import { createLogger } from '../../infra/log.ts'
import { until } from '../../infra/testing/until.ts'
import type { RecordedEvent } from '../../schemas/event.ts'
import { streams } from '../../schemas/streams.ts'
import { parseVerifierKey } from '../log/note.ts'
import { type LedgerBed, ledgerBed } from '../testing/running-ledger.ts'
import { type AuditDeps, startAudit } from './audit.ts'
import { superuser } from './testing/superuser.ts'
import { tripwire } from './tripwire.ts'

async function sealedBed(): Promise<LedgerBed> {
  const bed = await ledgerBed()
  bed.start()
  for (let part = 0; part < 3; part++)
    await bed.store.append([{ stream: 'reading-b1', expectedRevision: 'any', events: readings(400) }])
  await bed.store.append([
    {
      stream: 'reading-b1',
      expectedRevision: 'any',
      events: [reading({ data: { vessel: 'V-01', tag: 'pH', value: 77, unit: '[pH]', quality: 'good' } })],
    },
  ])
  await bed.sealed()
  return bed
}

async function deps(bed: LedgerBed): Promise<AuditDeps> {
  const verifier = parseVerifierKey((await readFile(join(bed.folder, 'ledger.vkey'), 'utf8')).trim())
  return {
    pool: bed.pool,
    store: bed.store,
    openStore: () => postgresEventStore({ appUrl: bed.database.appUrl }),
    verifiers: async () => ({ origin: verifier.name, verifiers: [verifier] }),
    readModels: async () => ({ add: async () => {}, compare: async () => [], close: async () => {} }),
    clock: systemClock,
    site: 'site-1',
    log: createLogger('silent'),
    entriesPerSecond: 20_000,
  }
}

async function eventsOf(bed: LedgerBed, stream: string): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = []
  for await (const event of bed.store.readStream(stream)) events.push(event)
  return events
}

test('a finding becomes one event and one alarm however often it is found, also by the check of a later start', async () => {
  const bed = await sealedBed()
  const admin = await superuser(bed.database.adminUrl)
  try {
    await admin.tamper('event_store.event', 'UPDATE event_store.event SET value = 7.7 WHERE value = 77')
    for (let start = 0; start < 2; start++) {
      const audit = startAudit({ ...(await deps(bed)), cycleMs: 2_000 })
      const cycles = audit.metrics.bioledger_ledger_audit_cycles_total
      await until('two cycles', async () => Number(cycles?.read() ?? 0) >= 2 || undefined)
      const { ok, detail } = await audit.readiness()
      assert.equal(ok, false)
      assert.match(
        detail ?? '',
        /^1 not as sealed: event reading-b1 revision 1200 at position \d+: .*data\.value$/,
      )
      await audit.stop()
      const findings = await eventsOf(bed, streams.ledgerFindings)
      assert.equal(findings.length, 1)
      assert.equal(findings[0]?.data.kind, 'event')
      const alarms = await eventsOf(bed, streams.config)
      assert.deepEqual(
        alarms.map(({ data }) => [data.category, data.level]),
        [['store_integrity', 'critical']],
      )
      assert.match(
        String(alarms[0]?.data.message),
        /^1 thing is not as sealed: event reading-b1 revision 1200/,
      )
    }
    await admin.tamper('event_store.event', 'UPDATE event_store.event SET value = 77 WHERE value = 7.7')
    const mended = startAudit({ ...(await deps(bed)), cycleMs: 2_000 })
    await until(
      'a whole cycle',
      async () => Number(mended.metrics.bioledger_ledger_audit_cycles_total?.read()) >= 1 || undefined,
    )
    assert.deepEqual(await mended.readiness(), { ok: true })
    await mended.stop()
  } finally {
    await admin.end()
    await bed.close()
  }
})

test('changed rows trip the wire: the table is told at once, and a check that would take hours names the row now', async () => {
  const bed = await sealedBed()
  const admin = await superuser(bed.database.adminUrl)
  const slow = {
    ...(await deps(bed)),
    // Four hours a cycle at this budget.
    entriesPerSecond: 0.1,
    tripwire: tripwire([
      { pool: bed.pool, tables: ['event_store.event', 'ledger.entry_chunk', 'nothing.there'] },
    ]),
  }
  const audit = startAudit(slow)
  try {
    await admin.tamper('event_store.event', 'UPDATE event_store.event SET value = 7.7 WHERE value = 77')
    const findings = await until(
      'the table and the row',
      async () => {
        const found = (await eventsOf(bed, streams.ledgerFindings)).map(
          ({ data }) => `${data.kind} ${data.subject}: ${data.finding}`,
        )
        return found.length >= 2 ? found : undefined
      },
      60_000,
    )
    assert.match(findings.join('\n'), /^event table event_store\.event: 1 rows were changed and 0 removed/m)
    assert.match(findings.join('\n'), /^event reading-b1 revision 1200 at position \d+: .*data\.value$/m)
  } finally {
    await audit.stop()
    await admin.end()
    await bed.close()
  }
})

test('while nothing can be checked the check says why, and goes on when it can', async () => {
  const bed = await sealedBed()
  let isAway = true
  const given = await deps(bed)
  const audit = startAudit({
    ...given,
    cycleMs: 100,
    openStore: () => (isAway ? Promise.reject(new Error('the store does not answer')) : given.openStore()),
  })
  try {
    const told = await until('the cause', async () => {
      const { detail, ok } = await audit.readiness()
      return ok && detail !== undefined ? detail : undefined
    })
    assert.equal(told, 'tries again: the store does not answer')
    isAway = false
    await until(
      'a whole cycle',
      async () => Number(audit.metrics.bioledger_ledger_audit_cycles_total?.read()) >= 1 || undefined,
    )
    assert.deepEqual(await audit.readiness(), { ok: true })
  } finally {
    await audit.stop()
    await bed.close()
  }
})
