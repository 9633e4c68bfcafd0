/**
 * The dissolved-oxygen cascade of the bioreactor controller: every 60 s one step; below the setpoint agitation
 * rises by 50 rpm to 1000, then oxygen by 0.02 L/min to its limit; above 45 % the way back, oxygen first.
 */
export type CascadeState = { readonly rpm: number; readonly oxygenLPerMin: number }

export const cascadeSeconds = 60
export const startRpm = 500
const highestRpm = 1000
const rpmStep = 50
const oxygenStep = 0.02
const stepDownPercent = 45

export function cascadeStep(
  state: CascadeState,
  dissolvedOxygenPercent: number,
  setpointPercent: number,
  maximumOxygenLPerMin: number,
): CascadeState {
  if (dissolvedOxygenPercent < setpointPercent) {
    if (state.rpm < highestRpm) return { ...state, rpm: state.rpm + rpmStep }
    return {
      ...state,
      oxygenLPerMin: steps(Math.min(maximumOxygenLPerMin, state.oxygenLPerMin + oxygenStep)),
    }
  }
  if (dissolvedOxygenPercent > stepDownPercent) {
    if (state.oxygenLPerMin > 0)
      return { ...state, oxygenLPerMin: steps(Math.max(0, state.oxygenLPerMin - oxygenStep)) }
    return { ...state, rpm: Math.max(startRpm, state.rpm - rpmStep) }
  }
  return state
}

/** Whole hundredths, so that many steps do not collect rounding error. */
const steps = (flow: number): number => Math.round(flow * 100) / 100
