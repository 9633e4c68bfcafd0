/** Creates or updates the id index's tables; needs a role that may create schemas (the product's role may not). */
import { fileURLToPath } from 'node:url'
import { migrate } from '../../../postgres/migrate.ts'
import { createPool } from '../../../postgres/pool.ts'

const migrations = fileURLToPath(new URL('./migrations/', import.meta.url))

export async function migrateEventStoreDbIndex(options: { readonly adminUrl: string }): Promise<void> {
  const pool = createPool(options.adminUrl, { name: 'event-index-migration', max: 1 })
  try {
    await migrate(pool, migrations, 'eventstoredb-index')
  } finally {
    await pool.end()
  }
}
