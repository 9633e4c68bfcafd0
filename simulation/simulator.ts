/**
 * Runs a simulated batch as real sensors and a technician would: messages over MQTT (or into a file), commands over
 * HTTP, at real time, any multiple of it, or as fast as the broker takes them.
 *
 * Out: `bioprocess/pichia/<vessel>/sensors` `{"at":"…Z","seq":1,"values":{"pH":5.001,…},"origin":"simulated"}`.
 */
import { runNamed } from '../domain/campaign.ts'
import { type BatchRun, simulateBatch } from '../domain/process-model/batch-run.ts'
import { type Disturbance, isDeliveryFault } from '../domain/process-model/disturbances.ts'
import { type NoiseKind, noiseKinds } from '../domain/process-model/noise.ts'
import { planOfRun } from '../domain/process-model/process.ts'
import type { Vessel } from '../domain/process-model/settings.ts'
import type { Clock } from '../infra/clock.ts'
import { sourceTime } from '../schemas/mqtt.ts'
import { vesselIdPattern } from '../schemas/streams.ts'
import type { BatchApi } from './api-client.ts'
import { messageFile } from './message-file.ts'
import { deliveryOf, type Encoding, encodeSecond, type MessageForm, type TimedMessage } from './messages.ts'
import { paceOf, type Speed, startOfRun, stopIfAborted } from './pacing.ts'
import type { Publisher } from './publish.ts'
import { freshSequence, type SequenceStore } from './sequence-store.ts'
import { SimulationError } from './simulation-error.ts'
import { untilStored } from './stored.ts'
import { type Technician, technicianFor } from './technician.ts'

export type SimulateOptions = {
  /** `N`, `R`, `R-O2`, `batch-1` … `batch-18`. */
  readonly preset: string
  readonly seed: number
  readonly speed: Speed
  /** Default V-01 (without it a busy vessel is replaced by V-01-2, V-01-3, …). */
  readonly vessel?: string
  /** Default: kind for the presets, realistic for batches of the campaign. */
  readonly noise?: NoiseKind
  /** Default: as the preset has it (the presets hold the volume constant, batches of the campaign do not). */
  readonly volumeEffects?: Vessel['volumeEffects']
  readonly form?: MessageForm
  readonly disturbances?: readonly Disturbance[]
  /** Source time of T = 0; default: back-dated (MQTT) or 2026-01-01T00:00:00.000Z (file). */
  readonly start?: string
  /** Campaign of the batch that the technician creates; default `simulated`. */
  readonly campaign?: string
  readonly number?: number
  readonly limitHours?: number
  /** Goes on with a run that was interrupted; everything else must be as it was then. */
  readonly resume?: BegunRun & {
    readonly inoculated: boolean
    readonly samples: number
    readonly fromSecond: number
  }
}

/** What a run that may be interrupted must remember of itself. */
export type BegunRun = {
  readonly batchId: string
  readonly vessel: string
  readonly startMs: number
  readonly firstSequence: number
}

export type SimulateDeps = {
  readonly clock: Clock
  readonly publisher: Publisher
  /** With it the simulator acts as technician too; without it only sensors are simulated. */
  readonly api?: BatchApi
  readonly sequences?: SequenceStore
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: { second: number; plannedSeconds: number; readings: number }) => void
  /** Called before the first message, when there is an `api`. */
  readonly onBegun?: (run: BegunRun) => Promise<void>
}

export type SimulateResult = {
  readonly batchId: string | undefined
  readonly vessel: string
  readonly messages: number
  readonly readings: number
  readonly from: string
  readonly to: string
  readonly depletionHours: number | undefined
  readonly closed: boolean
}

const defaultFileStart = '2026-01-01T00:00:00.000Z'
const defaultVessel = 'V-01'

/** Over MQTT. Throws `SimulationError` (options, broker, API). */
export async function simulate(options: SimulateOptions, deps: SimulateDeps): Promise<SimulateResult> {
  const prepared = prepare(options)
  const { run, plan } = prepared
  const { resume } = options
  const startMs = resume
    ? resume.startMs
    : options.start === undefined
      ? startOfRun(options.speed, plan.seconds, deps.clock.nowMs())
      : Date.parse(options.start)
  // Source times never lie in the future: up to real time the start decides, faster than that the end.
  const latestMs = options.speed === 'max' || options.speed > 1 ? startMs + plan.seconds * 1000 : startMs
  if (latestMs > deps.clock.nowMs())
    throw badOption('start', options.start, 'early enough that no reading lies in the future')
  const wanted = resume?.vessel ?? options.vessel ?? defaultVessel
  const technician = deps.api
    ? await technicianFor(deps.api, {
        run,
        presetName: options.preset,
        vessel: wanted,
        vesselIsFixed: options.vessel !== undefined,
        campaign: options.campaign ?? 'simulated',
        number: options.number,
        startMs,
        ...(resume ? { resume } : {}),
      })
    : undefined
  const vessel = technician?.vessel ?? wanted
  const firstSequence =
    resume?.firstSequence ?? (await (deps.sequences ?? freshSequence).reserve(vessel, plan.seconds + 1))
  if (technician && !resume)
    await deps.onBegun?.({ batchId: technician.batchId, vessel, startMs, firstSequence })
  await technician?.inoculate()

  const pace = paceOf(options.speed, deps.clock, deps.signal)
  const fromSecond = resume?.fromSecond ?? 0
  const sent = await send(run, encoding(options, vessel, startMs, firstSequence), {
    fromSecond,
    due: (second) => pace.until(Math.max(0, second - fromSecond)),
    message: (message) => deps.publisher.publish(message.topic, message.payload),
    technician,
    progress: (second, readings) => deps.onProgress?.({ second, plannedSeconds: plan.seconds, readings }),
  })
  await deps.publisher.flush()
  let closed = false
  if (technician && deps.api) {
    await untilStored(deps.api, technician.batchId, sent.readings, deps.signal ? { signal: deps.signal } : {})
    closed = await technician.close({
      second: plan.seconds,
      depletionHours: plan.depletionHours,
      highestOxygenPercent: sent.highestOxygenPercent,
      baseMl: sent.baseMl,
    })
  }
  return {
    batchId: technician?.batchId,
    vessel,
    messages: sent.messages,
    readings: sent.readings,
    from: new Date(startMs).toISOString(),
    to: new Date(startMs + plan.seconds * 1000).toISOString(),
    depletionHours: plan.depletionHours,
    closed,
  }
}

