/** Where the log lies: schema `ledger` of the database that the URL names, and its SQL, one statement a file. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { migrate } from '../../infra/postgres/migrate.ts'
import { createPool, type Pool, type PoolClient } from '../../infra/postgres/pool.ts'

/** `name` is what the database server calls the connections. */
export function openLedger(url: string, options: { readonly name: string; readonly max?: number }): Pool {
  const located = new URL(url)
  const given = located.searchParams.get('options')
  // A size that was signed must never be lost again: every commit waits for the disk, whatever the server's default is.
  located.searchParams.set('options', `${given ? `${given} ` : ''}-c timezone=UTC -c synchronous_commit=on`)
  return createPool(located.toString(), options)
}

/** Makes the log's tables, or brings them to this version. `adminUrl`: a role that may create schemas. */
export async function migrateLedger(adminUrl: string): Promise<void> {
  const pool = createPool(adminUrl, { name: 'ledger-migration', max: 1 })
  try {
    await pool.query('CREATE SCHEMA IF NOT EXISTS ledger')
    await migrate(pool, join(import.meta.dirname, 'migrations'), 'ledger', [
      join(import.meta.dirname, 'grants.sql'),
    ])
    await migrate(pool, join(import.meta.dirname, '../time-stamp/migrations'), 'ledger-time-stamps')
  } finally {
    await pool.end()
  }
}

export type Statement = { readonly name: string; readonly text: string }

const statement = (name: string): Statement => ({
  name: `ledger-${name}`,
  text: readFileSync(join(import.meta.dirname, 'queries', `${name}.sql`), 'utf8'),
})

export const statements = {
  holdFence: statement('hold-fence'),
  moveLog: statement('move-log'),
  publishCheckpoint: statement('publish-checkpoint'),
  readChunks: statement('read-chunks'),
  readLeafHashes: statement('read-leaf-hashes'),
  readRuns: statement('read-runs'),
  writeEntries: statement('write-entries'),
  writeRuns: statement('write-runs'),
  writeStreams: statement('write-streams'),
  writeTiles: statement('write-tiles'),
} as const

/** Runs a prepared statement; rows as objects, int8 as bigint. */
export async function run<Row extends object = Record<string, unknown>>(
  client: Pool | PoolClient,
  { name, text }: Statement,
  values: readonly unknown[],
): Promise<{ readonly rows: readonly Row[]; readonly count: number }> {
  const { rows, rowCount } = await client.query<Row>({ name, text, values: [...values] })
  return { rows, count: rowCount ?? 0 }
}
