import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { skipUnless } from '../infra/toolchain/require.ts'
import { startProduct } from './support/product.ts'

const skip = skipUnless(
  'promtool',
  spawnSync('promtool', ['--version']).status === 0,
  'no promtool on this machine',
)

test('the metrics of the running product are what Prometheus expects', { skip }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bioledger-metrics-'))
  await chmod(folder, 0o755)
  const product = await startProduct({ dataFolder: join(folder, 'data') })
  try {
    const text = await (await fetch(new URL('/metrics', product.url))).text()
    assert.match(text, /^bioledger_ingest_readings_total\{outcome="received"\} \d+$/m)
    const checked = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
    // Status 3 is advice on style; the metrics of the Node process itself are not ours to rename.
    const ours = checked.stderr.split('\n').filter((line) => line.startsWith('bioledger_'))
    assert.deepEqual(ours, [], checked.stderr)
    assert.ok(checked.status === 0 || checked.status === 3, checked.stderr)
  } finally {
    await product.stop()
    await rm(folder, { recursive: true, force: true })
  }
})