/** Into an NDJSON file, as fast as the disk takes it; the same options give the same bytes. */
export async function simulateToFile(
  options: Omit<SimulateOptions, 'speed'>,
  path: string,
  deps: { readonly signal?: AbortSignal; readonly onProgress?: SimulateDeps['onProgress'] } = {},
): Promise<SimulateResult> {
  const { run, plan } = prepare({ ...options, speed: 'max' })
  const startMs = Date.parse(options.start ?? defaultFileStart)
  const vessel = options.vessel ?? defaultVessel
  const file = await messageFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new SimulationError('bad-options', `cannot write ${path}: ${error.message}`, { code: error.code })
  })
  try {
    const sent = await send(run, encoding(options, vessel, startMs, 1), {
      fromSecond: 0,
      due: async () => stopIfAborted(deps.signal),
      message: file.write,
      technician: undefined,
      progress: (second, readings) => deps.onProgress?.({ second, plannedSeconds: plan.seconds, readings }),
    })
    await file.commit()
    return {
      batchId: undefined,
      vessel,
      messages: sent.messages,
      readings: sent.readings,
      from: new Date(startMs).toISOString(),
      to: new Date(startMs + plan.seconds * 1000).toISOString(),
      depletionHours: plan.depletionHours,
      closed: false,
    }
  } catch (error) {
    await file.discard()
    throw error
  }
}

function prepare(options: SimulateOptions): { run: BatchRun; plan: ReturnType<typeof planOfRun> } {
  if (!Number.isSafeInteger(options.seed)) throw badOption('seed', options.seed, 'a whole number')
  if (options.speed !== 'max' && !(Number.isFinite(options.speed) && options.speed > 0))
    throw badOption('speed', options.speed, 'max or a number above 0')
  if (options.vessel !== undefined && !vesselIdPattern.test(options.vessel))
    throw badOption('vessel', options.vessel, 'letters, digits, - and _ (at most 50)')
  if (options.noise !== undefined && !noiseKinds.includes(options.noise))
    throw badOption('noise', options.noise, `one of ${noiseKinds.join(', ')}`)
  if (
    options.start !== undefined &&
    (!sourceTime.safeParse(options.start).success || Number.isNaN(Date.parse(options.start)))
  )
    throw badOption('start', options.start, 'a time in ISO 8601 with its zone')
  const named = runNamed(options.preset, options.seed, options.noise)
  if (!named)
    throw new SimulationError(
      'unknown-preset',
      `preset ${JSON.stringify(options.preset)}: none of that name (N, R, R-O2, batch-1 to batch-18)`,
      { preset: options.preset },
    )
  const run: BatchRun = {
    ...named,
    settings: {
      ...named.settings,
      ...(options.volumeEffects === undefined
        ? {}
        : { vessel: { ...named.settings.vessel, volumeEffects: options.volumeEffects } }),
      ...(options.limitHours === undefined ? {} : { limitHours: options.limitHours }),
      disturbances: [...named.settings.disturbances, ...(options.disturbances ?? [])],
    },
  }
  return { run, plan: planOfRun(run.settings) }
}

const badOption = (field: string, value: unknown, rule: string): SimulationError =>
  new SimulationError('bad-options', `${field}: ${JSON.stringify(value)} is not ${rule}`, {
    field,
    value,
    rule,
  })

const encoding = (
  options: Pick<SimulateOptions, 'form'>,
  vessel: string,
  startMs: number,
  firstSequence: number,
): Encoding => ({
  vessel,
  form: options.form ?? 'many-tag',
  startMs,
  firstSequence,
  origin: 'simulated',
})

type Sink = {
  /** Seconds before it are simulated and counted, but were sent by an earlier run. */
  readonly fromSecond: number
  readonly due: (second: number) => Promise<void>
  readonly message: (message: TimedMessage) => Promise<void>
  readonly technician: Technician | undefined
  readonly progress: (second: number, readings: number) => void
}

const progressEverySeconds = 600

async function send(run: BatchRun, encoded: Encoding, sink: Sink) {
  const delivery = deliveryOf(run.settings.disturbances.filter(isDeliveryFault))
  let messages = 0
  let readings = 0
  let highestOxygenPercent = 0
  let baseMl = 0
  const out = async (ready: readonly TimedMessage[]): Promise<void> => {
    for (const message of ready) {
      if (message.second >= sink.fromSecond) await sink.message(message)
      messages++
      readings += message.readings
    }
  }
  for (const simulated of simulateBatch(run)) {
    await sink.due(simulated.second)
    await out(delivery.send(simulated.second, encodeSecond(simulated, encoded)))
    for (const sample of simulated.samples) await sink.technician?.record(sample)
    highestOxygenPercent = Math.max(highestOxygenPercent, simulated.values.DO ?? 0)
    baseMl = simulated.truth.baseMl
    if (simulated.second % progressEverySeconds === 0) sink.progress(simulated.second, readings)
  }
  await out(delivery.end())
  return { messages, readings, highestOxygenPercent, baseMl }
}
