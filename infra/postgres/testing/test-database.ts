/**
 * A fresh database for a test: on the server named by `BIOLEDGER_TEST_POSTGRES` (set by the test runner, which
 * starts one for the whole run), or on an embedded server that this process starts for itself.
 */
import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import pg from 'pg'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../embedded.ts'

export type TestDatabase = { readonly name: string; readonly adminUrl: string; readonly appUrl: string }

let ownServer: Promise<{ server: EmbeddedPostgres; folder: string }> | undefined

// Registered here, at the top: inside a test it would end the server with that test.
after(async () => {
  const own = await ownServer
  if (!own) return
  await own.server.stop()
  await rm(own.folder, { recursive: true, force: true })
})

export async function testDatabase(): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`
  const shared = process.env.BIOLEDGER_TEST_POSTGRES
  if (shared) {
    const urls = JSON.parse(shared) as { admin: string; app: string }
    const client = new pg.Client({ connectionString: urls.admin })
    await client.connect()
    await client.query(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`)
    await client.end()
    return { name, adminUrl: withDatabase(urls.admin, name), appUrl: withDatabase(urls.app, name) }
  }
  ownServer ??= startOwnServer()
  const { server } = await ownServer
  await server.createDatabase(name)
  return { name, adminUrl: server.adminUrl(name), appUrl: server.appUrl(name) }
}

async function startOwnServer(): Promise<{ server: EmbeddedPostgres; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'bioledger-test-'))
  // As root the server runs as another user, who must be able to pass the folder.
  await chmod(folder, 0o755)
  const server = await startEmbeddedPostgres({
    folder: join(folder, 'postgres'),
    settings: { fsync: 'off', full_page_writes: 'off' },
  })
  return { server, folder }
}

function withDatabase(url: string, database: string): string {
  const parsed = new URL(url)
  parsed.pathname = `/${database}`
  return parsed.toString()
}
