/**
 * What a simulated batch is made of: biology, vessel, control and start conditions of the Pichia pastoris
 * glycerol batch (process description; literature values for strain and benchtop glass vessels), and the presets.
 *
 * `N` nominal and idealised (kLa 300 1/h at 500 rpm), `R` realistic benchtop vessel on air alone, `R-O2` the same
 * with oxygen enrichment, `batch-1` the first batch of the campaign without any control (500 rpm, free pH).
 */
import type { Disturbance } from './disturbances.ts'

export type Biology = {
  /** At 30 °C, pH 5. */
  readonly muMaxPerH: number
  readonly ksGPerL: number
  /** True yield on glycerol, without maintenance. */
  readonly yieldGPerG: number
  readonly maintenanceGPerGPerH: number
  /** Scale of the lag 1 - exp(-(t/lag)^3). */
  readonly lagHours: number
  readonly oxygenAffinityMmolPerL: number
  readonly endogenousMmolPerGPerH: number
  /** Time constant at which respiration falls back after depletion. */
  readonly respirationTailMinutes: number
  readonly dcwPerOdGPerL: number
}

export type Vessel = {
  readonly kLa500PerH: number
  readonly airLPerMin: number
  readonly pressureBar: number
  readonly evaporationGPerH: number
  /**
   * `weight-only`: concentrations and gas balance stand on a constant volume, samples, base and evaporation show
   * in Weight alone (the model that the verified runs were made with). `full`: they dilute, concentrate and scale.
   */
  readonly volumeEffects: 'weight-only' | 'full'
}

export type Control = {
  /** `cascade`: agitation 500 to 1000 rpm in 50-rpm steps, then oxygen; `fixed`: 500 rpm. */
  readonly agitation: 'cascade' | 'fixed'
  readonly maximumOxygenLPerMin: number
  readonly dissolvedOxygenSetpointPercent: number
  readonly pH: 'base' | 'free'
  readonly pHSetpoint: number
  readonly temperatureCelsius: number
}

export type Start = {
  readonly glycerolGPerL: number
  readonly od: number
  readonly pH: number
  readonly volumeL: number
}

export type BatchSettings = {
  readonly name: string
  readonly biology: Biology
  readonly vessel: Vessel
  readonly control: Control
  readonly start: Start
  readonly disturbances: readonly Disturbance[]
  /** The run ends this long after depletion, or at the limit. */
  readonly endAfterDepletionHours: number
  readonly limitHours: number
}

export const nominalBiology: Biology = {
  muMaxPerH: 0.26,
  ksGPerL: 0.1,
  yieldGPerG: 0.62,
  maintenanceGPerGPerH: 0.02,
  lagHours: 1,
  oxygenAffinityMmolPerL: 0.003,
  endogenousMmolPerGPerH: 0.15,
  respirationTailMinutes: 6,
  dcwPerOdGPerL: 0.4,
}

const nominal: BatchSettings = {
  name: 'N',
  biology: nominalBiology,
  vessel: {
    kLa500PerH: 300,
    airLPerMin: 1,
    pressureBar: 1.013,
    evaporationGPerH: 1,
    volumeEffects: 'weight-only',
  },
  control: {
    agitation: 'cascade',
    maximumOxygenLPerMin: 0,
    dissolvedOxygenSetpointPercent: 30,
    pH: 'base',
    pHSetpoint: 5,
    temperatureCelsius: 30,
  },
  start: { glycerolGPerL: 40, od: 0.4, pH: 5, volumeL: 1 },
  disturbances: [],
  endAfterDepletionHours: 1,
  limitHours: 48,
}

const realistic: BatchSettings = {
  ...nominal,
  name: 'R',
  biology: { ...nominalBiology, respirationTailMinutes: 7 },
  vessel: { ...nominal.vessel, kLa500PerH: 120 },
}

export const presets = {
  N: nominal,
  R: realistic,
  'R-O2': {
    ...realistic,
    name: 'R-O2',
    control: { ...realistic.control, maximumOxygenLPerMin: 0.3 },
  },
  'batch-1': {
    ...nominal,
    name: 'batch-1',
    vessel: { ...nominal.vessel, kLa500PerH: 200 },
    control: { ...nominal.control, agitation: 'fixed', pH: 'free' },
  },
} as const satisfies Record<string, BatchSettings>

export type PresetName = keyof typeof presets
export const presetNames = Object.keys(presets) as PresetName[]
export const isPresetName = (name: string): name is PresetName => Object.hasOwn(presets, name)
