/**
 * The truth of a simulated batch, second by second: explicit integration of the Pichia glycerol batch in 1-s steps.
 * Pure and without noise; the same settings give the same numbers.
 *
 * Each step: Monod growth with maintenance and lag, oxygen demand from the elemental balance, the quasi-steady
 * dissolved oxygen at which kLa meets that demand, growth and rates scaled by the oxygen limitation f, exhaust gas
 * by the inert balance. Interpretations where the process description leaves a choice:
 * - depletion is the first second with glycerol below 0.1 g/L;
 * - the respiration tail starts at depletion from the demand at that second and falls with exp(-t/tail) (6 min in
 *   preset N, 7 in R); it keeps the respiratory quotient of growth, endogenous respiration (0.15 mmol/g/h) has 0.9;
 *   a tail that started at full respiration would not give the OUR of 58 mmol/L/h tabulated at depletion;
 * - the rise of C* with headspace O2 uses the exhaust of the second before;
 * - kLa = kLa500 (rpm/500)^2 (1 + QO2)^0.4, and falls with air^0.4 only when air fails;
 * - the ammonia a controlled batch uses neutralises its acid exactly; a backlog (pump stop, start above the
 *   setpoint) is worked off with a time constant of 5 min.
 */

import { acidMmolPerGram, baseMmolPerMl, pHOfCharge, strongIonCharge } from './acid-base.ts'
import { type ActiveDisturbances, disturbancesAt, undisturbed } from './active-disturbances.ts'
import { type CascadeState, cascadeSeconds, cascadeStep, startRpm } from './cascade.ts'
import { isProcessDisturbance } from './disturbances.ts'
import { exhaustGas } from './gas.ts'
import {
  biomassGPerCmol,
  glycerolGPerCmol,
  lagFactor,
  oxygenDemand,
  oxygenInAir,
  pHFactor,
  saturationMmolPerL,
  steadyOxygen,
  temperatureFactor,
} from './kinetics.ts'
import { sampleMl, samplePlan } from './sample-plan.ts'
import type { BatchSettings } from './settings.ts'

export type ProcessPhase = 'lag' | 'exponential' | 'oxygen-limited' | 'stationary'

export type Truth = {
  readonly second: number
  readonly hours: number
  readonly phase: ProcessPhase
  readonly depleted: boolean
  readonly od: number
  readonly biomassGPerL: number
  readonly contaminantGPerL: number
  readonly glycerolGPerL: number
  readonly muPerH: number
  readonly ourMmolPerLPerH: number
  readonly cerMmolPerLPerH: number
  readonly kLaPerH: number
  readonly dissolvedOxygenPercent: number
  /** Behind the probe's membrane (first-order lag). */
  readonly probeOxygenPercent: number
  readonly oxygenFraction: number
  readonly carbonDioxideFraction: number
  /** At the analyser, after the gas line (first-order lag 60 s). */
  readonly analyserOxygenFraction: number
  readonly analyserCarbonDioxideFraction: number
  readonly airLPerMin: number
  readonly oxygenLPerMin: number
  readonly flowOutLPerMin: number
  /** What the shaft does, and what the controller asks for (a trip or a power loss tells them apart). */
  readonly rpm: number
  readonly rpmSetpoint: number
  readonly pH: number
  readonly baseMlPerMin: number
  readonly baseMl: number
  readonly temperatureCelsius: number
  readonly pressureBar: number
  readonly volumeL: number
  readonly brothKg: number
  /** The scheduled point of the sample drawn in this second. */
  readonly sampled: string | undefined
  readonly foaming: boolean
  readonly powered: boolean
}

const hour = 3600
const probeLagSeconds = 15
const gasLineLagSeconds = 60
const temperatureLagSeconds = 300
const backlogHours = 5 / 60
const pumpLimitMlPerMin = 5
const depletionGPerL = 0.1
const brothKgPerL = 1.04
const baseKgPerMl = 0.000898
const contaminantYieldGPerG = 0.5

