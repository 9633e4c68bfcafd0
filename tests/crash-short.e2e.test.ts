import assert from 'node:assert/strict'
import { test } from 'node:test'
import { skipUnless } from '../infra/toolchain/require.ts'
import { crashDrill } from './support/crash-drill.ts'
import { mosquittoAvailable } from './support/mosquitto.ts'

const skip = skipUnless('mosquitto', mosquittoAvailable, 'no mosquitto on this machine')

test('ten kills under 2,000 readings/s lose no acknowledged reading and store none twice', {
  skip,
  timeout: 1_800_000,
}, async (context) => {
  const report = await crashDrill({
    kills: 10,
    readingsPerSecond: 2_000,
    seed: 20261121,
    log: (line) => context.diagnostic(line),
  })
  context.diagnostic(JSON.stringify(report))
  assert.equal(report.kills, 10)
  assert.ok(report.acknowledged > 5_000, `only ${report.acknowledged} readings flowed`)
})
