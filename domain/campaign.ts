/**
 * The campaign of 18 batches: what each is planned to be, and a simulated realisation with batch-to-batch spread.
 * Phase A (1-3) validates control, phase B (4-15) varies temperature, inoculum and adds planned stress, phase C
 * (16-18) is the sealed hold-out.
 */
import type { BatchRun } from './process-model/batch-run.ts'
import type { Disturbance } from './process-model/disturbances.ts'
import type { NoiseKind } from './process-model/noise.ts'
import { type RandomStream, randomStream } from './process-model/random.ts'
import { type BatchSettings, isPresetName, type PresetName, presets } from './process-model/settings.ts'

export type PlannedBatch = {
  readonly number: number
  readonly phase: 'A' | 'B' | 'C'
  readonly variation: string
  readonly controlled: boolean
  readonly temperatureCelsius: number
  readonly startPH: number
  /** OD600 of the 100 mL inoculum; a tenth of it is the OD at T = 0. */
  readonly inoculumOd: number
  readonly stress: readonly Disturbance[]
}

const nominal = {
  variation: 'Nominal',
  controlled: true,
  temperatureCelsius: 30,
  startPH: 5,
  inoculumOd: 4,
  stress: [],
} as const

export const campaignPlan: readonly PlannedBatch[] = [
  { ...nominal, number: 1, phase: 'A', variation: 'No_Control', controlled: false },
  { ...nominal, number: 2, phase: 'A' },
  { ...nominal, number: 3, phase: 'A' },
  { ...nominal, number: 4, phase: 'B' },
  { ...nominal, number: 5, phase: 'B' },
  { ...nominal, number: 6, phase: 'B' },
  { ...nominal, number: 7, phase: 'B', variation: 'Temp_Low', temperatureCelsius: 29 },
  { ...nominal, number: 8, phase: 'B' },
  { ...nominal, number: 9, phase: 'B', variation: 'Temp_High', temperatureCelsius: 31 },
  { ...nominal, number: 10, phase: 'B', variation: 'Inoc_Low', inoculumOd: 2.5 },
  { ...nominal, number: 11, phase: 'B' },
  { ...nominal, number: 12, phase: 'B', variation: 'Inoc_High', inoculumOd: 6 },
  {
    ...nominal,
    number: 13,
    phase: 'B',
    variation: 'Stress_TempSpike',
    stress: [{ kind: 'temperature-setpoint', fromHours: 8, toHours: 8.5, celsius: 32 }],
  },
  {
    ...nominal,
    number: 14,
    phase: 'B',
    variation: 'Stress_AgitationDrop',
    stress: [{ kind: 'agitation-override', fromHours: 6, toHours: 7, rpm: 400 }],
  },
  { ...nominal, number: 15, phase: 'B', variation: 'Stress_StartPH', startPH: 5.3 },
  { ...nominal, number: 16, phase: 'C', variation: 'New_Media_Lot' },
  { ...nominal, number: 17, phase: 'C', variation: 'Alternate_Operator' },
  { ...nominal, number: 18, phase: 'C', variation: 'After_Maintenance' },
]

export const plannedBatch = (number: number): PlannedBatch | undefined =>
  campaignPlan.find((batch) => batch.number === number)

/**
 * The run that a name stands for: a preset (`N`, `R`, `R-O2`, `batch-1`: nothing drawn, kind noise) or `batch-2` to
 * `batch-18` (a realisation of the planned batch, realistic noise); undefined for any other name.
 */
export function runNamed(name: string, seed: number, noise?: NoiseKind): BatchRun | undefined {
  if (isPresetName(name)) return { settings: presets[name], noise: noise ?? 'kind', seed }
  const number = /^batch-([1-9]\d?)$/.exec(name)?.[1]
  const planned = number === undefined ? undefined : plannedBatch(Number(number))
  return planned && campaignBatch(planned, { seed, ...(noise ? { noise } : {}) })
}