/** The truth at each second from inoculation (0) to the end of the run, inclusive. */
export function* simulateProcess(settings: BatchSettings): Generator<Truth, void, undefined> {
  const { biology, vessel, control, start } = settings
  const disturbances = settings.disturbances.filter(isProcessDisturbance)
  const glycerolFactor = disturbances.reduce(
    (factor, disturbance) => (disturbance.kind === 'glycerol-mass' ? factor * disturbance.factor : factor),
    1,
  )
  const setpointCharge = strongIonCharge(control.pHSetpoint)
  const fullVolume = vessel.volumeEffects === 'full'

  let biomass = start.od * biology.dcwPerOdGPerL
  let contaminant = 0
  let glycerol = start.glycerolGPerL * glycerolFactor
  let charge = strongIonCharge(start.pH)
  let pH = start.pH
  let temperature = control.temperatureCelsius
  let volume = start.volumeL
  let brothKg = start.volumeL * brothKgPerL
  let baseMl = 0
  let cascade: CascadeState = { rpm: startRpm, oxygenLPerMin: 0 }
  let tailStart = 0
  let tailQuotient = 0
  let probeOxygen = 100
  let oxygenFraction = oxygenInAir
  let analyser: { oxygen: number; carbonDioxide: number } | undefined
  let depletedAt: number | undefined
  let growing = false
  const nextSample = samplePlan()

  for (let second = 0; ; second++) {
    const hours = second / hour
    const active = disturbances.length === 0 ? undisturbed : disturbancesAt(disturbances, hours)
    if (active.contamination && contaminant === 0) contaminant = active.contamination.startGPerL ?? 0.001

    const air = active.powerLoss ? 0 : vessel.airLPerMin
    const enrichment = active.powerLoss ? 0 : cascade.oxygenLPerMin
    const rpm = active.powerLoss || active.stirrerTrip ? 0 : (active.agitation ?? cascade.rpm)
    const kLa =
      Math.max(2, vessel.kLa500PerH * (rpm / 500) ** 2 * (1 + enrichment) ** 0.4) *
      (active.foam ? 0.5 : 1) *
      (active.powerLoss ? 0.1 : 1)

    const available = glycerol / (biology.ksGPerL + glycerol)
    const mu0 =
      biology.muMaxPerH *
      temperatureFactor(temperature) *
      pHFactor(pH) *
      available *
      lagFactor(hours, biology.lagHours)
    const fed = glycerol / (glycerol + 0.01)
    const uptake0 = (mu0 / biology.yieldGPerG + biology.maintenanceGPerGPerH * fed) * biomass
    const glycerolCmol = uptake0 / glycerolGPerCmol
    const biomassCmol = (mu0 * biomass) / biomassGPerCmol
    const contaminantMu0 = active.contamination ? active.contamination.muPerH * available : 0
    const contaminantUptake0 = (contaminantMu0 * contaminant) / contaminantYieldGPerG
    // A contaminant on a mixed diet respires at an RQ near 1: carbon that does not become biomass.
    const contaminantCarbon =
      1000 *
      Math.max(0, contaminantUptake0 / glycerolGPerCmol - (contaminantMu0 * contaminant) / biomassGPerCmol)
    const growthDemand = oxygenDemand(glycerolCmol, biomassCmol)
    const endogenous = biology.endogenousMmolPerGPerH * biomass * (1 - fed)
    if (depletedAt === undefined && glycerol < depletionGPerL) {
      depletedAt = hours
      tailStart = growthDemand
      tailQuotient = growthDemand > 0 ? ((glycerolCmol - biomassCmol) * 1000) / growthDemand : 0
    }
    // What the tail adds to the growth that the last glycerol still allows.
    const tail =
      depletedAt === undefined
        ? 0
        : Math.max(
            0,
            tailStart * Math.exp((-(hours - depletedAt) * 60) / biology.respirationTailMinutes) -
              growthDemand,
          )
    const demand = growthDemand + endogenous + tail + contaminantCarbon

    const saturation = saturationMmolPerL * (oxygenFraction / oxygenInAir) * (vessel.pressureBar / 1.013)
    const oxygen = steadyOxygen(kLa, saturation, biology.oxygenAffinityMmolPerL, demand)
    const f = oxygen / (biology.oxygenAffinityMmolPerL + oxygen)
    const mu = f * mu0
    const our = f * demand
    const cer =
      f * ((glycerolCmol - biomassCmol) * 1000 + 0.9 * endogenous + tailQuotient * tail + contaminantCarbon)

    const gasVolume = fullVolume ? volume : start.volumeL
    const exhaust = exhaustGas(Math.max(air, 0.02), enrichment, our * gasVolume, cer * gasVolume)
    oxygenFraction = active.powerLoss
      ? oxygenFraction + (exhaust.oxygenFraction - oxygenFraction) / 300
      : exhaust.oxygenFraction
    analyser = analyser
      ? {
          oxygen: lagged(analyser.oxygen, exhaust.oxygenFraction, gasLineLagSeconds),
          carbonDioxide: lagged(analyser.carbonDioxide, exhaust.carbonDioxideFraction, gasLineLagSeconds),
        }
      : { oxygen: exhaust.oxygenFraction, carbonDioxide: exhaust.carbonDioxideFraction }
    const dissolvedOxygen = (oxygen / saturationMmolPerL) * 100
    probeOxygen =
      second === 0
        ? dissolvedOxygen
        : lagged(probeOxygen, dissolvedOxygen, active.probeLagSeconds ?? probeLagSeconds)

    const acid = acidMmolPerGram * (mu * biomass + 2 * f * contaminantMu0 * contaminant)
    const basePerH = baseFeed(control.pH, acid, setpointCharge - charge, active)
    const baseMlPerMin = (basePerH * gasVolume) / 60

    if (mu >= 0.08) growing = true
    const phase: ProcessPhase =
      depletedAt !== undefined ? 'stationary' : !growing ? 'lag' : f < 0.9 ? 'oxygen-limited' : 'exponential'

    const sampled = nextSample(hours, depletedAt)
    yield {
      second,
      hours,
      phase,
      depleted: depletedAt !== undefined,
      od: (biomass + contaminant) / biology.dcwPerOdGPerL,
      biomassGPerL: biomass,
      contaminantGPerL: contaminant,
      glycerolGPerL: glycerol,
      muPerH: mu,
      ourMmolPerLPerH: our,
      cerMmolPerLPerH: cer,
      kLaPerH: kLa,
      dissolvedOxygenPercent: dissolvedOxygen,
      probeOxygenPercent: probeOxygen,
      oxygenFraction: exhaust.oxygenFraction,
      carbonDioxideFraction: exhaust.carbonDioxideFraction,
      analyserOxygenFraction: analyser.oxygen,
      analyserCarbonDioxideFraction: analyser.carbonDioxide,
      airLPerMin: air,
      oxygenLPerMin: enrichment,
      flowOutLPerMin: air === 0 ? 0 : exhaust.flowOutLPerMin,
      rpm,
      rpmSetpoint: active.agitation ?? cascade.rpm,
      pH,
      baseMlPerMin,
      baseMl,
      temperatureCelsius: temperature,
      pressureBar: vessel.pressureBar + (active.foam ? 0.05 : 0),
      volumeL: volume,
      brothKg,
      sampled,
      foaming: active.foam,
      powered: !active.powerLoss,
    }

    if (hours >= settings.limitHours) return
    if (depletedAt !== undefined && hours >= depletedAt + settings.endAfterDepletionHours) return

    const uptake = f * (uptake0 + contaminantUptake0)
    biomass += (mu * biomass) / hour
    contaminant += (f * contaminantMu0 * contaminant) / hour
    glycerol = Math.max(0, glycerol - uptake / hour)
    if (acid > 0 || basePerH > 0) {
      charge += (basePerH * baseMmolPerMl - acid) / hour
      pH = Math.abs(charge - setpointCharge) < 1e-9 ? control.pHSetpoint : pHOfCharge(charge, pH)
    }
    baseMl += baseMlPerMin / 60
    if ((second + 1) % cascadeSeconds === 0 && control.agitation === 'cascade')
      cascade = cascadeStep(
        cascade,
        probeOxygen,
        control.dissolvedOxygenSetpointPercent,
        control.maximumOxygenLPerMin,
      )
    temperature = nextTemperature(temperature, control.temperatureCelsius, active)

    const evaporatedG = active.powerLoss ? 0 : vessel.evaporationGPerH / hour
    brothKg += (baseMlPerMin / 60) * baseKgPerMl - evaporatedG / 1000
    if (fullVolume) {
      const next = volume + baseMlPerMin / 60_000 - evaporatedG / 1000
      biomass *= volume / next
      contaminant *= volume / next
      glycerol *= volume / next
      volume = next
    }
    if (sampled !== undefined) {
      if (fullVolume) volume -= sampleMl / 1000
      brothKg -= (sampleMl / 1000) * brothKgPerL
    }
  }
}

