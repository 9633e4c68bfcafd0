/** A ledger in a process of its own, to be killed: `BIOLEDGER_TEST_LEDGER` says where everything is. */
import { systemClock } from '../../infra/clock.ts'
import { postgresEventStore } from '../../infra/event-store/postgres/postgres-event-store.ts'
import { createLogger } from '../../infra/log.ts'
import { startLedger } from '../service.ts'
import { openLedger } from '../storage/database.ts'

const { appUrl, folder } = JSON.parse(process.env.BIOLEDGER_TEST_LEDGER ?? '{}') as {
  appUrl: string
  folder: string
}
const log = createLogger('fatal')
const store = await postgresEventStore({ appUrl, log })
const pool = openLedger(appUrl, { name: 'ledger-drill', max: 4 })
// Small pages and a short cadence: as many moments between two steps as possible.
startLedger({
  store,
  pool,
  log,
  clock: systemClock,
  site: 'site-1',
  originPrefix: 'ledger.example/site-1',
  folder,
  cadenceMs: 5,
  headsEveryMs: 50,
  pageSize: 300,
  raiseAlarm: async (finding) => {
    process.stderr.write(`${finding}\n`)
    process.exit(3)
  },
})
