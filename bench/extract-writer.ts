/** Writes one extract and says what it cost: `extract-writer.ts <postgres url> <key folder> <batch> <out>`. */
import { postgresEventStore } from '../infra/event-store/postgres/postgres-event-store.ts'
import { readExportKey } from '../ledger/extract/export-key.ts'
import { storePayloads } from '../ledger/extract/payloads.ts'
import { writeExtract } from '../ledger/extract/write-extract.ts'
import { openLedger } from '../ledger/storage/database.ts'
import { postgresLogReader } from '../ledger/storage/postgres-log-reader.ts'
import type { WriterReport } from './extract.ts'

const [appUrl = '', folder = '', batchId = '', out = ''] = process.argv.slice(2)
const pool = openLedger(appUrl, { name: 'bench-writer', max: 4 })
const store = await postgresEventStore({ appUrl })
const log = postgresLogReader(pool)
const checkpoint = await log.head()
if (!checkpoint) throw new Error('nothing is sealed')
const exportKey = await readExportKey(folder, (await log.origin()) ?? '')
const began = performance.now()
const { events } = await writeExtract(
  { batchId, purpose: 'inspection', signaturesOnly: false },
  checkpoint,
  { log, payloadOf: storePayloads(store), exportKey },
  out,
)
const seconds = (performance.now() - began) / 1000
const { user, system } = process.cpuUsage()
const report: WriterReport = {
  seconds,
  events,
  cpuSeconds: (user + system) / 1e6,
  peakBytes: process.resourceUsage().maxRSS * 1024,
}
process.stdout.write(`${JSON.stringify(report)}\n`)
await store.close()
await pool.end()
