import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ledgerDrill } from '../ledger/testing/ledger-drill.ts'

test('ten kills while events are sealed: never two roots for a size, every signed checkpoint part of the last one', {
  timeout: 600_000,
}, async (context) => {
  const report = await ledgerDrill({ kills: 10, seed: 20261121 })
  context.diagnostic(`${report.size} entries, ${report.checkpoints} checkpoints`)
  assert.equal(report.kills, 10)
  assert.ok(report.checkpoints > 3, `only ${report.checkpoints} checkpoints were signed`)
})
