/** A migrated store with the feed's schema beside it, for one test. */
import { pino } from 'pino'
import type { EventStore } from '../../event-store/event-store.ts'
import { migrateEventStore, postgresEventStore } from '../../event-store/postgres/postgres-event-store.ts'
import { type TestDatabase, testDatabase } from '../../postgres/testing/test-database.ts'
import { migrateFeed } from '../checkpoints.ts'

export const quietLog = pino({ level: 'silent' })

export async function feedStore(): Promise<{ database: TestDatabase; store: EventStore }> {
  const database = await testDatabase()
  await migrateEventStore({ adminUrl: database.adminUrl })
  await migrateFeed({ adminUrl: database.adminUrl })
  return { database, store: await postgresEventStore({ appUrl: database.appUrl }) }
}
