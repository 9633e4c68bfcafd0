import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import pg from 'pg'
import { embeddedPostgresUrls, startEmbeddedPostgres } from './embedded.ts'

const run = promisify(execFile)

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bioledger-embedded-'))
  await chmod(folder, 0o755)
  return folder
}

test('a second start of the embedded Postgres finds the data of the first', async () => {
  const folder = await temporaryFolder()
  const options = { folder: join(folder, 'postgres'), settings: { fsync: 'off' } }
  const query = async (url: string, sql: string) => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
      return (await client.query(sql)).rows
    } finally {
      await client.end()
    }
  }
  const first = await startEmbeddedPostgres(options)
  await first.createDatabase('bioledger')
  await query(first.adminUrl(), 'CREATE TABLE kept (value int); INSERT INTO kept VALUES (7)')
  await assert.rejects(query(first.appUrl(), 'CREATE ROLE mischief'), /permission denied/)
  await first.stop()
  const second = await startEmbeddedPostgres(options)
  try {
    assert.deepEqual(await query(second.adminUrl(), 'SELECT value FROM kept'), [{ value: 7 }])
  } finally {
    await second.stop()
    await rm(folder, { recursive: true, force: true })
  }
})

test('the embedded Postgres ends when its parent is killed', async () => {
  const folder = await temporaryFolder()
  const script = `import('${new URL('./embedded.ts', import.meta.url)}').then(async (m) => { await m.startEmbeddedPostgres({ folder: ${JSON.stringify(join(folder, 'postgres'))}, settings: { fsync: 'off' } }); console.log('up'); setInterval(() => {}, 1000) })`
  const parent = spawn(process.execPath, ['--import', 'tsx', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise<void>((settle) => parent.stdout.once('data', () => settle()))
  const pid = Number(
    (await readFile(join(folder, 'postgres', 'cluster', 'postmaster.pid'), 'utf8')).split('\n')[0],
  )
  parent.kill('SIGKILL')
  const deadline = Date.now() + 20_000
  while (
    await run('kill', ['-0', String(pid)]).then(
      () => true,
      () => false,
    )
  ) {
    assert.ok(Date.now() < deadline, `server ${pid} is still there`)
    await new Promise((settle) => setTimeout(settle, 50))
  }
  await rm(folder, { recursive: true, force: true })
})

test('as root, a data folder that the server cannot reach gets a stand-in it can', {
  skip: process.getuid?.() !== 0 && 'only root runs the server as somebody else',
}, async () => {
  const closed = await mkdtemp(join(tmpdir(), 'bioledger-closed-'))
  const server = await startEmbeddedPostgres({ folder: join(closed, 'postgres'), settings: { fsync: 'off' } })
  try {
    assert.notEqual(server.folder, join(closed, 'postgres'))
    await server.createDatabase('bioledger')
    const urls = await embeddedPostgresUrls(join(closed, 'postgres'), server.port)
    const client = new pg.Client({ connectionString: urls.appUrl() })
    await client.connect()
    await client.end()
  } finally {
    await server.stop()
    await rm(server.folder, { recursive: true, force: true })
    await rm(closed, { recursive: true, force: true })
  }
})

test('a damaged or missing password file is told in one line and never replaced', async () => {
  const folder = await temporaryFolder()
  const options = { folder: join(folder, 'postgres'), settings: { fsync: 'off' } }
  await (await startEmbeddedPostgres(options)).stop()
  const file = join(folder, 'postgres', 'passwords.json')
  const passwords = await readFile(file, 'utf8')
  await writeFile(file, '')
  await assert.rejects(startEmbeddedPostgres(options), /holds no passwords/)
  assert.equal(await readFile(file, 'utf8'), '')
  await rm(file)
  await assert.rejects(startEmbeddedPostgres(options), /is missing beside the data/)
  await writeFile(file, passwords, { mode: 0o600 })
  await (await startEmbeddedPostgres(options)).stop()
  await rm(folder, { recursive: true, force: true })
})
