/** The extract of a batch drawn from the running product, as people and programs draw it, and verified without it. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { connectAsync } from 'mqtt'
import { type RunningProduct, root, startProduct } from './support/product.ts'

type Job = { id: string; state: string; file: string | null; size: string; failure: unknown }

describe('the extract of a batch', () => {
  let folder: string
  let product: RunningProduct
  let batchId: string
  let keyFile: string
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bioledger-extract-'))
    product = await startProduct({ dataFolder: join(folder, 'data') })
    keyFile = join(folder, 'data', 'ledger.vkey')
    batchId = await liveOneBatch(product)
  })
  after(async () => {
    await product?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const verify = (file: string, ...args: string[]) =>
    spawnSync(process.execPath, [join(root, 'verify/verify.mjs'), file, ...args], {
      encoding: 'utf8',
      timeout: 120_000,
    })
  const bioledger = (...args: string[]) =>
    spawnSync(process.execPath, ['--import', 'tsx', join(root, 'main.ts'), ...args], {
      encoding: 'utf8',
      timeout: 240_000,
      cwd: root,
    })
  async function ended(id: string): Promise<Job> {
    const deadline = Date.now() + 180_000
    for (;;) {
      const job = await product.get<Job>(`/api/v1/extracts/${id}`)
      if (job.state === 'done' || job.state === 'failed') return job
      assert.ok(Date.now() < deadline, `still ${job.state}`)
      await delay(200)
    }
  }

  test('is written by the command line and verified by it, by the one file, and by a second verifier', () => {
    const out = join(folder, 'whole.zip')
    const drawn = bioledger(
      'extract',
      '--batch',
      batchId,
      '--out',
      out,
      '--purpose',
      'inspection',
      '--data-dir',
      join(folder, 'data'),
      '--json',
    )
    assert.equal(drawn.status, 0, drawn.stderr)
    const told = JSON.parse(drawn.stdout) as { batchId: string; events: string }
    assert.equal(told.batchId, batchId)
    const verified = verify(out, '--key', keyFile, '--story', '--json')
    const verdict = JSON.parse(verified.stdout) as {
      exit: number
      counts: Record<string, number>
      events: number
    }
    assert.equal(verified.status, 0, verified.stdout.slice(0, 3000))
    assert.equal(String(verdict.events), told.events)
    assert.equal(verdict.counts.SensorReadingRecorded, 60)
    assert.equal(verdict.counts.SampleTaken, 1)
    assert.equal(bioledger('verify', out, '--key', keyFile).status, 0)
    assert.equal(verify(out).status, 2)
  })

  test('begun twice with one key is one extract, and the log holds who drew it and what for', async () => {
    const body = { batchId, purpose: 'audit', purposeText: 'audit 7', signaturesOnly: true }
    const begun = await product.post('/api/v1/extracts', body, { 'idempotency-key': 'same' })
    assert.equal(begun.status, 202)
    assert.equal(begun.headers.get('location'), `/api/v1/extracts/${String(begun.body.id)}`)
    const again = await product.post('/api/v1/extracts', body, { 'idempotency-key': 'same' })
    assert.equal(again.body.id, begun.body.id)
    const other = await product.post(
      '/api/v1/extracts',
      { ...body, purpose: 'sponsor' },
      { 'idempotency-key': 'same' },
    )
    assert.equal(other.status, 422)
    const job = await ended(String(begun.body.id))
    assert.equal(job.state, 'done', JSON.stringify(job.failure))
    const response = await fetch(`${product.url}${job.file}`, {
      headers: { authorization: `Bearer ${product.token}` },
    })
    const out = join(folder, 'signatures.zip')
    writeFileSync(out, Buffer.from(await response.arrayBuffer()))
    const verified = verify(out, '--key', keyFile)
    assert.equal(verified.status, 0, verified.stdout)
    assert.match(verified.stdout, /left out: reading-/)
  })

  test('outlives a kill of the product: what was done stays, what was interrupted says so and can be asked again', async () => {
    const done = await product.post('/api/v1/extracts', { batchId }, { 'idempotency-key': 'done' })
    const before = await ended(String(done.body.id))
    const waiting = await product.post('/api/v1/extracts', { batchId }, { 'idempotency-key': 'cut' })
    await product.kill()
    product = await startProduct({ dataFolder: join(folder, 'data') })
    const kept = await product.get<Job>(`/api/v1/extracts/${before.id}`)
    assert.deepEqual(kept, before)
    const response = await fetch(`${product.url}${kept.file}`, {
      headers: { authorization: `Bearer ${product.token}` },
    })
    const out = join(folder, 'kept.zip')
    writeFileSync(out, Buffer.from(await response.arrayBuffer()))
    assert.equal(verify(out, '--key', keyFile).status, 0)
    const cut = await product.get<Job>(`/api/v1/extracts/${String(waiting.body.id)}`)
    // It may just have been done before the kill.
    if (cut.state !== 'done') assert.match(JSON.stringify(cut.failure), /interrupted by a restart; ask again/)
    const again = await product.post('/api/v1/extracts', { batchId }, { 'idempotency-key': 'cut' })
    assert.equal(again.body.id, waiting.body.id)
    assert.equal((await ended(String(again.body.id))).state, 'done')
  })

  test('of what does not exist, or asked for in the wrong way, is refused with the rule', async () => {
    const unknown = await product.post('/api/v1/extracts', {
      batchId: '00000000-0000-7000-8000-000000000000',
    })
    assert.equal(unknown.status, 404)
    assert.equal(unknown.body.code, 'unknown-batch')
    for (const wrong of [
      { batchId, purpose: 'curiosity' },
      { batchId, asOf: 'yesterday' },
      { batchId, from: '2026-11-21T00:00:00.000Z', signaturesOnly: true },
      { batchId, from: '2026-11-21T00:00:00.000Z', to: '2026-11-20T00:00:00.000Z' },
    ]) {
      const refused = await product.post('/api/v1/extracts', wrong)
      assert.ok(refused.status === 400 || refused.status === 422, JSON.stringify(refused.body))
    }
    const ahead = new Date(Date.now() + 3_600_000).toISOString()
    for (const field of ['asOf', 'to']) {
      const refused = await product.post('/api/v1/extracts', { batchId, [field]: ahead })
      assert.equal(refused.status, 422)
      assert.equal(refused.body.code, 'not-stated')
      assert.match(JSON.stringify(refused.body.errors), new RegExp(`/${field}.*${ahead}.*a past instant`))
    }
    const early = await product.post('/api/v1/extracts', { batchId, asOf: '2020-01-01T00:00:00.000Z' })
    const job = await ended(String(early.body.id))
    assert.equal(job.state, 'failed')
    assert.match(JSON.stringify(job.failure), /asOf 2020-01-01T00:00:00.000Z: batch .* was first recorded at/)
    const missing = bioledger(
      'extract',
      '--batch',
      'x',
      '--out',
      join(folder, 'x.zip'),
      '--data-dir',
      join(folder, 'data'),
    )
    assert.equal(missing.status, 2)
    assert.doesNotMatch(missing.stderr, /\n\s+at /)
  })
})

/** Created, inoculated, 60 readings, one sample. */
async function liveOneBatch(product: RunningProduct): Promise<string> {
  const created = await product.post('/api/v1/batches', { number: 1, phase: 'A', vessel: 'V-01' })
  assert.equal(created.status, 201, JSON.stringify(created.body))
  const id = /batches\/([0-9a-f-]{36})/.exec(created.headers.get('location') ?? '')?.[1] ?? ''
  let revision = String(created.body.revision)
  const act = async (what: string, body: unknown) => {
    const headers = { 'if-match': `"batch-${id}@${revision}"` }
    const answer = await product.post(`/api/v1/batches/${id}/${what}`, body, headers)
    assert.equal(answer.status, 201, JSON.stringify(answer.body))
    revision = String(answer.body.revision)
  }
  await act('inoculation', { goDecision: true })
  const client = await connectAsync(product.endpoints.mqtt)
  for (let seq = 0; seq < 30; seq++) {
    const payload = {
      at: new Date(Date.now()).toISOString(),
      seq,
      values: { pH: 5 + seq / 100, DO: 60 + seq },
    }
    await client.publishAsync('bioprocess/pichia/V-01/sensors', JSON.stringify(payload), { qos: 1 })
  }
  await client.endAsync()
  await act('samples', { od600Raw: '0.412', dilutionFactor: '10' })
  return id
}
