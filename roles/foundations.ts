/**
 * What every role stands on: the event store and the Postgres of the read models and of ingest's accounts, by the
 * settings' URLs, with their schemas brought up to date first where an admin URL is at hand.
 */

import type { Config } from '../infra/config.ts'
import type { EventStore } from '../infra/event-store/event-store.ts'
import {
  eventStoreDbEventStore,
  migrateEventStoreDbIndex,
} from '../infra/event-store/eventstoredb/eventstoredb-event-store.ts'
import { migrateEventStore, postgresEventStore } from '../infra/event-store/postgres/postgres-event-store.ts'
import { migrateFeed } from '../infra/feed/checkpoints.ts'
import type { Logger } from '../infra/log.ts'
import { migrateIngest } from '../ingest/service.ts'
import { migrateLedger } from '../ledger/storage/database.ts'
import { migrateReadModels } from '../projections/tables/database.ts'
import { appendStoreAlarm } from './store-alarm.ts'
import { UserError } from './user-error.ts'

export type Urls = {
  /** Read models and accounts, as the product's own role. */
  readonly app: string
  /** For migrations; undefined: the schemas must be up to date. */
  readonly admin: string | undefined
}

/** Throws `UserError` with one line when a server does not answer or a schema is missing. */
export async function openEventStore(config: Config, urls: Urls, log: Logger): Promise<EventStore> {
  const { eventStoreUrl } = config
  const isEventStoreDb = eventStoreUrl?.startsWith('esdb') ?? false
  const storeUrls: Urls =
    eventStoreUrl === undefined || isEventStoreDb
      ? urls
      : { app: eventStoreUrl, admin: config.eventStoreAdminUrl }
  try {
    if (urls.admin !== undefined) {
      await migrateIngest({ adminUrl: urls.admin })
      await migrateReadModels(urls.admin)
      await migrateLedger(urls.admin)
      await migrateFeed({ adminUrl: urls.admin })
      if (isEventStoreDb) await migrateEventStoreDbIndex({ adminUrl: urls.admin })
    }
    if (!isEventStoreDb) {
      if (storeUrls.admin !== undefined) await migrateEventStore({ adminUrl: storeUrls.admin })
      return await postgresEventStore({ appUrl: storeUrls.app, log })
    }
    let store: EventStore | undefined
    store = await eventStoreDbEventStore({
      url: eventStoreUrl!,
      indexUrl: urls.app,
      log,
      onStoreTampering: (finding) => {
        log.error(
          { kind: finding.kind, stream: finding.stream, position: String(finding.position) },
          'the event store was tampered with',
        )
        if (store)
          appendStoreAlarm(
            store,
            config.site,
            `${finding.kind} on ${finding.stream} at position ${finding.position} (${finding.at}): ${JSON.stringify(finding.facts)}`,
          ).catch((error: unknown) => log.error({ error: String(error) }, 'the alarm could not be stored'))
      },
    })
    return store
  } catch (error) {
    throw new UserError(
      `event store ${withoutPassword(eventStoreUrl ?? storeUrls.app)}: ${reasonOf(error)}`,
      1,
    )
  }
}

function withoutPassword(url: string): string {
  return url.replace(/^([a-z+]+:\/\/[^:/@]*):[^@]*@/i, '$1:…@')
}

export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0])
  if (!(error instanceof Error)) return String(error)
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ECONNREFUSED') return 'nothing answers there (connection refused)'
  if (code === '42P01' || code === '3F000')
    return `${error.message}: its schema is missing; set BIOLEDGER_POSTGRES_ADMIN_URL once so that it can be made`
  return error.message || code || error.name
}
