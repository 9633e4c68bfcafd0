/** Any single byte of an extract, changed: a finding, unless no member changed by it (a time or an attribute of the zip). */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { verifyHere } from './testing/agreement.ts'
import { putTogether, takeApart } from './testing/extract-file.ts'
import { honestExtract } from './testing/honest-extract.ts'

test('of 600 single bytes changed none passes that changes a member', async () => {
  const honest = await honestExtract('flipped bytes')
  const members = honest.members()
  let harmless = 0
  for (let run = 0; run < 600; run++) {
    const random = createHash('sha256').update(`flip ${run}`).digest()
    const at = random.readUInt32BE(0) % honest.zip.length
    const zip = Buffer.from(honest.zip)
    zip.writeUInt8(zip.readUInt8(at) ^ (1 << (random.readUInt8(4) % 8)), at)
    const verdict = await verifyHere(zip, honest.logKey.verifierKey)
    if (verdict.exit === 1) continue
    assert.equal(verdict.exit, 0, `byte ${at}`)
    harmless++
    assert.deepEqual(await takeApart(zip), members, `byte ${at} changes a member and is not found`)
  }
  assert.ok(harmless < 20, `${harmless} of 600 bytes are no part of any member`)
})

test('every byte of every member, changed, is found (each hundredth tried)', async () => {
  const honest = await honestExtract('flipped members')
  for (const [name, bytes] of honest.members())
    for (let at = 7; at < bytes.length; at += Math.max(100, Math.floor(bytes.length / 20))) {
      const members = honest.members()
      const changed = Buffer.from(bytes)
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
      members.set(name, changed)
      const verdict = await verifyHere(putTogether(members), honest.logKey.verifierKey)
      assert.equal(verdict.exit, 1, `${name} byte ${at}`)
    }
})
