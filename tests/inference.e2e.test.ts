/** Forecasts as a user of the embedded product sees them: soon after the start, over a kill, and recomputed on the command line. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { openEventFile } from '../inference/event-file/read-event-file.ts'
import type { ReplayReport } from '../inference/replay.ts'
import { eventually, type RunningProduct, root, startProduct } from './support/product.ts'

const run = promisify(execFile)

type Batches = { readonly items: readonly { readonly id: string }[] }
type Forecasts = { readonly items: readonly { readonly kind: string; readonly modelHash: string }[] }
type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string }

const replay = (dataFolder: string, ...more: readonly string[]): Promise<Ended> =>
  command(dataFolder, 'replay-forecasts', ...more)

async function command(dataFolder: string, ...given: readonly string[]): Promise<Ended> {
  const words = ['--import', 'tsx', join(root, 'main.ts'), ...given, '--data-dir', dataFolder]
  const environment = Object.entries(process.env).filter(([name]) => !name.startsWith('BIOLEDGER_'))
  return await run(process.execPath, words, {
    cwd: root,
    env: Object.fromEntries(environment),
    maxBuffer: 16 * 1024 * 1024,
  }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: Ended) => ({ code: Number(error.code), stdout: error.stdout, stderr: error.stderr }),
  )
}

async function forecastsBeyond(
  product: RunningProduct,
  count: number,
): Promise<{ id: string; count: number }> {
  return await eventually(
    'forecasts',
    async () => {
      const { items } = await product.get<Batches>('/api/v1/batches')
      const id = items[0]?.id
      if (id === undefined) return undefined
      const { items: forecasts } = await product.get<Forecasts>(`/api/v1/batches/${id}/forecasts?limit=1000`)
      return forecasts.length > count ? { id, count: forecasts.length } : undefined
    },
    120_000,
  )
}

test('the simulated batch is forecast after the start, on after a kill, and recomputes to the byte while it runs and when it is stopped', async () => {
  const dataFolder = await mkdtemp(join(tmpdir(), 'bioledger-inference-'))
  await chmod(dataFolder, 0o755)
  const environment = { BIOLEDGER_SIMULATE: 'N', BIOLEDGER_SIMULATE_SPEED: '600' }
  let product: RunningProduct | undefined
  try {
    product = await startProduct({ dataFolder, environment, deadlineMs: 240_000 })
    const first = await forecastsBeyond(product, 10)
    const running = await replay(dataFolder, first.id, '--json')
    assert.equal(running.code, 0, `${running.stdout}${running.stderr}`)
    const report = JSON.parse(running.stdout) as ReplayReport
    assert.ok(report.equal > 10 && report.equal === report.compared)
    assert.equal(report.ended, false)

    await product.kill()
    product = await startProduct({ dataFolder, environment, deadlineMs: 240_000 })
    const second = await forecastsBeyond(product, first.count + 10)
    assert.equal(second.id, first.id)
    await product.stop()
    product = undefined
    const stopped = await replay(dataFolder, first.id)
    assert.equal(stopped.code, 0, `${stopped.stdout}${stopped.stderr}`)
    assert.match(stopped.stdout, /recorded events are equal to the byte/)

    const out = join(dataFolder, 'events.parquet')
    const exported = await command(dataFolder, 'export-events', first.id, '--out', out, '--json')
    assert.equal(exported.code, 0, exported.stderr)
    const { events, ended } = JSON.parse(exported.stdout) as { events: number; ended: boolean }
    assert.equal(ended, false)
    let read = 0
    await (await openEventFile(out)).forEach(() => {
      read++
    })
    assert.equal(read, events)
    const nowhere = await command(dataFolder, 'export-events', first.id, '--out', join(out, 'x.parquet'))
    assert.equal(nowhere.code, 2)
    assert.match(nowhere.stderr, /^bioledger: --out is .*x\.parquet: cannot be written there \(ENOTDIR/)

    const unknown = await replay(dataFolder, '01a1f7f8-3000-7178-8ee4-ae6719c534ed')
    assert.equal(unknown.code, 2)
    assert.match(unknown.stderr, /^bioledger: batch .*: there is no such batch\n$/)
    const nonsense = await replay(dataFolder, 'batch-1')
    assert.equal(nonsense.code, 2)
    assert.match(nonsense.stderr, /is not the id of a batch/)
  } finally {
    await product?.kill()
    await rm(dataFolder, { recursive: true, force: true, maxRetries: 50, retryDelay: 100 })
  }
})
