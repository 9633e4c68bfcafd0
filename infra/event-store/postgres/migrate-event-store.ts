/** Makes or updates the store's tables and functions. The product itself works with a role that may do neither. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { migrate } from '../../postgres/migrate.ts'
import { createPool } from '../../postgres/pool.ts'

const file = (...path: string[]) => join(import.meta.dirname, ...path)

/** `adminUrl`: a superuser, or `bioledger_owner` where that role may log in. `bioledger_app` must exist. */
export async function migrateEventStore(options: { readonly adminUrl: string }): Promise<void> {
  const pool = createPool(options.adminUrl, { name: 'event-store-migration', max: 1 })
  try {
    await pool.query(await readFile(file('roles.sql'), 'utf8'))
    await migrate(pool, file('migrations'), 'event-store', [
      file('functions', 'lock-appends.sql'),
      file('functions', 'append.sql'),
      file('functions', 'intern-templates.sql'),
      file('functions', 'pass-instant.sql'),
      file('grants.sql'),
    ])
  } finally {
    await pool.end()
  }
}
