/**
 * What is known of oxygen transfer in this vessel: its kLa at 500 rpm, learnt where uptake holds dissolved oxygen
 * visibly below saturation, and how dissolved oxygen and the controller's cascade will go on from it.
 *
 * Source: process description (kLa with agitation squared and enrichment to the power 0.4; DO cascade).
 */
import { type CascadeState, cascadeStep } from '../process-model/cascade.ts'
import { oxygenInAir, saturationMmolPerL, steadyOxygen } from '../process-model/kinetics.ts'
import { nominal } from './batch-model.ts'

export type OxygenTransfer = {
  readonly observe: (input: {
    readonly oxygenUptake: number
    readonly dissolvedOxygenPercent: number
    readonly exhaustOxygenFraction: number
    readonly rpm: number
    readonly enrichmentLPerMin: number
  }) => void
  /** 1/h at 500 rpm without enrichment; the middle of known vessels until one is learnt. */
  readonly kLa500: () => number
  readonly isLearnt: () => boolean
  /** ln of the newest kLa over the one learnt; 0 while nothing is learnt or seen. */
  readonly change: () => number
}

const unknownVessel = 200
const windows = 30
const highestPercent = 85

export function oxygenTransfer(): OxygenTransfer {
  let lnKla: number | undefined
  let seen = 0
  let change = 0
  return {
    observe: ({ oxygenUptake, dissolvedOxygenPercent, exhaustOxygenFraction, rpm, enrichmentLPerMin }) => {
      const saturation = saturationMmolPerL * (exhaustOxygenFraction / oxygenInAir)
      const oxygen = (dissolvedOxygenPercent / 100) * saturationMmolPerL
      if (
        rpm < 200 ||
        dissolvedOxygenPercent > highestPercent ||
        saturation - oxygen < 0.02 ||
        !(oxygenUptake > 2)
      )
        return
      const kLa = oxygenUptake / (saturation - oxygen)
      const now = Math.log(kLa / transferFactor(rpm, enrichmentLPerMin))
      seen++
      change = lnKla === undefined || seen < windows ? 0 : now - lnKla
      lnKla = lnKla === undefined ? now : lnKla + (now - lnKla) / Math.min(seen, windows)
    },
    kLa500: () => (lnKla === undefined ? unknownVessel : Math.exp(lnKla)),
    isLearnt: () => lnKla !== undefined,
    change: () => change,
  }
}

export const transferFactor = (rpm: number, enrichmentLPerMin: number): number =>
  (rpm / 500) ** 2 * (1 + enrichmentLPerMin) ** 0.4

export type OxygenOutlook = {
  readonly kLa500: number
  readonly cascade: CascadeState
  /** Whether the vessel will enrich with oxygen once agitation is at its limit. */
  readonly maximumOxygenLPerMin: number
  readonly setpointPercent: number
  readonly airLPerMin: number
  readonly exhaustOxygenFraction: number
}

/** The factor by which oxygen will limit growth under `demand` (mmol/L/h), and the cascade a minute later. */
export function nextOxygen(
  outlook: OxygenOutlook,
  cascade: CascadeState,
  exhaustOxygenFraction: number,
  demand: number,
): { readonly factor: number; readonly cascade: CascadeState } {
  const saturation = saturationMmolPerL * (exhaustOxygenFraction / oxygenInAir)
  const kLa = outlook.kLa500 * transferFactor(cascade.rpm, cascade.oxygenLPerMin)
  const oxygen = steadyOxygen(kLa, saturation, nominal.oxygenAffinityMmolPerL, demand)
  return {
    factor: oxygen / (nominal.oxygenAffinityMmolPerL + oxygen),
    cascade: cascadeStep(
      cascade,
      (100 * oxygen) / saturationMmolPerL,
      outlook.setpointPercent,
      outlook.maximumOxygenLPerMin,
    ),
  }
}
