/**
 * The equations carried on from an estimated state: OD600 at each horizon relative to now, and the time until
 * glycerol falls below 0.1 g/L. Temperature and pH are taken to stay; dissolved oxygen follows uptake and cascade.
 */
import type { Horizon } from '../../schemas/events/forecast-events.ts'
import { exhaustGas } from '../process-model/gas.ts'
import { type BatchBiology, nominal, rates } from './batch-model.ts'
import { nextOxygen, type OxygenOutlook } from './oxygen-transfer.ts'

export type ForecastHorizon = Exclude<Horizon, 'PT0S'>
export const horizonHours: Readonly<Record<ForecastHorizon, number>> = {
  PT30S: 1 / 120,
  PT30M: 0.5,
  PT1H: 1,
  PT2H: 2,
}
export const horizons = Object.keys(horizonHours) as ForecastHorizon[]

export type RollFrom = {
  readonly hours: number
  readonly biomass: number
  readonly glycerol: number
  readonly biology: BatchBiology
  readonly celsius: number
  readonly pH: number
  readonly volumeL: number
  readonly baseMlPerMin: number
  readonly oxygen: OxygenOutlook
}

export type Outlook = {
  /** ln(OD at horizon / OD now). */
  readonly lnRatio: Readonly<Record<ForecastHorizon, number>>
  /** Minutes to depletion; undefined where it lies further than 6.5 h ahead or is past. */
  readonly depletionMinutes: number | undefined
  /** The strongest oxygen limitation within 2 h: 1 none. */
  readonly lowestOxygenFactor: number
}

const depletedGPerL = 0.1
const stepHours = 1 / 60
const coarseStepHours = 1 / 30
const fineStepHours = 1 / 360
const farthestHours = 6.5

export function rollForward(from: RollFrom): Outlook {
  const lnRatio: Record<ForecastHorizon, number> = { PT30S: 0, PT30M: 0, PT1H: 0, PT2H: 0 }
  const pending = [...horizons]
  let lnBiomass = Math.log(from.biomass)
  const start = lnBiomass
  let glycerol = from.glycerol
  let cascade = from.oxygen.cascade
  let exhaustOxygen = from.oxygen.exhaustOxygenFraction
  let elapsed = 0
  let sinceCascade = 0
  let lowest = 1
  let depletionMinutes: number | undefined
  const wasDepleted = glycerol < depletedGPerL
  const seekDepletion = !wasDepleted && mayDeplete(from)
  const dilution = (gone: boolean): number =>
    ((gone ? 0 : from.baseMlPerMin * 0.06) - nominal.evaporationLPerH) / Math.max(0.2, from.volumeL)

  while (pending.length > 0 || (depletionMinutes === undefined && seekDepletion)) {
    if (elapsed >= farthestHours) break
    const next = pending[0]
    const toHorizon = next === undefined ? Number.POSITIVE_INFINITY : horizonHours[next] - elapsed
    const gone = glycerol < depletedGPerL
    const step = next === undefined ? coarseStepHours : stepHours
    const dt = Math.min(glycerol < 2 && !gone ? fineStepHours : step, Math.max(1e-9, toHorizon))
    const conditions = {
      hours: from.hours + elapsed + dt / 2,
      celsius: from.celsius,
      pH: from.pH,
      oxygenFactor: 1,
    }
    const free = rates(Math.exp(lnBiomass), glycerol, from.biology, conditions)
    const oxygen = nextOxygen(from.oxygen, cascade, exhaustOxygen, free.oxygenUptake)
    sinceCascade += dt
    if (sinceCascade >= stepHours - 1e-9) {
      sinceCascade = 0
      cascade = oxygen.cascade
    }
    exhaustOxygen = exhaustGas(
      Math.max(0.05, from.oxygen.airLPerMin),
      cascade.oxygenLPerMin,
      oxygen.factor * free.oxygenUptake * from.volumeL,
      oxygen.factor * free.carbonDioxideEvolution * from.volumeL,
    ).oxygenFraction
    if (elapsed < horizonHours.PT2H) lowest = Math.min(lowest, oxygen.factor)
    const mu = gone ? 0 : free.mu * oxygen.factor
    // Midpoint: growth within the step raises uptake.
    const uptake = gone ? 0 : free.uptake * oxygen.factor * (1 + (mu * dt) / 2)
    lnBiomass += dt * (mu - dilution(gone))
    glycerol = Math.max(0, glycerol - dt * uptake)
    elapsed += dt
    if (depletionMinutes === undefined && seekDepletion && glycerol < depletedGPerL)
      depletionMinutes = elapsed * 60
    if (next !== undefined && elapsed >= horizonHours[next] - 1e-9) {
      lnRatio[next] = lnBiomass - start
      pending.shift()
    }
  }
  return { lnRatio, depletionMinutes, lowestOxygenFactor: lowest }
}

/** False where even growth at full rate leaves glycerol at the farthest time looked at. */
function mayDeplete({ biomass, glycerol, biology }: RollFrom): boolean {
  const mu = 1.03 * nominal.muMaxPerH * Math.exp(biology.lnMuMax)
  const taken =
    (biomass * Math.exp(mu * farthestHours)) / (0.9 * nominal.yieldGPerG * Math.exp(biology.lnYield))
  return taken > glycerol
}
