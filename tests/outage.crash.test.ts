import assert from 'node:assert/strict'
import { test } from 'node:test'
import { skipUnless } from '../infra/toolchain/require.ts'
import { mosquittoAvailable } from './support/mosquitto.ts'
import { outageDrill } from './support/outage-drill.ts'

const skip = skipUnless('mosquitto', mosquittoAvailable, 'no mosquitto on this machine')

test('an outage of the database of a minute under 2,000 readings/s loses nothing, keeps memory bounded and is caught up', {
  skip,
}, async (context) => {
  const report = await outageDrill({ readingsPerSecond: 2_000, readingsWhileDown: 135_000 })
  context.diagnostic(JSON.stringify(report))
  assert.equal(report.stored, report.acknowledged, 'every acknowledged reading, each once')
  assert.ok(report.peakMemoryMiB < 1_024, `${report.peakMemoryMiB} MiB`)
})
