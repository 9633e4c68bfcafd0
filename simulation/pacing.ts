/**
 * When a simulated second is due on the wall clock, and when the run must have begun so that no source time ever
 * lies in the future: a run faster than real time is back-dated until its planned end is the moment it was started.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '../infra/clock.ts'
import { SimulationError } from './simulation-error.ts'

/** Times real time, or as fast as the broker takes it. */
export type Speed = number | 'max'

/** Source time of second 0, whole seconds. */
export function startOfRun(speed: Speed, plannedSeconds: number, nowMs: number): number {
  const backDated = speed === 'max' || speed > 1
  return Math.floor(nowMs / 1000) * 1000 - (backDated ? plannedSeconds * 1000 : 0)
}

export type Pace = {
  /** Resolves when `second` of the run is due; rejects with code `aborted` when the signal fires. */
  readonly until: (second: number) => Promise<void>
}

export function paceOf(speed: Speed, clock: Clock, signal: AbortSignal | undefined): Pace {
  const startedMs = clock.nowMs()
  const until = async (second: number): Promise<void> => {
    stopIfAborted(signal)
    if (speed === 'max') return
    const waitMs = startedMs + (second * 1000) / speed - clock.nowMs()
    if (waitMs <= 0) return
    await delay(waitMs, undefined, signal ? { signal } : {}).catch(() => stopIfAborted(signal))
  }
  return { until }
}

export function stopIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new SimulationError('aborted', 'stopped on request')
}
