/**
 * Brackets of time: an event that a stamped checkpoint covers was recorded before the stamp's time, an event logged
 * after a stamp's own event was recorded after it. The clocks of store and time-stamping authority may differ a little.
 */
import type { Manifest } from './manifest.ts'
import { Refusal } from './refusal.ts'

/** Clocks kept by NTP differ by far less; a batch that was back-dated by more shows. */
export const toleranceSeconds = 120

export type Brackets = {
  /** Why the event at `index` cannot have been recorded at `recordedAt`, or undefined. Call in order of index. */
  objection(index: number, recordedAt: string): string | undefined
}

export function timeBrackets(stamps: Manifest['stamps']): Brackets {
  for (const [at, stamp] of stamps.entries()) {
    const before = stamps[at - 1]
    if (
      before &&
      (stamp.index <= before.index || stamp.size < before.size || stamp.stampedAt < before.stampedAt)
    )
      throw new Refusal('the time stamps are not in the order of the log')
    if (stamp.size > stamp.index) throw new Refusal('a time stamp is about a checkpoint later than itself')
  }
  let covering = 0
  let logged = -1
  let last = ''
  return {
    objection: (index, recordedAt) => {
      if (recordedAt < last)
        return `it was recorded at ${recordedAt}, before an earlier event of the log (${last})`
      last = recordedAt
      while (covering < stamps.length && (stamps[covering]?.size ?? 0) <= index) covering++
      while ((stamps[logged + 1]?.index ?? Number.POSITIVE_INFINITY) < index) logged++
      const [after, before] = [stamps[covering], stamps[logged]]
      if (after && Date.parse(recordedAt) > Date.parse(after.stampedAt) + 1000 * toleranceSeconds)
        return `it says ${recordedAt}, but a checkpoint that covers it was stamped at ${after.stampedAt}`
      if (before && Date.parse(recordedAt) < Date.parse(before.stampedAt) - 1000 * toleranceSeconds)
        return `it says ${recordedAt}, but it was logged after a time stamp of ${before.stampedAt}`
      return undefined
    },
  }
}
