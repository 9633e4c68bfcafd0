/**
 * `bioledger rebuild`: the read models anew from the events, compared with the old ones at the same position, then
 * switched in. Works on a running product (the projector follows the switch) and on a stopped one.
 */
import { readConfig } from '../infra/config.ts'
import { createLogger } from '../infra/log.ts'
import { rebuildReadModels } from '../projections/rebuild.ts'
import { openEventStore, type Urls } from './foundations.ts'
import { progressBar } from './progress.ts'
import { shutdownOrder } from './shutdown.ts'
import { storedDataUrls } from './stored-data.ts'
import { UserError } from './user-error.ts'

export async function rebuildCommand(given: { dataDir: string; json: boolean }): Promise<void> {
  const read = readConfig(process.env)
  if (!('config' in read)) throw new UserError(read.errors.join('; '))
  const { config } = read
  const shutdown = shutdownOrder()
  const bar = progressBar('events', !given.json)
  try {
    const urls: Urls & { admin: string } = await databaseUrls()
    const store = await openEventStore(config, urls, createLogger('silent'))
    shutdown.add(() => store.close())
    const report = await rebuildReadModels({
      store,
      adminUrl: urls.admin,
      onProgress: ({ position, target }) => bar.update(Number(position), Number(target)),
    })
    bar.stop()
    const spelt = (value: unknown) =>
      JSON.stringify(value, (_, entry) => (typeof entry === 'bigint' ? String(entry) : entry))
    if (given.json) process.stdout.write(`${spelt(report)}\n`)
    else {
      process.stdout.write(
        `${report.events} events in ${report.seconds.toFixed(1)} s, compared at position ${report.comparedAt ?? 'none'}, ${report.switched ? 'switched' : 'not switched'}\n`,
      )
      for (const { table, rows, equal } of report.tables)
        process.stdout.write(`  ${table}: ${rows} rows, ${equal ? 'equal' : 'DIFFERENT'}\n`)
      for (const difference of report.differences)
        process.stdout.write(`  difference: ${spelt(difference)}\n`)
      for (const parked of report.parked)
        process.stdout.write(
          `  stopped stream: ${parked.stream} at position ${parked.position}: ${parked.message}\n`,
        )
    }
    if (report.differences.length > 0 || report.parked.length > 0) process.exitCode = 1
  } finally {
    bar.stop()
    await shutdown.run()
  }

  async function databaseUrls(): Promise<Urls & { admin: string }> {
    const { app, admin } = await storedDataUrls(config, given.dataDir, shutdown)
    if (admin === undefined) throw new UserError('rebuild makes new tables: set BIOLEDGER_POSTGRES_ADMIN_URL')
    return { app, admin }
  }
}
