/** `bioledger replay`: a CSV of a real run goes over MQTT into a batch of the product that runs on `--data-dir`. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../infra/clock.ts'
import { batchApi } from '../simulation/api-client.ts'
import { mqttPublisher } from '../simulation/publish.ts'
import { replay } from '../simulation/replay/replay.ts'
import { readEndpoints } from './data-folder.ts'
import { progressBar } from './progress.ts'
import { UserError } from './user-error.ts'

type Options = {
  dataDir: string
  vessel?: string
  map?: string
  tz?: string
  campaign?: string
  json: boolean
}

export async function replayCommand(file: string, given: Options): Promise<void> {
  const endpoints = await readEndpoints(given.dataDir)
  const token = await readFile(join(given.dataDir, 'api-token'), 'utf8').catch(() => {
    throw new UserError(`data folder ${given.dataDir}: no api-token there`)
  })
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort())
  const bar = progressBar('readings stored', !given.json)
  try {
    const result = await replay(
      {
        file,
        ...(given.vessel === undefined ? {} : { vessel: given.vessel }),
        ...(given.map === undefined ? {} : { mapFile: given.map }),
        ...(given.tz === undefined ? {} : { timeZone: given.tz }),
        ...(given.campaign === undefined ? {} : { campaign: given.campaign }),
      },
      {
        clock: systemClock,
        api: batchApi({ url: endpoints.http, token: token.trim(), signal: stopping.signal }),
        connect: () => mqttPublisher({ url: endpoints.mqtt, signal: stopping.signal }),
        signal: stopping.signal,
        onProgress: ({ accounted, total }) => bar.update(accounted, total),
      },
    )
    bar.stop()
    const { batchId, published, stored, duplicate, quarantined } = result
    process.stdout.write(
      given.json
        ? `${JSON.stringify({ batchId, published, stored, duplicate, quarantined })}\n`
        : `batch ${batchId}: ${published} readings published, ${stored} stored, ${duplicate} duplicate, ${quarantined} quarantined\n`,
    )
    if (stored + duplicate + quarantined !== published || quarantined > 0) process.exitCode = 1
  } finally {
    bar.stop()
  }
}
