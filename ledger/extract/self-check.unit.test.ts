import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { extractOf } from '../../verify/testing/honest-extract.ts'
import { ExtractError } from './errors.ts'
import { requireVerified } from './self-check.ts'
import { sampleLog } from './testing/sample-log.ts'

const folder = mkdtempSync(join(tmpdir(), 'bioledger-self-check-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const sample = sampleLog({ seed: 'self check', readings: 40 })
const history = [
  {
    verifierKey: sample.log.logKey.verifierKey,
    purpose: 'log' as const,
    from: 0n,
    to: undefined,
    revokedFrom: undefined,
  },
]

async function checked(zip: Buffer): Promise<string> {
  const path = join(folder, 'extract.zip')
  writeFileSync(path, zip)
  return await requireVerified(path, history)
}

test('an honest extract passes, and it is said up to which size and instant', async () => {
  assert.match(await checked(await extractOf(sample)), /^VERIFIED as of size \d+ of the log, stated at 2026-/)
})

test('an extract from a log with a flipped byte in a tile is not handed out', async () => {
  const subtrees: typeof sample.log.subtrees = (size) => {
    const read = sample.log.subtrees(size)
    return async (level, index) => {
      const hash = Buffer.from(await read(level, index))
      hash[0] = (hash[0] ?? 0) ^ 1
      return hash
    }
  }
  const damaged = { ...sample, log: { ...sample.log, subtrees } }
  await assert.rejects(checked(await extractOf(damaged)), isNotVerified(/another root than the signed one/))
})

test('an extract that is incomplete by its own account is not handed out', async () => {
  const withoutHeads = { ...sample, log: { ...sample.log, headsStatement: async () => undefined } }
  await assert.rejects(checked(await extractOf(withoutHeads)), isNotVerified(/no heads statement/))
})

const isNotVerified = (why: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ExtractError)
  assert.equal(error.code, 'not-verified')
  assert.match(error.message, why)
  return true
}
