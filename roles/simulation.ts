/**
 * The simulated batch of an embedded start: sensors over the product's own MQTT, a technician over its own API. A
 * batch that an earlier start began and did not end is taken up where its readings end.
 */
import { join } from 'node:path'
import type { Clock } from '../infra/clock.ts'
import type { Config } from '../infra/config.ts'
import type { Logger } from '../infra/log.ts'
import { batchApi } from '../simulation/api-client.ts'
import { mqttPublisher } from '../simulation/publish.ts'
import { fileSequenceStore } from '../simulation/sequence-store.ts'
import { simulate } from '../simulation/simulator.ts'
import { interruptedRun, rememberRun } from './interrupted-simulation.ts'

export function startSimulation(deps: {
  config: Config
  log: Logger
  folder: string
  clock: Clock
  http: string
  mqtt: string
  token: string
}): { stop(): Promise<void> } {
  const { config, log } = deps
  if (config.simulate === 'off') return { stop: async () => {} }
  const stopping = new AbortController()
  const running = run().catch((error: unknown) => {
    if (!stopping.signal.aborted)
      log.error({ error: error instanceof Error ? error.message : String(error) }, 'the simulation ended')
  })
  return {
    stop: async () => {
      stopping.abort()
      await running
    },
  }

  async function run(): Promise<void> {
    const { signal } = stopping
    const api = batchApi({ url: deps.http, token: deps.token, signal })
    // Forecasts and gas balance follow the volume, so the vessel's must be a real one.
    // The probes err as they do in the campaign that the model was trained for, and the batch's note says so.
    const wanted = {
      preset: config.simulate,
      seed: config.simulateSeed,
      noise: 'realistic',
      volumeEffects: 'full',
    } as const
    const publisher = await mqttPublisher({ url: deps.mqtt, signal })
    try {
      const resume = await interruptedRun(deps.folder, wanted, api)
      await simulate(
        { ...wanted, speed: config.simulateSpeed, ...(resume ? { resume } : {}) },
        {
          clock: deps.clock,
          publisher,
          api,
          sequences: fileSequenceStore(join(deps.folder, 'simulation')),
          signal,
          onBegun: (begun) => rememberRun(deps.folder, wanted, begun),
        },
      )
      log.info('the simulated batch has ended')
    } finally {
      await publisher.close()
    }
  }
}
