/**
 * Measurement noise. `none` for verification; `kind` white noise and slow drift as the process description lists
 * it, with exact probes and assays; `realistic` adds probe gains and offsets, autocorrelated OD noise (Ornstein-Uhlenbeck), base pump strokes
 * and the offline assay's error. One `NoiseModel` belongs to one batch: its gains are drawn once.
 */
import type { Tag } from '../../schemas/tags.ts'
import { type RandomStream, randomStream } from './random.ts'
import { exactAssay, type OfflineAssay } from './sample-plan.ts'

export const noiseKinds = ['none', 'kind', 'realistic'] as const
export type NoiseKind = (typeof noiseKinds)[number]

export type NoiseModel = {
  /** The shown value of `tag` for the undisturbed `value` at `second`; call in order of time, once a reading. */
  readonly apply: (tag: Tag, value: number, second: number) => number
  readonly assay: OfflineAssay
}

export type NoiseOptions = {
  /** A further relative SD of the OD probe's gain, for a batch after a change of probe. */
  readonly extraOdGainSd?: number
}

const day = 86_400

const whiteSd: Partial<Record<Tag, { absolute?: number; relative?: number }>> = {
  pH: { absolute: 0.01 },
  DO: { absolute: 0.5 },
  OD: { absolute: 0.02, relative: 0.01 },
  Temp_Broth: { absolute: 0.03 },
  Temp_pH_Probe: { absolute: 0.03 },
  Temp_DO_Probe: { absolute: 0.03 },
  Temp_Stirrer_Motor: { absolute: 0.1 },
  Temp_Exhaust: { absolute: 0.03 },
  Off_Gas_CO2: { absolute: 0.02 },
  Off_Gas_O2: { absolute: 0.03 },
  Gas_MFC_air: { relative: 0.005 },
  Gas_Flow_Inlet: { relative: 0.005 },
  Gas_Flow_Outlet: { relative: 0.005 },
  Reactor_Pressure: { absolute: 0.001 },
  Weight: { absolute: 0.001 },
  // 2 rpm on the shaft at 500 to 1000 rpm is 0.1 % of torque; the rest is the drive's own ripple.
  Stir_torque: { absolute: 0.3 },
  Heater_PID_out: { absolute: 0.5 },
}

const noiseless: NoiseModel = { apply: (_tag, value) => value, assay: exactAssay }

/** The noise of one batch. A setpoint (Stir_SP) is a number in a controller and has none. */
export function noiseModel(kind: NoiseKind, seed: number, options: NoiseOptions = {}): NoiseModel {
  if (kind === 'none') return noiseless
  const white = new Map<Tag, { stream: RandomStream; absolute: number; relative: number }>()
  for (const [tag, sd] of Object.entries(whiteSd))
    white.set(tag as Tag, {
      stream: randomStream(seed, `white/${tag}`),
      absolute: sd.absolute ?? 0,
      relative: sd.relative ?? 0,
    })
  const systematic = kind === 'realistic' ? realisticErrors(seed, options) : kindErrors(seed)
  const apply = (tag: Tag, value: number, second: number): number => {
    const shown = systematic.apply(tag, value, second)
    const noise = white.get(tag)
    if (!noise) return shown
    return shown + (noise.absolute + noise.relative * Math.abs(value)) * noise.stream.normal()
  }
  return { apply, assay: systematic.assay }
}

/** pH drifts 0.01 a day, O2 0.02 % a day, up or down. */
function kindErrors(seed: number): NoiseModel {
  const random = randomStream(seed, 'drift')
  const pHPerDay = random.uniform() < 0.5 ? -0.01 : 0.01
  const oxygenPerDay = random.uniform() < 0.5 ? -0.02 : 0.02
  return {
    apply: (tag, value, second) => {
      if (tag === 'pH') return value + (pHPerDay * second) / day
      if (tag === 'Off_Gas_O2') return value + (oxygenPerDay * second) / day
      return value
    },
    assay: exactAssay,
  }
}

function realisticErrors(seed: number, options: NoiseOptions): NoiseModel {
  const drift = kindErrors(seed)
  const random = randomStream(seed, 'gains')
  const odGain = 1 + 0.02 * random.normal() + (options.extraOdGainSd ?? 0) * random.normal()
  const odDriftPerDay = 0.01 * random.normal()
  const carbonDioxideGain = 1 + 0.02 * random.normal()
  const carbonDioxideOffset = 0.01 * random.normal()
  const oxygenOffset = 0.05 * random.normal()
  const airGain = 1 + 0.01 * random.normal()
  const baseGain = 1 + 0.03 * random.normal()
  const assayBias = 0.01 * random.normal()
  const slow = randomStream(seed, 'od-correlated')
  const stroke = randomStream(seed, 'base-strokes')

  // Exact discretisation of an Ornstein-Uhlenbeck process with SD 1.5 % and a time constant of 10 min.
  const keep = Math.exp(-1 / 600)
  const renew = 0.015 * Math.sqrt(1 - keep * keep)
  let correlated = 0.015 * slow.normal()
  let reached = 0

  return {
    apply: (tag, value, second) => {
      switch (tag) {
        case 'OD':
          for (; reached < second; reached++) correlated = keep * correlated + renew * slow.normal()
          return value * (odGain + correlated + (odDriftPerDay * second) / day)
        case 'Off_Gas_CO2':
          return value * carbonDioxideGain + carbonDioxideOffset
        case 'Off_Gas_O2':
          return drift.apply(tag, value, second) + oxygenOffset
        case 'Gas_MFC_air':
        case 'Gas_Flow_Inlet':
          return value * airGain
        case 'Base_Pump_Rate':
          return value * baseGain * (1 + 0.05 * stroke.normal())
        default:
          return drift.apply(tag, value, second)
      }
    },
    assay: { cv: 0.03, au: 0.005, bias: assayBias },
  }
}
