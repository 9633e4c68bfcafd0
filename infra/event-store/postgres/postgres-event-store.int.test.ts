/** The Postgres adapter under the contract of the port. */
import { testDatabase } from '../../postgres/testing/test-database.ts'
import { eventStoreContract } from '../testing/contract.ts'
import { migrateEventStore, postgresEventStore } from './postgres-event-store.ts'

eventStoreContract(
  'Postgres',
  async () => {
    const { adminUrl, appUrl } = await testDatabase()
    await migrateEventStore({ adminUrl })
    const store = await postgresEventStore({ appUrl })
    return { store, reopen: () => postgresEventStore({ appUrl }), cleanup: () => store.close() }
  },
  { gaplessPositions: true },
)
