/** `bioledger simulate`: a simulated batch over MQTT, or into a file. */

import type { NoiseKind } from '../domain/process-model/noise.ts'
import { systemClock } from '../infra/clock.ts'
import { mqttPublisher } from '../simulation/publish.ts'
import { type SimulateOptions, simulate, simulateToFile } from '../simulation/simulator.ts'
import { progressBar } from './progress.ts'
import { UserError } from './user-error.ts'

type Options = {
  preset: string
  seed: number
  speed: number | 'max'
  mqtt?: string
  vessel?: string
  out?: string
  start?: string
  noise?: string
  hours?: number
  json: boolean
}

export async function simulateCommand(given: Options): Promise<void> {
  if ((given.mqtt === undefined) === (given.out === undefined))
    throw new UserError('simulate needs either --mqtt <url> (with --vessel <id>) or --out <file>')
  if (given.mqtt !== undefined && given.vessel === undefined)
    throw new UserError('--mqtt needs --vessel <id>: whose readings are these?')
  const options: SimulateOptions = {
    preset: given.preset,
    seed: given.seed,
    speed: given.speed,
    ...(given.vessel === undefined ? {} : { vessel: given.vessel }),
    ...(given.start === undefined ? {} : { start: given.start }),
    ...(given.noise === undefined ? {} : { noise: given.noise as NoiseKind }),
    ...(given.hours === undefined ? {} : { limitHours: given.hours }),
  }
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort())
  const bar = progressBar('simulated seconds', !given.json)
  const onProgress = (progress: { second: number; plannedSeconds: number }) =>
    bar.update(progress.second, progress.plannedSeconds)
  try {
    const result =
      given.out === undefined
        ? await overMqtt(given.mqtt!)
        : await simulateToFile(options, given.out, { signal: stopping.signal, onProgress })
    bar.stop()
    process.stdout.write(
      given.json
        ? `${JSON.stringify(result)}\n`
        : `${result.readings} readings in ${result.messages} messages of vessel ${result.vessel}, ${result.from} to ${result.to}${result.depletionHours === undefined ? '' : `, glycerol depleted after ${result.depletionHours.toFixed(2)} h`}\n`,
    )
  } finally {
    bar.stop()
  }

  async function overMqtt(url: string) {
    const publisher = await mqttPublisher({ url, signal: stopping.signal })
    try {
      return await simulate(options, { clock: systemClock, publisher, signal: stopping.signal, onProgress })
    } finally {
      await publisher.close()
    }
  }
}
