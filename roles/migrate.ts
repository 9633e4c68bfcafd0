/**
 * `bioledger migrate`: makes or updates the schemas, then ends. With it run once at each update, the roles need no
 * more than the rights of the product's own database role.
 */
import type { Config } from '../infra/config.ts'
import { createLogger } from '../infra/log.ts'
import { openEventStore } from './foundations.ts'
import { UserError } from './user-error.ts'

export async function migrateCommand(config: Config): Promise<void> {
  if (config.postgresUrl === undefined || config.postgresAdminUrl === undefined)
    throw new UserError(
      'migrate works on outside servers: set BIOLEDGER_POSTGRES_URL and BIOLEDGER_POSTGRES_ADMIN_URL',
    )
  const urls = { app: config.postgresUrl, admin: config.postgresAdminUrl }
  const store = await openEventStore(config, urls, createLogger(config.logLevel))
  await store.close()
  process.stdout.write('bioledger schemas are up to date\n')
}
