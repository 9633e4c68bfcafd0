/** Stores for the adapter's own tests: a stand-in (see its comment) and a fresh id index each. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import type { ClientEvent } from '../../../../schemas/event.ts'
import { derivedId } from '../../../../schemas/ids.ts'
import { createLogger } from '../../../log.ts'
import { type TestDatabase, testDatabase } from '../../../postgres/testing/test-database.ts'
import type { EventStore } from '../../event-store.ts'
import { type EventStoreDbOptions, eventStoreDbEventStore } from '../eventstoredb-event-store.ts'
import { migrateEventStoreDbIndex } from '../index/migrate-index.ts'
import type { TamperingFinding } from '../tampering.ts'
import { type StandIn, startEventStoreDbStandIn } from './stand-in-server.ts'

// Started outside any test, the embedded server outlives the first one that asks for a database.
await testDatabase()

export type OpenedStore = {
  readonly store: EventStore
  readonly standIn: StandIn
  readonly database: TestDatabase
  readonly findings: TamperingFinding[]
  /** Another process's store on the same server and index. */
  another(options?: Partial<EventStoreDbOptions>): Promise<EventStore>
}

export async function openStore(
  options: Partial<EventStoreDbOptions> & { file?: string; standIn?: StandIn; database?: TestDatabase } = {},
): Promise<OpenedStore> {
  const { file, standIn: given, database: known, ...rest } = options
  const standIn = given ?? (await startEventStoreDbStandIn(file === undefined ? {} : { file }))
  if (!given) after(() => standIn.kill())
  const database = known ?? (await indexDatabase())
  const findings: TamperingFinding[] = []
  const another = async (more: Partial<EventStoreDbOptions> = {}) => {
    const store = await eventStoreDbEventStore({
      url: standIn.url,
      indexUrl: database.appUrl,
      log: createLogger('silent'),
      onStoreTampering: (finding) => findings.push(finding),
      ...rest,
      ...more,
    })
    after(() => store.close())
    return store
  }
  return { store: await another(), standIn, database, findings, another }
}

export async function indexDatabase(): Promise<TestDatabase> {
  const database = await testDatabase()
  await migrateEventStoreDbIndex({ adminUrl: database.adminUrl })
  return database
}

export async function temporaryFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bioledger-stand-in-'))
  after(() => rm(folder, { recursive: true, force: true }))
  return join(folder, 'log.ndjson')
}

let counter = 0

/** A reading with an id of its own, unless one is given. */
export function sample(overrides: Partial<ClientEvent> = {}): ClientEvent {
  counter++
  const at = '2026-11-21T09:30:00.000Z'
  return {
    id: derivedId(Date.parse(at), randomBytes(8).toString('hex'), counter),
    type: 'SensorReadingRecorded',
    schemaVersion: 1,
    occurredAt: at,
    receivedAt: '2026-11-21T09:30:00.120Z',
    actor: { kind: 'device', id: 'sensor-1', role: 'sensor' },
    source: { topic: 'bioprocess/pichia/V-01/sensors/pH', seq: counter },
    origin: 'live',
    site: 'site-1',
    data: { vessel: 'V-01', tag: 'pH', value: 5 + counter / 1000, unit: 'pH', quality: 'good' },
    ...overrides,
  }
}

export const samples = (count: number): ClientEvent[] => Array.from({ length: count }, () => sample())
