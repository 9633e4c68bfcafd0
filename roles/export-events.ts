/**
 * `bioledger export-events`: writes a batch's events as one Parquet file, the one that training and analysis start from. Works on
 * a running product and on a stopped one; of a batch that runs on, the file holds what was there when it began.
 */
import { exportBatch } from '../inference/event-file/export-batch.ts'
import { readConfig } from '../infra/config.ts'
import { createLogger } from '../infra/log.ts'
import { uuid } from '../schemas/event.ts'
import { openEventStore } from './foundations.ts'
import { shutdownOrder } from './shutdown.ts'
import { storedDataUrls } from './stored-data.ts'
import { UserError } from './user-error.ts'

export async function exportEventsCommand(
  batch: string,
  given: { out: string; dataDir: string; json: boolean },
): Promise<void> {
  if (!uuid.safeParse(batch).success)
    throw new UserError(`batch ${JSON.stringify(batch)}: is not the id of a batch (a UUID in lower case)`)
  const read = readConfig(process.env)
  if (!('config' in read)) throw new UserError(read.errors.join('; '))
  const shutdown = shutdownOrder()
  try {
    const { app } = await storedDataUrls(read.config, given.dataDir, shutdown)
    const store = await openEventStore(read.config, { app, admin: undefined }, createLogger('silent'))
    shutdown.add(() => store.close())
    const exported = await exportBatch({ store, batchId: batch, path: given.out }).catch(
      unwritable(given.out),
    )
    if (!exported) throw new UserError(`batch ${batch}: there is no such batch`)
    const { events, readings, vessel, ended, contentSha256 } = exported
    process.stdout.write(
      given.json
        ? `${JSON.stringify({ out: given.out, ...exported }, (_, value) => (typeof value === 'bigint' ? String(value) : value))}\n`
        : `${given.out}: ${events} events of batch ${batch} on ${vessel}, ${readings} of them readings${ended ? '' : '; the batch runs on'}\ncontents sha256 ${contentSha256}\n`,
    )
  } finally {
    await shutdown.run()
  }
}

const unwritable =
  (out: string) =>
  (error: NodeJS.ErrnoException): never => {
    if (error.syscall === undefined) throw error
    throw new UserError(`--out is ${out}: cannot be written there (${error.message})`)
  }
