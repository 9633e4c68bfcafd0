/** Honest extracts verify, whatever the batch, the range and the moment; `honest-long.crash.test.ts` tries a thousand. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleLog } from '../ledger/extract/testing/sample-log.ts'
import { cosignatureSigner } from '../ledger/log/cosignature.ts'
import { signatureLine } from '../ledger/log/note.ts'
import { verifyHere } from './testing/agreement.ts'
import { putTogether, reseal, takeApart } from './testing/extract-file.ts'
import { extractOf, honestExtract } from './testing/honest-extract.ts'
import { tryHonestExtracts } from './testing/honest-runs.ts'

test('a hundred honest extracts of random batches, ranges and moments verify in both verifiers', async () => {
  await tryHonestExtracts(0, 100)
})

test('the same request at the same checkpoint gives the same bytes', async () => {
  const sample = sampleLog({ seed: 'same bytes', readings: 90, stamps: true })
  const [first, second] = [await extractOf(sample), await extractOf(sample)]
  assert.ok(first.equals(second))
})

test('without a key it is said what is consistent, and the exit status is 2', async () => {
  const { zip } = await honestExtract('no key')
  const verdict = await verifyHere(zip)
  assert.equal(verdict.exit, 2)
  assert.match(verdict.verdict, /CONSISTENT WITH ITSELF/)
  assert.equal(verdict.checks.find(({ id }) => id === 'checkpoint')?.status, 'not-checked')
  assert.equal(verdict.checks.find(({ id }) => id === 'inclusion')?.status, 'pass')
})

test('an open batch that no heads statement covers is incomplete, not verified', async () => {
  const { log, batchId } = sampleLog({ seed: 'no heads', readings: 30, isClosed: false })
  const withoutHeads = { ...log, headsStatement: async () => undefined }
  const verdict = await verifyHere(await extractOf({ log: withoutHeads, batchId }), log.logKey.verifierKey)
  assert.equal(verdict.exit, 2)
  assert.match(verdict.verdict, /INCOMPLETE/)
  assert.equal(verdict.checks.find(({ id }) => id === 'completeness')?.status, 'not-checked')
})

test('witnesses that are named must have cosigned, as many as the quorum', async () => {
  const { zip, logKey } = await honestExtract('witnesses')
  const members = await takeApart(zip)
  const [first, second] = ['example.org/qa', 'example.org/sponsor'].map((name, at) =>
    cosignatureSigner(name, Buffer.alloc(32, at + 1)),
  ) as [ReturnType<typeof cosignatureSigner>, ReturnType<typeof cosignatureSigner>]
  const note = String(members.get('checkpoint.txt'))
  const text = note.slice(0, note.indexOf('\n\n') + 1)
  members.set('checkpoint.txt', Buffer.from(note + signatureLine(first.cosign(text, 1_800_000_000n))))
  const { exportKey } = await honestExtract('witnesses')
  reseal(members, exportKey)
  const cosigned = putTogether(members)
  assert.equal((await verifyHere(cosigned, logKey.verifierKey, [first.verifierKey])).exit, 0)
  const both = await verifyHere(cosigned, logKey.verifierKey, [first.verifierKey, second.verifierKey])
  assert.equal(both.exit, 1)
  assert.equal(both.checks.find(({ id }) => id === 'witnesses')?.status, 'fail')
  const wrong = signatureLine(first.cosign(`${text}x\n`, 1_800_000_000n))
  members.set('checkpoint.txt', Buffer.from(note + wrong))
  reseal(members, exportKey)
  const forged = await verifyHere(putTogether(members), logKey.verifierKey, [first.verifierKey])
  assert.equal(forged.checks.find(({ id }) => id === 'witnesses')?.status, 'fail')
})
