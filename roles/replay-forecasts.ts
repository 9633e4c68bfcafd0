/**
 * `bioledger replay-forecasts`: recomputes a batch's process values, forecasts and scores from its events and compares them
 * byte by byte with what is recorded. Exit 0: equal; 1: one is not, and is named; 2: something is not written yet of
 * a batch that has ended, a model's files are not here, or the question cannot be answered. Works on a running product and on a stopped one.
 */

import { openCatalogue } from '../inference/model-catalogue.ts'
import { type ReplayReport, replayForecasts } from '../inference/replay.ts'
import { readConfig } from '../infra/config.ts'
import { createLogger } from '../infra/log.ts'
import { uuid } from '../schemas/event.ts'
import { openEventStore } from './foundations.ts'
import { modelsFolder } from './inference.ts'
import { shutdownOrder } from './shutdown.ts'
import { storedDataUrls } from './stored-data.ts'
import { UserError } from './user-error.ts'

export async function replayForecastsCommand(
  batch: string,
  given: { dataDir: string; json: boolean },
): Promise<void> {
  if (!uuid.safeParse(batch).success)
    throw new UserError(`batch ${JSON.stringify(batch)}: is not the id of a batch (a UUID in lower case)`)
  const read = readConfig(process.env)
  if (!('config' in read)) throw new UserError(read.errors.join('; '))
  const shutdown = shutdownOrder()
  try {
    const log = createLogger('silent')
    const { app } = await storedDataUrls(read.config, given.dataDir, shutdown)
    const store = await openEventStore(read.config, { app, admin: undefined }, log)
    shutdown.add(() => store.close())
    const models = await openCatalogue(modelsFolder, log)
    shutdown.add(() => models.close())
    const report = await replayForecasts({ store, batchId: batch, models })
    if (!report) throw new UserError(`batch ${batch}: there is no such batch`)
    process.stdout.write(given.json ? `${JSON.stringify(report)}\n` : spelt(report))
    process.exitCode = exitCodeOf(report)
  } finally {
    await shutdown.run()
  }
}

const exitCodeOf = ({ differenceCount, ended, pending, notRecomputable }: ReplayReport): 0 | 1 | 2 =>
  differenceCount > 0 ? 1 : (ended && pending > 0) || notRecomputable.count > 0 ? 2 : 0

const differencesShown = 20

function spelt(report: ReplayReport): string {
  const lines = [
    `batch ${report.batchId} on ${report.vessel}: ${report.windows} windows, ${report.forecasts} forecasts, ${report.scores} scores recomputed`,
    `${report.equal} of ${report.compared} recorded events are equal to the byte${report.pending > 0 ? `; ${report.pending} are not written yet` : ''}`,
    ...(report.notRecomputable.count > 0
      ? [
          `${report.notRecomputable.count} cannot be recomputed: the files of ${report.notRecomputable.models.join(', ')} are not here`,
        ]
      : []),
    ...report.differences
      .slice(0, differencesShown)
      .map(
        ({ stream, revision, window, kind, detail }) =>
          `  ${kind}: ${stream}${revision === null ? '' : ` revision ${revision}`}, window up to ${window}: ${detail}`,
      ),
    ...(report.differenceCount > differencesShown
      ? [`  and ${report.differenceCount - differencesShown} more`]
      : []),
  ]
  return `${lines.join('\n')}\n`
}
