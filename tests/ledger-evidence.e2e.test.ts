/**
 * The running product with a witness of its own process and a real time-stamping authority: checkpoints come out cosigned
 * and stamped; when both are gone, sealing goes on, the outage shows, and it ends by itself.
 */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { skipUnless } from '../infra/toolchain/require.ts'
import { parseCheckpoint } from '../ledger/log/checkpoint.ts'
import { parseCosignatureKey } from '../ledger/log/cosignature.ts'
import { openNote, parseVerifierKey } from '../ledger/log/note.ts'
import { opensslMissing, startOpensslAuthority } from '../ledger/time-stamp/testing/openssl-authority.ts'
import { eventually, type RunningProduct, startProduct } from './support/product.ts'
import { startWitness } from './support/witness.ts'

const missing = opensslMissing()

async function checkpoint(product: RunningProduct): Promise<string> {
  const answer = await fetch(new URL('/api/v1/ledger/checkpoint', product.url), {
    headers: { authorization: `Bearer ${product.token}` },
  })
  return answer.ok ? await answer.text() : ''
}

type Ready = { status: string; checks: Record<string, { ok: boolean; detail?: string }> }
const readiness = async (product: RunningProduct): Promise<Ready> =>
  (await (await fetch(new URL('/readyz', product.url))).json()) as Ready

test('checkpoints are cosigned and stamped; an outage of both shows, holds up nothing, and ends by itself', {
  skip: skipUnless('openssl', missing === undefined, missing ?? ''),
}, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'bioledger-evidence-'))
  const witnessFolder = await mkdtemp(join(tmpdir(), 'bioledger-evidence-witness-'))
  const ends: (() => Promise<unknown>)[] = []
  t.after(async () => {
    for (const end of ends.toReversed()) await end()
    await rm(folder, { recursive: true, force: true })
    await rm(witnessFolder, { recursive: true, force: true })
  })
  let isAway = false
  const authority = await startOpensslAuthority({
    answer: async (_request, reply) => (isAway ? 503 : await reply()),
  })
  ends.push(authority.stop)

  // The log's key exists once the log does; the witness learns it then.
  const first = await startProduct({ dataFolder: folder })
  ends.push(first.kill)
  const vkey = (
    await eventually('the key of the log', async () => readFile(join(folder, 'ledger.vkey'), 'utf8'))
  ).trim()
  await eventually('a checkpoint', async () => (await checkpoint(first)) !== '')
  assert.equal(await first.stop(), 0)
  let witness = await startWitness(witnessFolder, [vkey])
  ends.push(() => witness.kill())

  const product = await startProduct({
    dataFolder: folder,
    environment: {
      BIOLEDGER_LEDGER_WITNESSES: `${witness.vkey} ${witness.url}`,
      BIOLEDGER_LEDGER_WITNESS_EVERY_S: '1',
      BIOLEDGER_TIME_STAMP_AUTHORITIES: `${authority.url} ${authority.rootFile}`,
      BIOLEDGER_TIME_STAMP_EVERY_MIN: '1',
    },
  })
  ends.push(product.kill)
  const verifiers = [parseVerifierKey(vkey), parseCosignatureKey(witness.vkey)]
  const cosignedSize = async (): Promise<bigint> => {
    const opened = openNote(await checkpoint(product), verifiers)
    return opened.verified.length === 2 ? parseCheckpoint(opened.text).size : 0n
  }
  const start = await eventually('a cosigned checkpoint', async () => (await cosignedSize()) || undefined)
  assert.equal((await product.post('/api/v1/batches', { number: 1, phase: 'A', vessel: 'V-01' })).status, 201)
  await eventually('a larger cosigned checkpoint', async () => (await cosignedSize()) > start)
  await eventually('a time stamp', async () => authority.requests.length > 0 && stamped(product))

  isAway = true
  const { port } = new URL(witness.url)
  await witness.kill()
  const before = parseCheckpoint(openNote(await checkpoint(product), verifiers).text).size
  assert.equal((await product.post('/api/v1/batches', { number: 2, phase: 'A', vessel: 'V-02' })).status, 201)
  await eventually('sealing to go on', async () => {
    const { size } = parseCheckpoint(openNote(await checkpoint(product), verifiers).text)
    return size > before
  })
  await eventually('the outage to be told', async () =>
    /ECONNREFUSED|fetch failed|connect/.test((await readiness(product)).checks.witnesses?.detail ?? ''),
  )
  assert.equal((await readiness(product)).checks.witnesses?.ok, true, 'tolerated for five minutes')

  witness = await startWitness(witnessFolder, [vkey], port)
  await eventually('the newest checkpoint cosigned again', async () => (await cosignedSize()) > before)
  await eventually('no word of an outage', async () => {
    const { witnesses } = (await readiness(product)).checks
    return witnesses?.ok === true && witnesses.detail === undefined
  })
  assert.equal(await product.stop(), 0)
})

async function stamped(product: RunningProduct): Promise<boolean> {
  const text = await (await fetch(new URL('/metrics', product.url))).text()
  return /^bioledger_ledger_time_stamped_entries\{.*\} [1-9]/m.test(text)
}
