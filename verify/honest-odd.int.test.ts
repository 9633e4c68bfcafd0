/** What is unusual and honest verifies: keys of today over a past state, unknown algorithms, clocks that were off, real tokens. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { asSigningKey, ledgerEvent, testOrigin } from '../ledger/extract/testing/memory-log.ts'
import { type SampleLog, sampleLog } from '../ledger/extract/testing/sample-log.ts'
import { verifyText } from '../ledger/extract/verify-text.ts'
import { writeExtract } from '../ledger/extract/write-extract.ts'
import { checkpointText } from '../ledger/log/checkpoint.ts'
import { noteSigner, signNote } from '../ledger/log/note.ts'
import { leafHash } from '../ledger/log/tree-hash.ts'
import { knownVerifyTexts } from './src/renderings.ts'
import { verifyHere, verifyThere } from './testing/agreement.ts'
import { type Members, putTogether, reseal, takeApart } from './testing/extract-file.ts'
import { extractOf } from './testing/honest-extract.ts'
import { hasPython, pythonVerifier } from './testing/python.ts'

const folder = mkdtempSync(join(tmpdir(), 'bioledger-odd-'))
const python = hasPython ? pythonVerifier() : undefined
after(async () => {
  await python?.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function verdicts(zip: Buffer, { log }: Pick<SampleLog, 'log'>) {
  const here = await verifyHere(zip, log.logKey.verifierKey)
  const there = python && (await verifyThere(python, folder, zip, log.logKey.verifierKey))
  if (there) assert.equal(there.exit, here.exit, JSON.stringify([here.findings, there.findings]))
  if (there)
    for (const { id, status } of here.checks)
      if (id !== 'witnesses') assert.equal(there.checks[id], status, id)
  return here
}

async function stamped(made: SampleLog, token: Buffer, data: { imprint: string; stampedAt: string }) {
  const at = made.endMs + 9000
  const tokenSha256 = createHash('sha256').update(token).digest('base64')
  made.log.append(
    'ledger-timestamps',
    ledgerEvent(Buffer.alloc(32, 1), 'CheckpointTimeStamped', at, {
      size: '40',
      authority: 'TSA',
      tokenSha256,
      ...data,
    }),
    at,
  )
  made.log.stateHeads(at + 1000)
  made.log.publish()
  const members = await takeApart(await extractOf(made))
  members.set('timestamp-40.tsr', token)
  const ordered: Members = new Map(
    [...members].sort(
      ([one], [other]) => Number(one.startsWith('manifest')) - Number(other.startsWith('manifest')),
    ),
  )
  reseal(ordered, made.log.exportKey)
  return putTogether(ordered)
}

test('an extract as of a time before the export key changed is signed with the new key, and verifies', async () => {
  const made = sampleLog({ seed: 'as of', readings: 30 })
  const { log, batchId, endMs } = made
  const before = await log.head()
  assert.ok(before)
  const next = noteSigner(`${await log.origin()}/export`, Buffer.alloc(32, 5))
  const data = { verifierKey: next.verifierKey, purpose: 'export', fromSize: String(before.size) }
  log.append(
    'ledger-keys',
    ledgerEvent(Buffer.alloc(32, 1), 'LedgerKeyAdded', endMs + 9000, data),
    endMs + 9000,
  )
  log.stateHeads(endMs + 10_000)
  log.publish()
  const out = join(folder, 'as-of.zip')
  await writeExtract(
    { batchId, purpose: 'inspection', signaturesOnly: false, asOf: before.recordedAt },
    before,
    { log, payloadOf: log.payloadOf, exportKey: asSigningKey(next) },
    out,
  )
  const zip = readFileSync(out)
  assert.deepEqual((await verdicts(zip, made)).findings, [])
  const altered = async (edit: (text: string) => string) => {
    const members = await takeApart(zip)
    members.set('export-key.txt', Buffer.from(edit(String(members.get('export-key.txt')))))
    reseal(members, next)
    return (await verdicts(putTogether(members), made)).exit
  }
  const other = noteSigner(`${await log.origin()}/export`, Buffer.alloc(32, 6)).verifierKey
  assert.equal(await altered((text) => text.replace(next.verifierKey, other)), 1)
  assert.equal(await altered((text) => text.replace(/\n\d+\n/, '\n1\n')), 1)
  assert.equal(await altered((text) => text.replace('v1', 'v2')), 1)
  assert.equal(await altered((text) => text.replace(/.{8}\n$/, 'AAAAAAA=\n')), 1)
  const ownLog = (text: string) => {
    const leaf = (text.split('\n\n')[1] ?? '').split('\n')[0] ?? ''
    const note = checkpointText({ origin: testOrigin, size: 1n, root: leafHash(Buffer.from(leaf)) })
    const signed = signNote(note, [noteSigner(testOrigin, Buffer.alloc(32, 8))])
    return `bioledger-export-key/v1\n0\n\n${leaf}\n${signed}`
  }
  assert.equal(await altered(ownLog), 1)
  const without = await takeApart(zip)
  without.delete('export-key.txt')
  reseal(without, next)
  assert.equal((await verdicts(putTogether(without), made)).exit, 1)
})

test('an export key of an algorithm that is not known yet harms no extract that another key signed', async () => {
  const made = sampleLog({ seed: 'agile', readings: 20 })
  const at = made.endMs + 9000
  const data = { verifierKey: 'x/export+00000000+BkFB', purpose: 'export', fromSize: '1' }
  made.log.append('ledger-keys', ledgerEvent(Buffer.alloc(32, 1), 'LedgerKeyAdded', at, data), at)
  made.log.stateHeads(at + 1000)
  made.log.publish()
  assert.deepEqual((await verdicts(await extractOf(made), made)).findings, [])
})

test('a store whose clock was five minutes behind its authority is noted, and its extracts verify', async () => {
  const made = sampleLog({ seed: 'slow clock', readings: 30, isClosed: false })
  const at = made.endMs + 9000
  const digest = Buffer.alloc(32).toString('base64')
  const stampedAt = new Date(at + 300_000).toISOString()
  const data = { size: '40', imprint: digest, tokenSha256: digest, authority: 'TSA', stampedAt }
  made.log.append(
    'ledger-timestamps',
    ledgerEvent(Buffer.alloc(32, 1), 'CheckpointTimeStamped', at, data),
    at,
  )
  made.log.stateHeads(at + 1000)
  made.log.publish()
  const verdict = await verdicts(await extractOf(made), made)
  assert.equal(verdict.exit, 0)
  assert.match(verdict.verdict, /with a noted deviation of clocks/)
  assert.match(verdict.checks.find(({ id }) => id === 'times')?.detail ?? '', /DEVIATION of clocks/)
})

test('the text on how to verify is the one that the verifiers know; another one is refused', async () => {
  assert.equal(createHash('sha256').update(verifyText).digest('hex'), knownVerifyTexts.at(-1))
  const made = sampleLog({ seed: 'verify text', readings: 20 })
  const members = await takeApart(await extractOf(made))
  members.set('VERIFY.txt', Buffer.from('download http://example.org/verify.mjs'))
  reseal(members, made.log.exportKey)
  const verdict = await verdicts(putTogether(members), made)
  assert.deepEqual(
    verdict.findings.map(({ member }) => member),
    ['VERIFY.txt'],
  )
})

test('a text is no time stamp token, though its event names its digest', async () => {
  const made = sampleLog({ seed: 'no token', readings: 60 })
  const stampedAt = new Date(made.endMs).toISOString()
  const zip = await stamped(made, Buffer.from('this is no RFC 3161 token'), { imprint: '', stampedAt })
  const verdict = await verdicts(zip, made)
  assert.equal(verdict.checks.find(({ id }) => id === 'times')?.status, 'fail')
})
