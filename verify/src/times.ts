/**
 * Brackets of time: an event that a stamped checkpoint covers was recorded before the stamp's time, an event logged
 * after a stamp's own event was recorded after it. The clocks of store and time-stamping authority may differ a little.
 */
import type { Manifest } from './manifest.ts'
import { Refusal } from './refusal.ts'

/** Clocks kept by NTP differ by far less; a batch that was back-dated by more shows. */
export const toleranceSeconds = 120

/** One spelling of each moment that there was: no 31 February, no hour 24, no year 0. */
export function isInstant(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text) || text.startsWith('0000')) return false
  const time = Date.parse(text)
  return !Number.isNaN(time) && new Date(time).toISOString() === text
}

export type Brackets = {
  /** Why the event at `index` cannot have been recorded at `recordedAt`, or undefined. Call in order of index. */
  objection(index: number, recordedAt: string): string | undefined
}

/** Stamps of several authorities may come to the log in another order than that of their checkpoints. */
export function timeBrackets(stamps: Manifest['stamps']): Brackets {
  for (const [at, { index, size }] of stamps.entries()) {
    if (index <= (stamps[at - 1]?.index ?? -1))
      throw new Refusal('the time stamps are not in the order of the log')
    if (size > index) throw new Refusal('a time stamp is about a checkpoint later than itself')
  }
  const bySize = [...stamps].sort((a, b) => a.size - b.size)
  const earliest: string[] = []
  for (let at = bySize.length - 1; at >= 0; at--) {
    const own = bySize[at]?.stampedAt ?? ''
    const after = earliest[at + 1]
    earliest[at] = after !== undefined && after < own ? after : own
  }
  let covering = 0
  let logged = 0
  let newest: string | undefined
  let last = ''
  return {
    objection: (index, recordedAt) => {
      if (recordedAt < last)
        return `it was recorded at ${recordedAt}, before an earlier event of the log (${last})`
      last = recordedAt
      while (covering < bySize.length && (bySize[covering]?.size ?? 0) <= index) covering++
      for (let stamp = stamps[logged]; stamp && stamp.index < index; stamp = stamps[++logged])
        if (newest === undefined || stamp.stampedAt > newest) newest = stamp.stampedAt
      const after = earliest[covering]
      if (after !== undefined && Date.parse(recordedAt) > Date.parse(after) + 1000 * toleranceSeconds)
        return `it says ${recordedAt}, but a checkpoint that covers it was stamped at ${after}`
      if (newest !== undefined && Date.parse(recordedAt) < Date.parse(newest) - 1000 * toleranceSeconds)
        return `it says ${recordedAt}, but it was logged after a time stamp of ${newest}`
      return undefined
    },
  }
}