/** Glycerol depletion in hours and the length of the run in seconds, from one silent pass. */
export function planOfRun(settings: BatchSettings): { depletionHours: number | undefined; seconds: number } {
  let depletionHours: number | undefined
  let seconds = 0
  for (const truth of simulateProcess(settings)) {
    if (truth.depleted && depletionHours === undefined) depletionHours = truth.hours
    seconds = truth.second
  }
  return { depletionHours, seconds }
}

const lagged = (value: number, target: number, lagSeconds: number): number =>
  value + (target - value) * (1 - Math.exp(-1 / lagSeconds))

/** mL of ammonia per litre and hour. */
function baseFeed(
  control: 'base' | 'free',
  acid: number,
  backlogMmolPerL: number,
  active: ActiveDisturbances,
): number {
  if (active.powerLoss) return 0
  if (active.overdoseMlPerMin > 0) return active.overdoseMlPerMin * 60
  if (control === 'free' || active.basePumpStop) return 0
  // Within rounding of the setpoint: neutralise exactly. Above it: wait. Below it: catch up.
  if (backlogMmolPerL < -1e-6) return 0
  const catchUp = backlogMmolPerL > 1e-6 ? backlogMmolPerL / backlogHours : 0
  return Math.min(pumpLimitMlPerMin * 60, (acid + catchUp) / baseMmolPerMl)
}

function nextTemperature(temperature: number, setpoint: number, active: ActiveDisturbances): number {
  if (active.heaterCelsiusPerHour > 0) return temperature + active.heaterCelsiusPerHour / hour
  const ambient = 22
  const target = active.powerLoss ? ambient : (active.temperatureSetpoint ?? setpoint)
  if (temperature === target) return target
  return lagged(temperature, target, active.powerLoss ? 3 * hour : temperatureLagSeconds)
}
