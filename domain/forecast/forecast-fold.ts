/**
 * From windows to the forecaster's input, one instance a vessel: estimates of the batch's state by filters that
 * see more and more (the inoculum alone; off-gas; ammonia feed; offline samples; the online OD probe), the equations carried on from them, and the features
 * on which the learned residual works. Pure and without look-ahead: an input rests on the windows folded so far.
 */

import { acidMmolPerGram, baseMmolPerMl } from '../process-model/acid-base.ts'
import { saturationMmolPerL } from '../process-model/kinetics.ts'
import type { ProcessWindow } from '../process-windows/process-window.ts'
import { nominal, oxygenFactorOfProbe } from './batch-model.ts'
import { type DepletionWatch, depletionWatch } from './depletion-watch.ts'
import { domainLimits } from './domain-limits.ts'
import { featureVector } from './feature-vector.ts'
import { type DomainWatch, domainWatch } from './in-domain.ts'
import { type LiquidVolume, liquidVolume } from './liquid-volume.ts'
import type { ForecastInput } from './outcome.ts'
import { type OxygenTransfer, oxygenTransfer } from './oxygen-transfer.ts'
import { type Outlook, type RollFrom, rollForward } from './roll-forward.ts'
import { scales } from './scales.ts'
import { type FilterInput, stateFilter } from './state-filter.ts'
import { priors } from './unknowns.ts'
import type { Filters, VesselEstimate } from './vessel-estimate.ts'
import { type WindowSignals, windowSignals } from './window-signals.ts'

export type ForecastFold = { readonly apply: (window: ProcessWindow) => ForecastInput | undefined }

/** Nothing is said of the first minutes: no signal tells the inoculum from the medium yet. */
const firstHours = 0.1
/** Beyond it no time to depletion is issued. */
const farMinutes = 365

type BatchMemory = {
  readonly filters: Filters
  readonly volume: LiquidVolume
  readonly oxygen: OxygenTransfer
  readonly depletion: DepletionWatch
  readonly domain: DomainWatch
  readonly samplesSeen: Set<string>
  readonly drawn: Set<number>
  lastSampleHours: number
  lastTemperature: number
  lastPH: number
  lastOxygenFactor: number
  lastRpm: number
  baseMl: number
  reached: number
  enriched: boolean
  enrichment: number
}

export function forecastFold(): ForecastFold {
  let batchId: string | undefined
  let memory: BatchMemory | undefined
  return {
    apply: (window) => {
      if (window.batchId !== batchId) {
        batchId = window.batchId
        memory = undefined
      }
      if (window.hours === undefined || window.hours <= 0) return undefined
      memory ??= begin(window.inoculumOd)
      const estimate = take(memory, window, window.hours)
      return window.hours < firstHours ? undefined : inputOf(estimate, memory.domain)
    },
  }
}

function begin(inoculumOd: number | undefined): BatchMemory {
  const filter = (offGas: boolean, base: boolean, samples: boolean, onlineOd: boolean) =>
    stateFilter({ offGas, base, samples, onlineOd }, inoculumOd)
  return {
    filters: {
      all: filter(true, true, true, true),
      soft: filter(true, true, true, false),
      gasAndBase: filter(true, true, false, false),
      gasOnly: filter(true, false, false, false),
      blind: filter(false, false, false, false),
    },
    volume: liquidVolume(),
    oxygen: oxygenTransfer(),
    depletion: depletionWatch(),
    domain: domainWatch(),
    samplesSeen: new Set(),
    drawn: new Set(),
    lastSampleHours: Number.NaN,
    lastTemperature: 30,
    lastPH: 5,
    lastOxygenFactor: 1,
    lastRpm: 500,
    baseMl: 0,
    reached: 0,
    enriched: false,
    enrichment: 0,
  }
}

