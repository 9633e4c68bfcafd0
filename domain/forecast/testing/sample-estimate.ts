/** An estimate of a healthy batch at 14 h, as the checks and the composition see it, with what a test wants changed. */
import type { ProcessWindow } from '../../process-windows/process-window.ts'
import { featureNames } from '../feature-schema.ts'
import type { ForecastInput } from '../outcome.ts'
import type { Outlook } from '../roll-forward.ts'
import type { StateFilter } from '../state-filter.ts'
import type { VesselEstimate } from '../vessel-estimate.ts'
import type { Signal } from '../window-signals.ts'

const outlook: Outlook = {
  lnRatio: { PT30S: 0.002, PT30M: 0.12, PT1H: 0.24, PT2H: 0.48 },
  depletionMinutes: 300,
  lowestOxygenFactor: 1,
}

export const sampleWindow = {
  batchId: '019b2f5e-0000-7000-8000-000000000001',
  vessel: 'V-01',
  origin: 'simulated',
  site: 'site-1',
  fromMs: 0,
  toMs: 30_000,
  hours: 14,
  inputPositions: { from: 1n, to: 2n },
  closedAt: '2026-01-01T14:00:01.000Z',
  tags: {},
  derived: {},
  phase: 'exponential',
  depletionConfirmedMs: undefined,
  inoculumOd: 0.4,
  samples: [],
  corrections: [],
  qualityScore: 100,
} as const satisfies ProcessWindow

export type FilterFacts = {
  readonly lnOd?: number
  readonly odGain?: number
  readonly surprise?: number
  readonly strain?: number
  readonly innovation?: number
  readonly sample?: number
}

/** Only what the checks ask of a filter. */
export function sampleFilter(facts: FilterFacts = {}): StateFilter {
  const innovation = facts.innovation ?? 0
  return {
    apply: () => undefined,
    value: (name) => (name === 'lnOdGain' ? (facts.odGain ?? 0) : 0),
    sd: () => 0.01,
    sdLnOd: () => 0.01,
    sdOf: () => 0.01,
    biology: () => ({ lnMuMax: 0, lagHours: 1, lnYield: 0 }),
    lnOd: () => facts.lnOd ?? Math.log(11),
    rates: () => undefined,
    innovations: {
      od: innovation,
      base: 0,
      carbonDioxide: 0,
      oxygen: 0,
      sample: facts.sample ?? Number.NaN,
    },
    surprise: () => facts.surprise ?? 1,
    strain: () => facts.strain ?? 6,
  }
}

const signal = (mean: number): Signal => ({ mean, last: mean, count: 30 })

export function sampleEstimate(changes: Partial<VesselEstimate> = {}): VesselEstimate {
  const filter = sampleFilter()
  return {
    window: sampleWindow,
    hours: 14,
    signals: {
      OD: signal(11),
      Off_Gas_CO2: signal(0.8),
      Off_Gas_O2: signal(19.9),
      Base_Pump_Rate: signal(0.008),
      DO: signal(54),
      pH: signal(5),
      Temp_Broth: signal(30),
      Gas_MFC_air: signal(1),
      Gas_Flow_Inlet: signal(1),
      Stir_SP: signal(500),
      Weight: signal(4.2),
      Reactor_Pressure: signal(1.013),
      missing: [],
      stuck: [],
    },
    filters: { all: filter, soft: filter, gasAndBase: filter, gasOnly: filter, blind: filter },
    outlook,
    shortOutlook: outlook,
    oxygenFactor: 1,
    enrichmentLPerMin: 0,
    kLa500: 300,
    volumeL: 0.95,
    samples: 6,
    hoursSinceSample: 2,
    depletedAtHours: undefined,
    baseShare: 1,
    transferChange: 0,
    ...changes,
  }
}

export function sampleInput(changes: Partial<ForecastInput> = {}): ForecastInput {
  return {
    window: sampleWindow,
    features: new Float32Array(featureNames.length),
    lastValue: 11,
    lastMu: 0.24,
    inDomainScore: 0.7,
    basis: {
      lnOd: Math.log(11),
      softLnOd: Math.log(10.8),
      gasAndBaseLnOd: Math.log(10.5),
      gasOnlyLnOd: Math.log(10.2),
      blindLnOd: Math.log(12),
      outlook,
      shortOutlook: outlook,
      depleted: false,
      scale: { PT0S: 0.02, PT30S: 0.01, PT30M: 0.01, PT1H: 0.012, PT2H: 0.015, depletion: 4 },
    },
    ...changes,
  }
}