export type CampaignOptions = {
  readonly seed: number
  /** The vessel; drawn per batch (50 % N, 30 % R-O2, 20 % R) when absent. */
  readonly vessel?: Exclude<PresetName, 'batch-1'>
  readonly noise?: NoiseKind
  /** False: exactly as planned, nothing drawn. */
  readonly spread?: boolean
}

/**
 * One realisation of a planned batch. Spread (relative SD unless said otherwise): mu_max 3 %, true yield 2 %,
 * OD at T = 0 5 %, glycerol 1 %, DCW per OD 2 % around 0.40 g/L, lag +-0.25 h (uniform), evaporation 0.55-2 g/h,
 * respiration tail 6-12 min. Batch 16 (other lot and vial): a further lag SD of 0.15 h and glycerol 1 %.
 * Batch 18 (other probe): a further 2 % on the gain of the OD probe. Realistic noise unless said otherwise.
 */
export function campaignBatch(planned: PlannedBatch, options: CampaignOptions): BatchRun {
  const batchSeed = seedOf(options.seed, planned.number)
  const random = randomStream(options.seed, `campaign/${planned.number}`)
  const vessel = options.vessel ?? drawVessel(random)
  const asPlanned = settingsOf(planned, vessel)
  return {
    settings: options.spread === false ? asPlanned : spread(asPlanned, planned, random),
    noise: options.noise ?? 'realistic',
    seed: batchSeed,
    ...(planned.number === 18 ? { noiseOptions: { extraOdGainSd: 0.02 } } : {}),
    ...(planned.phase === 'C' ? { duplicatePoints: ['0h', '8h', 'depletion'] } : {}),
  }
}

function settingsOf(planned: PlannedBatch, vessel: Exclude<PresetName, 'batch-1'>): BatchSettings {
  const base: BatchSettings = planned.controlled ? presets[vessel] : presets['batch-1']
  return {
    ...base,
    name: `batch-${planned.number}`,
    vessel: { ...base.vessel, volumeEffects: 'full' },
    control: { ...base.control, temperatureCelsius: planned.temperatureCelsius },
    start: { ...base.start, od: planned.inoculumOd / 10, pH: planned.startPH },
    disturbances: planned.stress,
  }
}

function spread(settings: BatchSettings, planned: PlannedBatch, random: RandomStream): BatchSettings {
  const { biology, vessel, start } = settings
  const otherLot = planned.number === 16
  const lag = biology.lagHours + 0.5 * (random.uniform() - 0.5) + (otherLot ? 0.15 * random.normal() : 0)
  return {
    ...settings,
    biology: {
      ...biology,
      muMaxPerH: biology.muMaxPerH * (1 + 0.03 * random.normal()),
      yieldGPerG: biology.yieldGPerG * (1 + 0.02 * random.normal()),
      lagHours: Math.max(0.1, lag),
      dcwPerOdGPerL: biology.dcwPerOdGPerL * (1 + 0.02 * random.normal()),
      respirationTailMinutes: 6 + 6 * random.uniform(),
    },
    vessel: { ...vessel, evaporationGPerH: 0.55 + 1.45 * random.uniform() },
    start: {
      ...start,
      od: start.od * (1 + 0.05 * random.normal()),
      glycerolGPerL:
        start.glycerolGPerL * (1 + 0.01 * random.normal()) * (otherLot ? 1 + 0.01 * random.normal() : 1),
    },
  }
}

function drawVessel(random: RandomStream): Exclude<PresetName, 'batch-1'> {
  const draw = random.uniform()
  return draw < 0.5 ? 'N' : draw < 0.8 ? 'R-O2' : 'R'
}

/** A whole number of 31 bits, so that a seed can be shown and typed. */
const seedOf = (campaignSeed: number, number: number): number =>
  Math.floor(randomStream(campaignSeed, `seed/${number}`).uniform() * 2 ** 31)
