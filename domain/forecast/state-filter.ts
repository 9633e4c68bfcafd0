/**
 * The state of a batch (biomass, remaining glycerol) and of its unknowns, learnt window by window from whatever of
 * online OD, ammonia, off-gas and offline samples the filter may look at. The equations carry the state from window
 * to window; each signal corrects it by what the equations had expected of it.
 *
 * Deterministic, no look-ahead: the estimate after a window rests on that window and those before it.
 */
import { acidMmolPerGram, baseMmolPerMl } from '../process-model/acid-base.ts'
import { exhaustGas } from '../process-model/gas.ts'
import { glycerolGPerCmol, glycerolReduction } from '../process-model/kinetics.ts'
import type { OfflineSample } from '../process-windows/process-window.ts'
import { type BatchBiology, type Conditions, nominal, type Rates, rates } from './batch-model.ts'
import { gaussianState, type Sensitivity } from './gaussian-state.ts'
import {
  correlationHours,
  indexOf,
  priors,
  strain,
  transferSd,
  type Unknown,
  unknownInoculum,
  unknownNames,
} from './unknowns.ts'
import type { WindowSignals } from './window-signals.ts'

export type FilterSenses = {
  readonly onlineOd: boolean
  readonly offGas: boolean
  readonly base: boolean
  readonly samples: boolean
}

export type FilterInput = {
  readonly hours: number
  readonly conditions: Conditions
  readonly signals: WindowSignals
  readonly volumeL: number
  readonly enrichmentLPerMin: number
  /** Samples recorded since the window before. */
  readonly newSamples: readonly (OfflineSample & { readonly hours: number })[]
  /** Glycerol is known to be gone. */
  readonly depleted: boolean
}

/** Normalised innovations by signal, each the mean over about 10 min; NaN where nothing was seen yet. */
export type Innovations = {
  od: number
  base: number
  carbonDioxide: number
  oxygen: number
  /** Of the last sample alone. */
  sample: number
}

export type StateFilter = {
  readonly apply: (input: FilterInput) => void
  readonly value: (unknown: Unknown) => number
  readonly sd: (unknown: Unknown) => number
  readonly biology: () => BatchBiology
  readonly lnOd: () => number
  readonly sdLnOd: () => number
  /** Standard deviation of a linear combination of unknowns. */
  readonly sdOf: (weights: Readonly<Partial<Record<Unknown, number>>>) => number
  readonly rates: () => Rates | undefined
  readonly innovations: Innovations
  /** Of all signals, the largest mean of squared normalised innovations over about 10 min. */
  readonly surprise: () => number
  readonly strain: () => number
}

/** Near depletion growth changes within seconds. */
const stepHours = 30 / 3600
const fineStepHours = 10 / 3600
const fineBelowGlycerol = 3
const memory = 20
const gasLineSeconds = 60
const minimumGlycerol = 0.6
const forgetPerHour = { lnBiomass: 0.001 ** 2, glycerol: 0.03 ** 2, lnMuMax: 0.002 ** 2 } as const

