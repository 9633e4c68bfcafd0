/** A fresh event store on a real Postgres, for one test file. */
import type { EventStore } from '../../infra/event-store/event-store.ts'
import {
  migrateEventStore,
  postgresEventStore,
} from '../../infra/event-store/postgres/postgres-event-store.ts'
import { testDatabase } from '../../infra/postgres/testing/test-database.ts'

export async function testStore(): Promise<EventStore> {
  const { adminUrl, appUrl } = await testDatabase()
  await migrateEventStore({ adminUrl })
  return await postgresEventStore({ appUrl })
}
