/** The projector's role: read models that follow the store. */
import { systemClock } from '../infra/clock.ts'
import type { Config } from '../infra/config.ts'
import type { EventStore } from '../infra/event-store/event-store.ts'
import type { Logger } from '../infra/log.ts'
import type { Telemetry } from '../infra/telemetry/telemetry.ts'
import { appendProjectionAlarm } from '../projections/alarm.ts'
import { startProjector } from '../projections/service.ts'
import { openReadModels } from '../projections/tables/database.ts'
import type { Urls } from './foundations.ts'
import type { Part } from './part.ts'

export type ProjectorRole = Part & { readonly ended: Promise<void>; stop(): Promise<void> }

export async function startProjectorRole(deps: {
  store: EventStore
  urls: Urls
  config: Config
  log: Logger
  telemetry: Telemetry
}): Promise<ProjectorRole> {
  const { store, log, telemetry } = deps
  const pool = openReadModels(deps.urls.app, { name: 'projector', max: 3 })
  try {
    const projector = await startProjector({
      tracer: telemetry.tracer,
      store,
      pool,
      log,
      raiseAlarm: appendProjectionAlarm({ store, clock: systemClock, site: deps.config.site }),
    })
    const unregister = telemetry.registerMetrics(projector.metrics)
    return {
      name: 'projector',
      readiness: projector.readiness,
      metrics: projector.metrics,
      ended: projector.ended,
      stop: async () => {
        unregister()
        await projector.stop()
        await pool.end()
      },
    }
  } catch (error) {
    await pool.end()
    throw error
  }
}