export function stateFilter(senses: FilterSenses, recordedInoculumOd: number | undefined): StateFilter {
  const inoculumOd =
    recordedInoculumOd !== undefined && recordedInoculumOd > 0.01 ? recordedInoculumOd : undefined
  const state = gaussianState(initialMean(inoculumOd), initialCovariance(inoculumOd))
  const { mean } = state
  const get = (name: Unknown): number => mean[indexOf[name]] ?? 0
  const set = (name: Unknown, value: number): void => {
    mean[indexOf[name]] = value
  }
  const biology = (): BatchBiology => ({
    lnMuMax: get('lnMuMax'),
    lagHours: Math.max(0.2, get('lag')),
    lnYield: get('lnYield'),
  })
  const lnOd = (): number => get('lnBiomass') - Math.log(nominal.dcwPerOdGPerL) - get('lnDcwPerOd')
  const odSensitivity: Sensitivity = [
    [indexOf.lnBiomass, 1],
    [indexOf.lnDcwPerOd, -1],
  ]
  const innovations: Innovations = {
    od: Number.NaN,
    base: Number.NaN,
    carbonDioxide: Number.NaN,
    oxygen: Number.NaN,
    sample: Number.NaN,
  }
  const squares: Record<Exclude<keyof Innovations, 'sample'>, number> = {
    od: 1,
    base: 1,
    carbonDioxide: 1,
    oxygen: 1,
  }
  const note = (signal: keyof typeof squares, normalised: number): void => {
    const before = innovations[signal]
    innovations[signal] = Number.isNaN(before) ? normalised : before + (normalised - before) / memory
    squares[signal] += (Math.min(100, normalised * normalised) - squares[signal]) / memory
  }
  let reached: number | undefined
  let latest: Rates | undefined
  let line: { oxygen: number; carbonDioxide: number } | undefined
  const history: { readonly hours: number; readonly lnOd: number }[] = []

  /** Moves the state over `dt` hours: mean by the equations, covariance by their sensitivities. */
  const step = (dt: number, input: FilterInput): void => {
    const biomass = Math.exp(get('lnBiomass'))
    const s = get('glycerol')
    const now = rates(biomass, s, biology(), input.conditions)
    latest = now
    const dilution =
      ((input.signals.Base_Pump_Rate?.mean ?? 0) * 0.06 - nominal.evaporationLPerH) /
      Math.max(0.2, input.volumeL)
    state.move([
      {
        index: indexOf.lnBiomass,
        row: [
          [indexOf.lnBiomass, 1],
          [indexOf.glycerol, dt * now.mu * now.muByGlycerol],
          [indexOf.lnMuMax, dt * now.mu],
          [indexOf.lag, dt * now.mu * now.muByLag],
        ],
      },
      {
        index: indexOf.glycerol,
        row: [
          [indexOf.glycerol, Math.max(0, 1 - dt * now.uptakeForGrowth * now.muByGlycerol)],
          [indexOf.lnBiomass, -dt * now.uptake],
          [indexOf.lnMuMax, -dt * now.uptakeForGrowth],
          [indexOf.lag, -dt * now.uptakeForGrowth * now.muByLag],
          [indexOf.lnYield, dt * now.uptakeForGrowth],
        ],
      },
    ])
    set('lnBiomass', get('lnBiomass') + dt * (now.mu - dilution))
    set('glycerol', Math.max(0, s - dt * (now.uptake * (1 + (dt * now.mu) / 2) + dilution * s)))
  }

  const advance = (input: FilterInput): void => {
    const from = Math.max(0, reached ?? 0)
    const span = Math.max(0, input.hours - from)
    // After a long silence the equations alone carry on, in coarser steps.
    const steps = Math.max(
      1,
      Math.min(
        60,
        Math.ceil(span / (get('glycerol') < fineBelowGlycerol ? fineStepHours : stepHours) - 1e-6),
      ),
    )
    for (let index = 1; index <= steps; index++) {
      const hours = from + (span * (index - 0.5)) / steps
      step(span / steps, { ...input, conditions: { ...input.conditions, hours } })
    }
    const decay = Math.exp(-span / correlationHours)
    const { sd } = priors.odCorrelated
    state.move([{ index: indexOf.odCorrelated, row: [[indexOf.odCorrelated, decay]] }])
    state.addVariance(indexOf.odCorrelated, sd * sd * (1 - decay * decay))
    set('odCorrelated', get('odCorrelated') * decay)
    state.addVariance(indexOf.lnBiomass, forgetPerHour.lnBiomass * span)
    state.addVariance(indexOf.glycerol, forgetPerHour.glycerol * span)
    state.addVariance(indexOf.lnMuMax, forgetPerHour.lnMuMax * span)
    reached = input.hours
  }

  const seeOd = (input: FilterInput): void => {
    const od = input.signals.OD
    if (!od || od.mean < 0.05) return
    const middle = (latest?.mu ?? 0) / 240
    const driftDays = input.hours / 24
    const expected =
      lnOd() + get('lnOdGain') + get('odCorrelated') + get('odDriftPerDay') * driftDays - middle
    const white = 0.02 / od.mean + 0.01
    note(
      'od',
      state.measure(
        Math.log(od.mean) - expected,
        [
          ...odSensitivity,
          [indexOf.lnOdGain, 1],
          [indexOf.odCorrelated, 1],
          [indexOf.odDriftPerDay, driftDays],
        ],
        (white * white) / od.count + 1e-6,
      ),
    )
  }

  const seeBase = (input: FilterInput): void => {
    const base = input.signals.Base_Pump_Rate
    const pH = input.signals.pH?.mean
    if (!base || !latest || base.mean < 3e-6 || latest.mu <= 0) return
    // Off its setpoint the loop works off a backlog: its feed is not growth then.
    if (pH !== undefined && Math.abs(pH - 5) > 0.15) return
    const biomass = Math.exp(get('lnBiomass'))
    const expected = (acidMmolPerGram * latest.mu * biomass * input.volumeL) / baseMmolPerMl / 60
    const resolution = 3e-7 / base.mean
    note(
      'base',
      state.measure(
        Math.log(base.mean / expected) - get('lnBaseGain'),
        [
          [indexOf.lnBiomass, 1],
          [indexOf.lnMuMax, 1],
          [indexOf.lag, latest.muByLag],
          [indexOf.glycerol, latest.muByGlycerol],
          [indexOf.lnBaseGain, 1],
        ],
        0.05 ** 2 / base.count + 0.004 ** 2 + resolution * resolution,
      ),
    )
  }

  const seeGas = (input: FilterInput): void => {
    const { signals, volumeL } = input
    const shownAir = signals.Gas_MFC_air?.mean
    if (!latest || shownAir === undefined || shownAir < 0.05) return
    const air = shownAir / Math.exp(get('lnAirGain'))
    const our = latest.oxygenUptake * volumeL
    const cer = latest.carbonDioxideEvolution * volumeL
    const exhaust = exhaustGas(air, input.enrichmentLPerMin, our, cer)
    const share = 1 - Math.exp(-30 / gasLineSeconds)
    line = line
      ? {
          oxygen: line.oxygen + (exhaust.oxygenFraction - line.oxygen) * share,
          carbonDioxide: line.carbonDioxide + (exhaust.carbonDioxideFraction - line.carbonDioxide) * share,
        }
      : { oxygen: exhaust.oxygenFraction, carbonDioxide: exhaust.carbonDioxideFraction }
    const shifted = (ourFactor: number, cerFactor: number, airFactor: number) => {
      const other = exhaustGas(air * airFactor, input.enrichmentLPerMin, our * ourFactor, cer * cerFactor)
      return {
        oxygen: (other.oxygenFraction - exhaust.oxygenFraction) * 1e5,
        carbonDioxide: (other.carbonDioxideFraction - exhaust.carbonDioxideFraction) * 1e5,
      }
    }
    // Per relative change of OUR, CER and air flow, in % v/v.
    const byOur = shifted(1.001, 1, 1)
    const byCer = shifted(1, 1.001, 1)
    const byAir = shifted(1, 1, 0.999)
    const growth = { our: oxygenOfGrowth(latest) * volumeL, cer: carbonOfGrowth(latest) * volumeL }
    const ofGrowth = { our: our > 0 ? growth.our / our : 1, cer: cer > 0 ? growth.cer / cer : 1 }
    const ofYield = {
      our: our > 0 ? (-oxygenOfUptake(latest) * volumeL) / our : 0,
      cer: cer > 0 ? (-carbonOfUptake(latest) * volumeL) / cer : 0,
    }
    const sensitivity = (gas: 'oxygen' | 'carbonDioxide', gain: number): [number, number][] => {
      const biomass = gain * (byOur[gas] + byCer[gas])
      const muMax = gain * (byOur[gas] * ofGrowth.our + byCer[gas] * ofGrowth.cer)
      return [
        [indexOf.lnBiomass, biomass],
        [indexOf.lnMuMax, muMax],
        [indexOf.lag, muMax * (latest?.muByLag ?? 0)],
        [indexOf.glycerol, muMax * (latest?.muByGlycerol ?? 0)],
        [indexOf.lnYield, gain * (byOur[gas] * ofYield.our + byCer[gas] * ofYield.cer)],
        [indexOf.lnAirGain, gain * byAir[gas]],
      ]
    }
    const carbonDioxide = signals.Off_Gas_CO2
    if (carbonDioxide) {
      const gain = Math.exp(get('lnCarbonDioxideGain'))
      const expected = gain * line.carbonDioxide * 100
      note(
        'carbonDioxide',
        state.measure(
          carbonDioxide.mean - expected - get('carbonDioxideOffset'),
          [
            ...sensitivity('carbonDioxide', gain),
            [indexOf.lnCarbonDioxideGain, expected],
            [indexOf.carbonDioxideOffset, 1],
          ],
          0.02 ** 2 / carbonDioxide.count + (0.004 * expected) ** 2,
        ),
      )
    }
    const oxygen = signals.Off_Gas_O2
    if (oxygen) {
      const expected = line.oxygen * 100
      const used = Math.abs(20.95 - expected)
      note(
        'oxygen',
        state.measure(
          oxygen.mean - expected - get('oxygenOffset'),
          [...sensitivity('oxygen', 1), [indexOf.oxygenOffset, 1]],
          0.03 ** 2 / oxygen.count +
            0.012 ** 2 +
            (0.004 * used) ** 2 +
            (input.enrichmentLPerMin > 0 ? 0.25 ** 2 : 0),
        ),
      )
    }
  }

  const seeSample = (sample: OfflineSample & { readonly hours: number }): void => {
    if (!(sample.od600 > 0.02)) return
    const then = history.findLast((one) => one.hours <= sample.hours + 1e-6)
    const behind = then ? lnOd() - then.lnOd : 0
    innovations.sample = state.measure(
      Math.log(sample.od600) - (lnOd() - behind) - get('assayBias'),
      [...odSensitivity, [indexOf.assayBias, 1]],
      0.03 ** 2 + 0.012 ** 2,
    )
  }

  return {
    apply: (input) => {
      advance(input)
      if (input.depleted) {
        if (get('glycerol') > 0.05) state.measure(0.03 - get('glycerol'), [[indexOf.glycerol, 1]], 0.1 ** 2)
        set('glycerol', 0)
      }
      if (senses.onlineOd) seeOd(input)
      if (!input.depleted) {
        if (senses.base) seeBase(input)
        if (senses.offGas) seeGas(input)
        // Growth goes on, so glycerol is left.
        if (senses.offGas && get('glycerol') < minimumGlycerol)
          state.measure(minimumGlycerol + 0.2 - get('glycerol'), [[indexOf.glycerol, 1]], 0.3 ** 2)
      }
      if (senses.samples) for (const sample of input.newSamples) seeSample(sample)
      keepInBounds()
      history.push({ hours: input.hours, lnOd: lnOd() })
      if (history.length > 960) history.shift()
    },
    value: get,
    sd: (name) => state.sd(indexOf[name]),
    biology,
    lnOd,
    sdLnOd: () => state.sdOf(odSensitivity),
    sdOf: (weights) =>
      state.sdOf(
        unknownNames.flatMap((name) => (weights[name] === undefined ? [] : [[indexOf[name], weights[name]]])),
      ),
    rates: () => latest,
    innovations,
    surprise: () => Math.max(squares.od, squares.base, squares.carbonDioxide, squares.oxygen),
    strain: () => strain(mean),
  }

  function keepInBounds(): void {
    set('glycerol', Math.min(60, Math.max(0, get('glycerol'))))
    set('lag', Math.min(3, Math.max(0.2, get('lag'))))
    set('lnBiomass', Math.min(Math.log(60), Math.max(Math.log(0.01), get('lnBiomass'))))
    for (const name of ['lnMuMax', 'lnYield'] as const) set(name, Math.min(0.4, Math.max(-0.4, get(name))))
  }
}

