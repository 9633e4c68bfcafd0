/** An ingest in a process of its own, to be killed: `BIOLEDGER_TEST_INGEST` says where everything is. Says `ready` on stdout. */
import { postgresEventStore } from '../../infra/event-store/postgres/postgres-event-store.ts'
import { createLogger } from '../../infra/log.ts'
import { brokerSource } from '../../infra/mqtt/broker-source.ts'
import { createPool } from '../../infra/postgres/pool.ts'
import { startIngest } from '../service.ts'

const { appUrl, brokerUrl, protocolVersion } = JSON.parse(process.env.BIOLEDGER_TEST_INGEST ?? '{}') as {
  appUrl: string
  brokerUrl: string
  protocolVersion: 4 | 5
}
const log = createLogger('warn')
const store = await postgresEventStore({ appUrl })
const pool = createPool(appUrl, { name: 'ingest' })
const source = brokerSource({ url: brokerUrl, clientId: 'ingest-site-1', log, protocolVersion })
const ingest = await startIngest({ store, pool, source, site: 'site-1', log })
process.stdout.write('ready\n')
process.on('SIGTERM', () => {
  void ingest.stop().then(async () => {
    await store.close()
    await pool.end()
  })
})