function take(memory: BatchMemory, window: ProcessWindow, hours: number): VesselEstimate {
  const signals = windowSignals(window)
  const span = hours - memory.reached
  memory.reached = hours
  memory.lastTemperature = signals.Temp_Broth?.mean ?? memory.lastTemperature
  memory.lastPH = signals.pH?.mean ?? memory.lastPH
  memory.lastRpm = signals.Stir_SP?.last ?? memory.lastRpm
  if (signals.DO) memory.lastOxygenFactor = oxygenFactorOfProbe(signals.DO.mean, saturationMmolPerL)
  memory.baseMl += (signals.Base_Pump_Rate?.mean ?? 0) * 60 * Math.max(0, span)
  memory.enrichment = enrichmentOf(signals, memory)
  if (memory.enrichment > 0) memory.enriched = true

  const newSamples = window.samples
    .filter((sample) => !memory.samplesSeen.has(sample.sampleEventId))
    .map((sample) => ({ ...sample, hours: hours - (window.toMs - sample.sampledMs) / 3_600_000 }))
  for (const sample of newSamples) {
    memory.samplesSeen.add(sample.sampleEventId)
    memory.drawn.add(sample.sampledMs)
    memory.lastSampleHours = Math.max(
      sample.hours,
      Number.isNaN(memory.lastSampleHours) ? 0 : memory.lastSampleHours,
    )
  }
  const volumeL = memory.volume.apply(hours, signals.Weight?.mean, memory.drawn.size, memory.baseMl)
  const input: FilterInput = {
    hours,
    conditions: {
      hours,
      celsius: memory.lastTemperature,
      pH: memory.lastPH,
      oxygenFactor: memory.lastOxygenFactor,
    },
    signals,
    volumeL,
    enrichmentLPerMin: memory.enrichment,
    newSamples,
    depleted: memory.depletion.seenAtHours() !== undefined,
  }
  const { all, soft } = memory.filters
  for (const filter of Object.values(memory.filters)) filter.apply(input)
  // What is learnt of depletion and oxygen transfer must not rest on the probe that the soft sensor stands in for.
  const now = soft.rates()
  const share = baseShare(memory, signals, volumeL)
  memory.depletion.apply({
    hours,
    glycerolGPerL: soft.value('glycerol'),
    baseShare: share,
    dissolvedOxygenPercent: signals.DO?.mean,
    carbonDioxidePercent: signals.Off_Gas_CO2?.mean,
  })
  const exhaustOxygen = (signals.Off_Gas_O2?.mean ?? 20.95) / 100
  if (now && signals.DO && !input.depleted)
    memory.oxygen.observe({
      oxygenUptake: now.oxygenUptake,
      dissolvedOxygenPercent: signals.DO.mean,
      exhaustOxygenFraction: exhaustOxygen,
      rpm: memory.lastRpm,
      enrichmentLPerMin: memory.enrichment,
    })
  const rollFrom: RollFrom = {
    hours,
    biomass: Math.exp(all.value('lnBiomass')),
    glycerol: input.depleted ? 0 : all.value('glycerol'),
    biology: all.biology(),
    celsius: memory.lastTemperature,
    pH: memory.lastPH,
    volumeL,
    baseMlPerMin: signals.Base_Pump_Rate?.mean ?? 0,
    oxygen: {
      kLa500: memory.oxygen.kLa500(),
      cascade: { rpm: memory.lastRpm, oxygenLPerMin: memory.enrichment },
      // Before agitation is at its limit nothing shows whether the vessel has oxygen; most have.
      maximumOxygenLPerMin: memory.enriched || memory.lastRpm < 1000 ? 0.3 : 0,
      setpointPercent: 30,
      airLPerMin: signals.Gas_MFC_air?.mean ?? 1,
      exhaustOxygenFraction: exhaustOxygen,
    },
  }
  const outlook = rollForward(rollFrom)
  return {
    window,
    hours,
    signals,
    filters: memory.filters,
    outlook,
    oxygenFactor: memory.lastOxygenFactor,
    enrichmentLPerMin: memory.enrichment,
    kLa500: memory.oxygen.isLearnt() ? memory.oxygen.kLa500() : Number.NaN,
    volumeL,
    samples: memory.samplesSeen.size,
    hoursSinceSample: hours - memory.lastSampleHours,
    depletedAtHours: memory.depletion.seenAtHours(),
    baseShare: share,
    transferChange: memory.oxygen.change(),
    shortOutlook: shortOutlookOf(rollFrom, outlook),
  }
}

/** Where depletion is far even then, the same outlook serves. */
function shortOutlookOf(from: RollFrom, outlook: Outlook): Outlook {
  if (from.glycerol <= 0) return outlook
  if (outlook.depletionMinutes === undefined || outlook.depletionMinutes > farMinutes) return outlook
  return rollForward({
    ...from,
    glycerol: Math.max(0, from.glycerol - domainLimits.shortGlycerol * priors.glycerol.mean),
  })
}

/** Inlet flow beyond the air that its controller passes, L/min; both carry the noise of their meters. */
function enrichmentOf(signals: WindowSignals, memory: BatchMemory): number {
  const inlet = signals.Gas_Flow_Inlet?.mean
  const air = signals.Gas_MFC_air?.mean
  if (inlet === undefined || air === undefined) return memory.enrichment
  const beyond = inlet - air
  return beyond > 0.009 ? Math.round(beyond * 100) / 100 : 0
}

/** Ammonia feed over what growth without glycerol limitation would take. */
function baseShare(memory: BatchMemory, signals: WindowSignals, volumeL: number): number | undefined {
  const base = signals.Base_Pump_Rate
  if (!base) return undefined
  const { soft } = memory.filters
  const unlimited =
    nominal.muMaxPerH *
    Math.exp(soft.value('lnMuMax')) *
    memory.lastOxygenFactor *
    Math.exp(soft.value('lnBiomass'))
  return (
    (base.mean * 60) /
    ((acidMmolPerGram * unlimited * volumeL) / baseMmolPerMl) /
    Math.exp(soft.value('lnBaseGain'))
  )
}

function inputOf(estimate: VesselEstimate, domain: DomainWatch): ForecastInput {
  const { filters, outlook, window, signals } = estimate
  const judged = domain.apply(estimate)
  return {
    window,
    features: featureVector(estimate),
    lastValue: signals.OD?.mean ?? null,
    lastMu: window.derived.mu?.value ?? null,
    inDomainScore: judged.score,
    basis: {
      lnOd: filters.all.lnOd(),
      softLnOd: filters.soft.lnOd(),
      gasAndBaseLnOd: filters.gasAndBase.lnOd(),
      gasOnlyLnOd: filters.gasOnly.lnOd(),
      blindLnOd: filters.blind.lnOd(),
      outlook,
      shortOutlook: estimate.shortOutlook,
      depleted: estimate.depletedAtHours !== undefined,
      scale: scales(estimate),
    },
    ...(judged.withhold ? { withhold: judged.withhold } : {}),
  }
}
