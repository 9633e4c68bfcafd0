/**
 * Turns the server's `created` into `recordedAt`, which never steps back: while the server's clock stands before a
 * time already given out, events are recorded at that time. Ticks count too, because they let instants pass.
 */
import type { ClockStep } from './index/event-index.ts'

export type RecordClock = {
  /** Newest record time so far. */
  newestMs(): number
  /** Takes in the next event in `$all` order; answers its record time and the step that it falls into. */
  next(
    position: bigint,
    createdMs: number,
  ): { readonly recordedAtMs: number; readonly step: ClockStep | undefined }
  /** The record time of any event taken in before. */
  of(position: bigint, createdMs: number): number
}

export function recordClock(newestAtStart: number, known: readonly ClockStep[]): RecordClock {
  const steps: ClockStep[] = merged(known)
  let newest = newestAtStart
  let open: ClockStep | undefined
  return {
    newestMs: () => newest,
    next(position, createdMs) {
      if (createdMs >= newest) {
        newest = createdMs
        open = undefined
        return { recordedAtMs: createdMs, step: undefined }
      }
      if (open) open.until = position
      else {
        open = { from: position, until: position, recordedAtMs: newest }
        steps.push(open)
      }
      return { recordedAtMs: newest, step: open }
    },
    of(position, createdMs) {
      const step = stepAt(steps, position)
      return step ? step.recordedAtMs : createdMs
    },
  }
}

function stepAt(steps: readonly ClockStep[], position: bigint): ClockStep | undefined {
  let low = 0
  let high = steps.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (steps[middle]!.from <= position) low = middle + 1
    else high = middle
  }
  const step = steps[low - 1]
  return step && step.until >= position ? step : undefined
}

/** Several feeders of one index may have begun the same step at different events. */
function merged(steps: readonly ClockStep[]): ClockStep[] {
  const result: ClockStep[] = []
  for (const step of steps) {
    const last = result.at(-1)
    if (last && last.recordedAtMs === step.recordedAtMs) {
      if (step.until > last.until) last.until = step.until
    } else result.push({ ...step })
  }
  return result
}