// What of the rates scales with growth (the rest is maintenance), mmol/L/h.
const oxygenOfGrowth = (now: Rates): number =>
  now.oxygenUptake - (glycerolReduction / 4) * respired(now.uptake - now.uptakeForGrowth)
const carbonOfGrowth = (now: Rates): number =>
  now.carbonDioxideEvolution - respired(now.uptake - now.uptakeForGrowth)
// Per unit of relative change of the uptake that growth takes: all of that carbon is respired.
const oxygenOfUptake = (now: Rates): number => (glycerolReduction / 4) * respired(now.uptakeForGrowth)
const carbonOfUptake = (now: Rates): number => respired(now.uptakeForGrowth)
const respired = (glycerol: number): number => (1000 * glycerol) / glycerolGPerCmol

function initialMean(inoculumOd: number | undefined): number[] {
  const lnBiomass = Math.log((inoculumOd ?? unknownInoculum.od) * nominal.dcwPerOdGPerL)
  return unknownNames.map((name) => (name === 'lnBiomass' ? lnBiomass : priors[name].mean))
}

function initialCovariance(inoculumOd: number | undefined): number[][] {
  const od = inoculumOd === undefined ? unknownInoculum.sd : transferSd
  const dcw = priors.lnDcwPerOd.sd
  return unknownNames.map((row) =>
    unknownNames.map((column) => {
      const both = new Set([row, column])
      if (row === 'lnBiomass' && column === 'lnBiomass') return od * od + dcw * dcw
      if (both.has('lnBiomass') && both.has('lnDcwPerOd')) return dcw * dcw
      return row === column && row !== 'lnBiomass' ? priors[row].sd ** 2 : 0
    }),
  )
}
