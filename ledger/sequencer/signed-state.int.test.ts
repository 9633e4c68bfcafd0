import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkpointText } from '../log/checkpoint.ts'
import { noteSigner, signNote } from '../log/note.ts'
import { leafHash } from '../log/tree-hash.ts'
import { createDurably } from '../storage/durable-file.ts'
import { LedgerRefusedError } from './refusal.ts'
import { SignedStateMovedError, signedStateFile } from './signed-state.ts'

const origin = 'ledger.example/site-1/0a'
const at = (size: number, history = '') => ({
  origin,
  size: BigInt(size),
  root: leafHash(Buffer.from(`${history}${size}`)),
  fence: 7n,
})

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bioledger-signed-'))
  try {
    await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

test('of many processes that saw the same state exactly one goes on from it, again and again', () =>
  withFolder(async (folder) => {
    const processes = Array.from({ length: 6 }, () => signedStateFile(folder))
    for (let size = 1; size <= 10; size++) {
      const outcomes = await Promise.allSettled(
        processes.map(async (signed, which) => signed.advance(await before(size), at(size, `${which}/`))),
      )
      const won = outcomes.filter((outcome) => outcome.status === 'fulfilled')
      assert.equal(won.length, 1)
      for (const outcome of outcomes)
        if (outcome.status === 'rejected') assert.ok(outcome.reason instanceof SignedStateMovedError)
      assert.equal((await signedStateFile(folder).read())?.text, won[0]?.value.text)
    }

    // All have read before the first one writes.
    async function before(size: number) {
      const present = await signedStateFile(folder).read()
      return present && present.size < BigInt(size) ? present : undefined
    }
  }))

test('a process that was held up while others went many steps further changes nothing', () =>
  withFolder(async (folder) => {
    const signed = signedStateFile(folder)
    const old = await signed.advance(undefined, at(1))
    let last = old
    for (let size = 2; size < 12; size++) last = await signed.advance(last, at(size))
    await assert.rejects(signedStateFile(folder).advance(old, at(2, 'late')), SignedStateMovedError)
    await assert.rejects(signedStateFile(folder).advance(undefined, at(1, 'late')), SignedStateMovedError)
    // Even a state that such a process had put down is not the one that counts.
    await writeFile(join(folder, 'ledger.signed.2'), `${checkpointText(at(2, 'late'))}fence 7\nstep 2\n`)
    await writeFile(join(folder, 'ledger.signed'), `${checkpointText(at(2, 'later'))}fence 7\nstep 2\n`)
    assert.equal((await signed.read())?.text, last.text)
    await signed.advance(last, at(12))
    assert.ok((await readdir(folder)).length <= 6, 'old steps are removed')
  }))

test('a process whose state was set back or removed does not make it anew', () =>
  withFolder(async (folder) => {
    const signed = signedStateFile(folder)
    const first = await signed.advance(undefined, at(1))
    const second = await signed.advance(first, at(2))
    await rm(join(folder, 'ledger.signed.2'))
    await writeFile(join(folder, 'ledger.signed'), first.text)
    await assert.rejects(signed.advance(second, at(3)), SignedStateMovedError)
    for (const file of await readdir(folder)) await rm(join(folder, file))
    await assert.rejects(signed.advance(second, at(3)), SignedStateMovedError)
    assert.deepEqual(await readdir(folder), [])
  }))

test('a process that was held up right before its step, until others had removed that one, does not go on', () =>
  withFolder(async (folder) => {
    const others = signedStateFile(folder)
    const old = await others.advance(undefined, at(1))
    let last = old
    const late = signedStateFile(folder, async (file, text, mode) => {
      for (let size = 2; size < 12; size++) last = await others.advance(last, at(size))
      assert.ok(!(await readdir(folder)).includes('ledger.signed.2'))
      return await createDurably(file, text, mode)
    })
    await assert.rejects(late.advance(old, at(2, 'late')), SignedStateMovedError)
    assert.equal((await others.read())?.text, last.text)
    assert.ok(!(await readdir(folder)).includes('ledger.signed.2'))
  }))

test('ledger.signed alone is enough, and so is the signed note that it was before there were steps', () =>
  withFolder(async (folder) => {
    const { size, root } = at(42)
    const note = signNote(checkpointText({ origin, size, root }), [noteSigner(origin, Buffer.alloc(32, 1))])
    await writeFile(join(folder, 'ledger.signed'), note)
    const before = await signedStateFile(folder).read()
    assert.deepEqual([before?.origin, before?.size, before?.root], [origin, size, root])
    const next = await signedStateFile(folder).advance(before, at(43))
    for (const file of await readdir(folder)) if (file !== 'ledger.signed') await rm(join(folder, file))
    assert.equal((await signedStateFile(folder).read())?.text, next.text)
    assert.match(await readFile(join(folder, 'ledger.signed'), 'utf8'), /^43$/m)
  }))

test('a damaged state, or two different ones of one step, are refused rather than passed over', () =>
  withFolder(async (folder) => {
    const signed = signedStateFile(folder)
    await signed.advance(undefined, at(5))
    await writeFile(join(folder, 'ledger.signed'), `${checkpointText(at(5, 'other'))}fence 7\nstep 1\n`)
    await assert.rejects(signed.read(), LedgerRefusedError)
    await writeFile(join(folder, 'ledger.signed'), '')
    await assert.rejects(signed.read(), LedgerRefusedError)
  }))
