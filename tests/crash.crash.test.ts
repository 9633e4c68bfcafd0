import assert from 'node:assert/strict'
import { test } from 'node:test'
import { skipUnless } from '../infra/toolchain/require.ts'
import { crashDrill } from './support/crash-drill.ts'
import { mosquittoAvailable } from './support/mosquitto.ts'

const skip = skipUnless('mosquitto', mosquittoAvailable, 'no mosquitto on this machine')

test('a hundred kills under 2,000 readings/s lose no acknowledged reading and store none twice', {
  skip,
  timeout: 3_600_000,
}, async (context) => {
  const seed = Number(process.env.BIOLEDGER_TEST_SEED ?? Date.now() % 1_000_000)
  context.diagnostic(`seed ${seed}`)
  const report = await crashDrill({
    kills: 100,
    readingsPerSecond: 2_000,
    seed,
    log: (line) => context.diagnostic(line),
  })
  context.diagnostic(JSON.stringify(report))
  assert.equal(report.kills, 100)
})
