/**
 * The phase of growth with memory: a state is left only after the condition of another has held for 10 min, and
 * there is no way back to lag. A growth rate that is not known stops all timers and changes nothing.
 * Source: process description of the batch (µ ≥ 0.08 exponential, 0.02 to 0.08 decelerating, < 0.02 stationary).
 */
import type { ProcessPhase } from '../../schemas/events/process-events.ts'

export const phaseRule = { growingPerH: 0.08, restingPerH: 0.02, holdMs: 10 * 60_000 } as const

export type GrowthPhase = {
  /** The growth rate of the next window (1/h, undefined where unknown); gives the phase at its end. */
  readonly push: (muPerH: number | undefined, depleted: boolean) => ProcessPhase
  readonly phase: () => ProcessPhase
}

/** Starts in lag at T = 0. `stepMs`: from window to window. */
export function growthPhase(stepMs: number): GrowthPhase {
  let phase: ProcessPhase = 'lag'
  let candidate: ProcessPhase | undefined
  let heldMs = 0
  let over = false

  return {
    phase: () => phase,
    push: (muPerH, depleted) => {
      if (depleted) over = true
      if (over) {
        phase = 'stationary'
        return phase
      }
      const towards = muPerH === undefined ? undefined : phaseOf(muPerH)
      // Slow growth before the first fast growth is still lag, not deceleration.
      const allowed = phase === 'lag' && towards !== 'exponential' ? undefined : towards
      if (allowed === undefined || allowed === phase) {
        candidate = undefined
        heldMs = 0
        return phase
      }
      heldMs = allowed === candidate ? heldMs + stepMs : stepMs
      candidate = allowed
      if (heldMs >= phaseRule.holdMs) {
        phase = allowed
        candidate = undefined
        heldMs = 0
      }
      return phase
    },
  }
}

function phaseOf(muPerH: number): ProcessPhase {
  if (muPerH >= phaseRule.growingPerH) return 'exponential'
  return muPerH >= phaseRule.restingPerH ? 'decelerating' : 'stationary'
}
