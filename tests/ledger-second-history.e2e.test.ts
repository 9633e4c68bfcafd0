/**
 * The running product whose data folder was set back as a whole, the state that nothing on the machine can tell: a witness
 * knows. It is asked before anything is signed; one that was away then ends the signing when it is back. Without a
 * witness, a lost `ledger.signed` needs a person.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { parseCheckpoint } from '../ledger/log/checkpoint.ts'
import { parseCosignatureKey } from '../ledger/log/cosignature.ts'
import { openNote } from '../ledger/log/note.ts'
import { eventually, type RunningProduct, root, startProduct, withoutSettings } from './support/product.ts'
import { startWitness } from './support/witness.ts'

async function temporaryFolder(t: TestContext, name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `bioledger-${name}-`))
  // The embedded server, as a user of its own, must be able to enter: only then the folder holds all there is.
  await chmod(folder, 0o755)
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** With owners and modes. */
async function copyWhole(from: string, to: string): Promise<void> {
  await promisify(execFile)('cp', ['-a', `${from}/.`, to])
}

async function ledgerCheck(product: RunningProduct): Promise<{ ok: boolean; detail?: string } | undefined> {
  const ready = (await (await fetch(new URL('/readyz', product.url))).json()) as {
    checks: Record<string, { ok: boolean; detail?: string }>
  }
  return ready.checks.ledger
}

const refusalOf = (product: RunningProduct): Promise<string> =>
  eventually('the ledger to refuse', async () => {
    const check = await ledgerCheck(product)
    return check?.ok === false && check.detail?.includes('refuses') && check.detail
  })

async function checkpoint(product: RunningProduct): Promise<string> {
  const answer = await fetch(new URL('/api/v1/ledger/checkpoint', product.url), {
    headers: { authorization: `Bearer ${product.token}` },
  })
  return answer.ok ? await answer.text() : ''
}

const sizeOf = async (product: RunningProduct): Promise<bigint> => {
  const note = await checkpoint(product)
  return note === '' ? 0n : parseCheckpoint(note.slice(0, note.indexOf('\n\n') + 1)).size
}

async function createBatch(product: RunningProduct, number: number): Promise<void> {
  const before = await sizeOf(product)
  const vessel = `V-0${number}`
  assert.equal((await product.post('/api/v1/batches', { number, phase: 'A', vessel })).status, 201)
  await eventually('the batch to be sealed', async () => (await sizeOf(product)) > before)
}

function confirm(folder: string, size: bigint): Promise<{ code: number; said: string }> {
  const how = ['--size', String(size), '--by', 'qa-1', '--reason', 'compared with the site master file']
  return new Promise((settle) => {
    execFile(
      process.execPath,
      ['--import', 'tsx', join(root, 'main.ts'), 'ledger-confirm', '--data-dir', folder, ...how],
      { cwd: root, env: withoutSettings(process.env) },
      (error, stdout, stderr) => settle({ code: Number(error?.code ?? 0), said: stdout + stderr }),
    )
  })
}

test('a data folder that was set back as a whole signs nothing that its witness does not know, at the start or later', async (t) => {
  const folder = await temporaryFolder(t, 'set-back')
  const kept = await temporaryFolder(t, 'kept')
  const witnessFolder = await temporaryFolder(t, 'set-back-witness')
  const first = await startProduct({ dataFolder: folder })
  t.after(first.kill)
  await createBatch(first, 1)
  const vkey = (await readFile(join(folder, 'ledger.vkey'), 'utf8')).trim()
  assert.equal(await first.stop(), 0)
  await copyWhole(folder, kept)

  const witness = await startWitness(witnessFolder, [vkey])
  t.after(witness.kill)
  const environment = {
    BIOLEDGER_LEDGER_WITNESSES: `${witness.vkey} ${witness.url}`,
    BIOLEDGER_LEDGER_WITNESS_EVERY_S: '1',
  }
  const second = await startProduct({ dataFolder: folder, environment })
  t.after(second.kill)
  await createBatch(second, 2)
  const cosigned = await eventually('the batch to be cosigned', async () => {
    const { text, verified } = openNote(await checkpoint(second), [parseCosignatureKey(witness.vkey)])
    return verified.length === 1 && parseCheckpoint(text).size
  })
  assert.equal(await second.stop(), 0)

  for (const file of await readdir(folder)) await rm(join(folder, file), { recursive: true })
  await copyWhole(kept, folder)
  const third = await startProduct({ dataFolder: folder, environment })
  t.after(third.kill)
  const refusal = await refusalOf(third)
  assert.match(
    refusal,
    new RegExp(`witness qa\\.example/witness cosigned ${cosigned} entries, the ledger has \\d+`),
  )
  assert.ok((await sizeOf(third)) < cosigned)
  // Nothing else stops.
  assert.equal((await third.post('/api/v1/batches', { number: 3, phase: 'A', vessel: 'V-03' })).status, 201)
  assert.equal(await third.stop(), 0)

  const { port } = new URL(witness.url)
  await witness.kill()
  const fourth = await startProduct({ dataFolder: folder, environment })
  t.after(fourth.kill)
  await createBatch(fourth, 2)
  const back = await startWitness(witnessFolder, [vkey], port)
  t.after(back.kill)
  assert.match(await refusalOf(fourth), /witness qa\.example\/witness/)
  assert.equal(await fourth.stop(), 0)
})

test('a lost ledger.signed needs a person, whose word is kept as an event, and then the ledger goes on', async (t) => {
  const folder = await temporaryFolder(t, 'unsigned')
  const first = await startProduct({ dataFolder: folder })
  t.after(first.kill)
  await createBatch(first, 1)
  assert.equal(await first.stop(), 0)
  for (const file of await readdir(folder)) if (file.startsWith('ledger.signed')) await rm(join(folder, file))
  const second = await startProduct({ dataFolder: folder })
  t.after(second.kill)
  assert.match(await refusalOf(second), /there is no ledger\.signed.*bioledger ledger-confirm/)
  const size = await sizeOf(second)
  const wrong = await confirm(folder, size + 7n)
  assert.equal(wrong.code, 1)
  assert.match(wrong.said, new RegExp(`newest checkpoint of the database is of ${size} entries`))
  const right = await confirm(folder, size)
  assert.equal(right.code, 0, right.said)
  assert.equal(await second.stop(), 0)
  const third = await startProduct({ dataFolder: folder })
  t.after(third.kill)
  await eventually('sealing to go on', async () => (await sizeOf(third)) > size)
  assert.equal((await ledgerCheck(third))?.ok, true)
  assert.equal(await third.stop(), 0)
})
