import assert from 'node:assert/strict'
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { ApiTokenError, readOrCreateApiToken } from './api-token.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bioledger-token-'))
})
after(() => rm(folder, { recursive: true, force: true }))

test('many first starts at once agree on one token, in a file that its owner alone can read', async () => {
  const tokens = await Promise.all(Array.from({ length: 10 }, () => readOrCreateApiToken(folder)))
  assert.equal(new Set(tokens).size, 1)
  assert.match(tokens[0] ?? '', /^[A-Za-z0-9_-]{43}$/)
  assert.equal((await stat(join(folder, 'api-token'))).mode & 0o777, 0o600)
  assert.deepEqual(await readdir(folder), ['api-token'])
})

test('a later start reads the same token and closes a file that was left open to others', async () => {
  const token = await readOrCreateApiToken(folder)
  await chmod(join(folder, 'api-token'), 0o644)
  assert.equal(await readOrCreateApiToken(folder), token)
  assert.equal((await stat(join(folder, 'api-token'))).mode & 0o777, 0o600)
})

test('an empty or short token is refused, not used', async () => {
  for (const text of ['', 'abc\n', 'two words that are long enough to be a token\n']) {
    await writeFile(join(folder, 'api-token'), text)
    await assert.rejects(readOrCreateApiToken(folder), ApiTokenError)
  }
})
