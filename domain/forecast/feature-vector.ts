/** The feature vector of an estimate in the order of the feature schema, as float32; NaN where a value is missing. */
import type { ProcessPhase } from '../../schemas/events/process-events.ts'
import { featureNames } from './feature-schema.ts'
import type { VesselEstimate } from './vessel-estimate.ts'

const phaseNumber: Readonly<Record<ProcessPhase, number>> = {
  lag: 0,
  exponential: 1,
  decelerating: 2,
  stationary: 3,
}
/** Later than this the rates of the equations no longer matter. */
const farMinutes = 480

export function featureVector(estimate: VesselEstimate): Float32Array {
  const named = features(estimate)
  return Float32Array.from(featureNames, (name) => {
    const value = named[name]
    if (value === undefined) throw new Error(`feature ${name}: not computed`)
    return value
  })
}

function features(estimate: VesselEstimate): Readonly<Record<string, number>> {
  const { window, hours, signals, filters, outlook } = estimate
  const { all, soft, gasAndBase, gasOnly } = filters
  const missing = Number.NaN
  const depletedAt = estimate.depletedAtHours
  const od = signals.OD?.mean
  const base = signals.Base_Pump_Rate?.mean
  const lastMu = window.derived.mu?.value ?? missing
  const mu = all.rates()?.mu ?? missing
  return {
    hours,
    phase: window.phase === undefined ? missing : phaseNumber[window.phase],
    hoursSinceDepletion: depletedAt === undefined ? missing : hours - depletedAt,
    temperature: signals.Temp_Broth?.mean ?? missing,
    pH: signals.pH?.mean ?? missing,
    dissolvedOxygen: signals.DO?.mean ?? missing,
    agitation: signals.Stir_SP?.last ?? missing,
    oxygenEnrichment: estimate.enrichmentLPerMin,
    kLa500: estimate.kLa500,
    oxygenFactor: estimate.oxygenFactor,
    lnBaseRate: base !== undefined && base > 0 ? Math.log(base) : missing,
    baseInnovation: soft.innovations.base,
    lnBaseGain: soft.value('lnBaseGain'),
    carbonDioxide: signals.Off_Gas_CO2?.mean ?? missing,
    carbonDioxideOffset: soft.value('carbonDioxideOffset'),
    carbonDioxideInnovation: soft.innovations.carbonDioxide,
    oxygenInnovation: soft.innovations.oxygen,
    lnCarbonDioxideGain: soft.value('lnCarbonDioxideGain'),
    lnAirGain: soft.value('lnAirGain'),
    oxygenOffset: soft.value('oxygenOffset'),
    sampleInnovation: soft.innovations.sample,
    samples: estimate.samples,
    hoursSinceSample: estimate.hoursSinceSample,
    softLnOd: soft.lnOd(),
    softLnOdSd: soft.sdLnOd(),
    softLnMuMax: soft.value('lnMuMax'),
    softLnYield: soft.value('lnYield'),
    softGlycerol: soft.value('glycerol'),
    softGlycerolSd: soft.sd('glycerol'),
    softMu: soft.rates()?.mu ?? missing,
    softLag: soft.value('lag'),
    softLagSd: soft.sd('lag'),
    gasAndBaseDifference: gasAndBase.lnOd() - soft.lnOd(),
    gasOnlyDifference: gasOnly.lnOd() - soft.lnOd(),
    softStrain: soft.strain(),
    softSurprise: soft.surprise(),
    lnOd: all.lnOd(),
    lnOdSd: all.sdLnOd(),
    lnMuMax: all.value('lnMuMax'),
    lnMuMaxSd: all.sd('lnMuMax'),
    lnYield: all.value('lnYield'),
    lnYieldSd: all.sd('lnYield'),
    lnDcwPerOd: all.value('lnDcwPerOd'),
    glycerol: all.value('glycerol'),
    glycerolSd: all.sd('glycerol'),
    mu,
    lag: all.value('lag'),
    lagSd: all.sd('lag'),
    lnOdGain: all.value('lnOdGain'),
    odGainSd: all.sd('lnOdGain'),
    odCorrelated: all.value('odCorrelated'),
    odInnovation: all.innovations.od,
    probeDifference: od !== undefined && od > 0 ? Math.log(od) - all.lnOd() : missing,
    softDifference: soft.lnOd() - all.lnOd(),
    lastMu,
    lastMuDifference: lastMu - mu,
    strain: all.strain(),
    surprise: all.surprise(),
    lnRatio30s: outlook.lnRatio.PT30S,
    lnRatio30m: outlook.lnRatio.PT30M,
    lnRatio1h: outlook.lnRatio.PT1H,
    lnRatio2h: outlook.lnRatio.PT2H,
    depletionMinutes:
      outlook.depletionMinutes === undefined ? missing : Math.min(farMinutes, outlook.depletionMinutes),
    lowestOxygenFactor: outlook.lowestOxygenFactor,
  }
}
