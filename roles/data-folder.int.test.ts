import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openDataFolder, readEndpoints } from './data-folder.ts'
import { UserError } from './user-error.ts'

let base: string
before(async () => {
  base = await mkdtemp(join(tmpdir(), 'bioledger-data-'))
})
after(() => rm(base, { recursive: true, force: true }))

const oneLine = (part: RegExp) => (error: unknown) =>
  error instanceof UserError && part.test(error.message) && !error.message.includes('\n')

test('a new folder becomes ours, says where the parts listen, and can be opened again after release', async () => {
  const path = join(base, 'new')
  const first = await openDataFolder(path)
  await first.publishEndpoints({ http: 'http://127.0.0.1:1', mqtt: 'mqtt://127.0.0.1:2', postgres: null })
  assert.equal((await readEndpoints(path)).http, 'http://127.0.0.1:1')
  await first.release()
  await assert.rejects(readEndpoints(path), oneLine(/nothing runs there/))
  await (await openDataFolder(path)).release()
})

test("somebody else's folder, a file in the way and a foreign layout are refused and left as they were", async () => {
  const strange = await mkdtemp(join(base, 'strange-'))
  await writeFile(join(strange, 'thesis.docx'), 'years of work')
  await assert.rejects(openDataFolder(strange), oneLine(/thesis\.docx and is not ours/))
  assert.equal(await readFile(join(strange, 'thesis.docx'), 'utf8'), 'years of work')

  const file = join(base, 'a-file')
  await writeFile(file, '')
  await assert.rejects(openDataFolder(file), oneLine(/stands in the way/))
  await assert.rejects(openDataFolder(join(file, 'below')), oneLine(/stands in the way/))

  const future = await mkdtemp(join(base, 'future-'))
  await writeFile(join(future, 'bioledger.json'), '{"product":"bioprocess-ledger","layout":7}')
  await assert.rejects(openDataFolder(future), oneLine(/layout 7/))
})

test('a folder in use by a living process is refused, one left behind by a killed process is taken over', async () => {
  const path = join(base, 'used')
  await (await openDataFolder(path)).release()
  const living = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', 'main.ts'], {
    stdio: 'ignore',
  })
  try {
    await writeFile(join(path, 'running.json'), JSON.stringify({ pid: living.pid }))
    await assert.rejects(openDataFolder(path), oneLine(new RegExp(`in use by process ${living.pid}`)))
  } finally {
    const ended = new Promise((settle) => living.once('exit', settle))
    living.kill('SIGKILL')
    await ended
  }
  await (await openDataFolder(path)).release()
})
