import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import pg from 'pg'
import { migrateReadModels } from '../../../projections/tables/database.ts'
import { migrateEventStoreDbIndex } from '../../event-store/eventstoredb/index/migrate-index.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../postgres/embedded.ts'
import { skipUnless } from '../../toolchain/require.ts'

const run = promisify(execFile)
const script = new URL('./roles.sql', import.meta.url).pathname
const skip = skipUnless('psql', spawnSync('psql', ['--version']).status === 0, 'psql is not installed')

// A server of its own: roles belong to a whole server, and the shared one has the product's role already.
let folder: string
let server: EmbeddedPostgres
let ownerUrl: string
let appUrl: string

before(async () => {
  if (skip) return
  folder = await mkdtemp(join(tmpdir(), 'bioledger-roles-'))
  await chmod(folder, 0o755)
  server = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), settings: { fsync: 'off' } })
  await server.createDatabase('bioledger')
  const admin = new pg.Client({ connectionString: server.adminUrl('postgres') })
  await admin.connect()
  await admin.query('DROP ROLE bioledger_app')
  await admin.end()
  await runScript({ POSTGRES_OWNER_PASSWORD: "owner's", POSTGRES_APP_PASSWORD: 'app' })
  ownerUrl = urlOf('bioledger_owner', "owner's")
  appUrl = urlOf('bioledger_app', 'app')
})

after(async () => {
  if (skip) return
  await server.stop()
  await rm(folder, { recursive: true, force: true })
})

/** As the container's entrypoint runs it. */
async function runScript(environment: Record<string, string>): Promise<void> {
  await run('psql', ['-v', 'ON_ERROR_STOP=1', '--no-psqlrc', '-d', server.adminUrl(), '-f', script], {
    env: { PATH: process.env.PATH, ...environment },
  })
}

function urlOf(role: string, password: string): string {
  const url = new URL(server.adminUrl())
  url.username = role
  url.password = encodeURIComponent(password)
  return url.toString()
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

test('the owner can make schemas and the extension that temporal keys need, and nothing outside its database', {
  skip,
}, async () => {
  await query(ownerUrl, 'CREATE SCHEMA own CREATE TABLE fact (id int)')
  await query(ownerUrl, 'CREATE EXTENSION btree_gist')
  await assert.rejects(query(ownerUrl, 'CREATE ROLE mischief'), /permission denied/)
  await assert.rejects(query(ownerUrl, 'CREATE DATABASE mischief'), /permission denied/)
})

test('the application role can connect, make nothing, and read nothing that it was not given', {
  skip,
}, async () => {
  assert.deepEqual(await query(appUrl, 'SELECT current_user::text AS role'), [{ role: 'bioledger_app' }])
  await query(ownerUrl, 'CREATE SCHEMA kept CREATE TABLE fact (id int)')
  await assert.rejects(query(appUrl, 'CREATE TABLE mischief (id int)'), /permission denied/)
  await assert.rejects(query(appUrl, 'CREATE SCHEMA mischief'), /permission denied/)
  await assert.rejects(query(appUrl, 'SELECT * FROM kept.fact'), /permission denied/)
})

test("the product's own migrations run as the owner, and the application role works with what they made", {
  skip,
}, async () => {
  await migrateEventStoreDbIndex({ adminUrl: ownerUrl })
  await migrateReadModels(ownerUrl)
  for (const table of ['eventstoredb_index.event', 'projections.batch'])
    assert.deepEqual(await query(appUrl, `SELECT count(*)::int AS rows FROM ${table}`), [{ rows: 0 }], table)
})

test('without a password nothing is made', { skip }, async () => {
  await server.createDatabase('second')
  await assert.rejects(runScript({}), /syntax error/)
})
