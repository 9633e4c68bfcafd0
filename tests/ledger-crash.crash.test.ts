import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ledgerDrill } from '../ledger/testing/ledger-drill.ts'

test('a hundred kills while events are sealed: never two roots for a size, every signed checkpoint part of the last one', {
  timeout: 3_600_000,
}, async (context) => {
  const seed = Number(process.env.BIOLEDGER_TEST_SEED ?? Date.now() % 1_000_000)
  context.diagnostic(`seed ${seed}`)
  const report = await ledgerDrill({ kills: 100, seed, log: (line) => context.diagnostic(line) })
  context.diagnostic(`${report.size} entries, ${report.checkpoints} checkpoints`)
  assert.equal(report.kills, 100)
})
