/** What is built, committed and printed is the same. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { builtFiles, readmes } from './build.ts'
import { honestExtract } from './testing/honest-extract.ts'

const folder = fileURLToPath(new URL('.', import.meta.url))

test('the verifiers are what their source gives, byte by byte, and both READMEs print their digests', async () => {
  for (const [name, text] of await builtFiles()) {
    assert.equal(
      readFileSync(join(folder, name), 'utf8'),
      text,
      `${name}: run node --import tsx verify/build.ts`,
    )
    const line = `${createHash('sha256').update(text).digest('hex')}  ${name}`
    for (const readme of readmes) assert.ok(readFileSync(readme, 'utf8').includes(line), `${readme}: ${line}`)
  }
})

test('verify.mjs stands alone: it imports nothing but Node itself, and the page loads nothing', async () => {
  const node = readFileSync(join(folder, 'verify.mjs'), 'utf8')
  const imports = [...node.matchAll(/^import .* from "(.*)";$/gm)].map(([, from]) => from)
  assert.ok(imports.length > 0 && imports.every((from) => from?.startsWith('node:')), imports.join())
  const page = readFileSync(join(folder, 'verify.html'), 'utf8')
  assert.match(page, /default-src 'none'; script-src 'sha256-/)
  assert.doesNotMatch(page, /\b(src|href)=|import\(|fetch\(|XMLHttpRequest|localStorage/)
})

test('on the command line: 0 verified, 1 a finding that names the event, 2 without a key and for wrong usage', async () => {
  const { zip, logKey } = await honestExtract('command line')
  const place = mkdtempSync(join(tmpdir(), 'bioledger-verify-'))
  try {
    const file = join(place, 'extract.zip')
    const keyFile = join(place, 'ledger.vkey')
    writeFileSync(file, zip)
    writeFileSync(keyFile, `${logKey.verifierKey}\n`)
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [join(folder, 'verify.mjs'), ...args], {
        encoding: 'utf8',
        timeout: 60_000,
      })
    const good = run(file, '--key', keyFile, '--story')
    assert.equal(good.status, 0, good.stderr)
    assert.match(good.stdout, /PASS {2}Nothing of the batch is missing/)
    assert.match(good.stdout, /recorded sample 1 at 1\.50 h: OD600 7\.5/)
    assert.match(good.stdout, /VERIFIED as of size \d+ of the log, stated at \S+\n$/)
    assert.equal(run(file, '--key', logKey.verifierKey).status, 0)
    const keyless = run(file)
    assert.equal(keyless.status, 2)
    const bytes = Buffer.from(zip)
    bytes.writeUInt8(bytes.readUInt8(5000) ^ 1, 5000)
    writeFileSync(file, bytes)
    const bad = run(file, '--key', keyFile)
    assert.equal(bad.status, 1)
    assert.match(bad.stdout, /FAIL {2}/)
    assert.equal(run().status, 2)
    assert.equal(run(file, '--key', keyFile, '--quorum', '2').status, 2)
    assert.equal(run(join(place, 'none.zip'), '--key', keyFile).status, 2)
    assert.equal(run(file, '--key', 'no key').status, 2)
    assert.doesNotMatch(run(file, '--key', 'no key').stderr, /\bat .*\.mjs:\d+/)
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
})
