/** The inference role: process values and forecasts from each vessel's events, and telemetry where a broker is named. */
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { openCatalogue } from '../inference/model-catalogue.ts'
import { startInference } from '../inference/service.ts'
import { systemClock } from '../infra/clock.ts'
import type { Config } from '../infra/config.ts'
import type { EventStore } from '../infra/event-store/event-store.ts'
import type { Logger } from '../infra/log.ts'
import { mqttTelemetryPublisher } from '../infra/mqtt/telemetry-publisher.ts'
import type { Telemetry } from '../infra/telemetry/telemetry.ts'
import type { Urls } from './foundations.ts'
import type { Part } from './part.ts'
import { openVesselFeed } from './vessel-feed.ts'

/** The models that came with the product. */
export const modelsFolder = fileURLToPath(new URL('../inference/models', import.meta.url))

export type InferenceRole = Part & {
  /** Rejects when inference cannot go on. */
  readonly ended: Promise<void>
  stop(): Promise<void>
}

export async function startInferenceRole(deps: {
  store: EventStore
  urls: Urls
  config: Config
  log: Logger
  telemetry: Telemetry
  /** Where telemetry goes; undefined: nowhere. */
  mqttUrl: string | undefined
}): Promise<InferenceRole> {
  const { store, config, log, mqttUrl } = deps
  const catalogue = await openCatalogue(modelsFolder, log)
  const feed = openVesselFeed(deps)
  const publisher =
    mqttUrl === undefined
      ? undefined
      : mqttTelemetryPublisher({
          url: mqttUrl,
          clientId: `bioledger-inference-${config.site}-${randomUUID().slice(0, 8)}`,
          log,
        })
  const close = async (): Promise<void> => {
    await publisher?.close()
    await feed.close()
    await catalogue.close()
  }
  try {
    const inference = await startInference({
      store,
      feed,
      catalogue,
      site: config.site,
      log,
      clock: systemClock,
      ...(publisher ? { telemetry: publisher } : {}),
    })
    const unregister = deps.telemetry.registerMetrics(inference.metrics)
    return {
      name: 'inference',
      readiness: inference.readiness,
      metrics: inference.metrics,
      ended: inference.ended,
      stop: async () => {
        unregister()
        await inference.stop()
        await close()
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}
