/**
 * Brackets of time: an event that a stamped checkpoint covers was recorded before the stamp's time, an event logged
 * after a stamp's own event was recorded after it. The clocks of store and time-stamping authority may differ a little.
 */
import type { Manifest } from './manifest.ts'
import { Refusal } from './refusal.ts'

/** Clocks kept by NTP differ by far less. */
export const toleranceSeconds = 120
/** Up to here a clock may have been off, which is noted; no clock is off by more unseen, so then something was dated otherwise. */
export const gravestSeconds = 3600

/** One spelling of each moment that there was: no 31 February, no hour 24, no year 0. */
export function isInstant(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text) || text.startsWith('0000')) return false
  const time = Date.parse(text)
  return !Number.isNaN(time) && new Date(time).toISOString() === text
}

export type Brackets = {
  /** What contradicts that the event at `index` was recorded at `recordedAt`. Call in order of index. */
  objection(index: number, recordedAt: string): TimeObjection | undefined
}

export type TimeObjection = {
  readonly message: string
  /** No more than a clock that is off explains. */
  readonly isDeviation: boolean
}

/** Stamps of several authorities may come to the log in another order than that of their checkpoints. */
export function timeBrackets(stamps: Manifest['stamps']): Brackets {
  for (const [at, { index, size, stampedAt }] of stamps.entries()) {
    if (!isInstant(stampedAt)) throw new Refusal('the time of a time stamp is no instant')
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
        return {
          message: `it was recorded at ${recordedAt}, before an earlier event of the log (${last})`,
          isDeviation: false,
        }
      last = recordedAt
      while (covering < bySize.length && (bySize[covering]?.size ?? 0) <= index) covering++
      for (let stamp = stamps[logged]; stamp && stamp.index < index; stamp = stamps[++logged])
        if (newest === undefined || stamp.stampedAt > newest) newest = stamp.stampedAt
      const after = earliest[covering]
      const own = Date.parse(recordedAt)
      return (
        (after !== undefined &&
          objectionTo(
            own - Date.parse(after),
            `it says ${recordedAt}, but a checkpoint that covers it was stamped at ${after}`,
          )) ||
        (newest !== undefined &&
          objectionTo(
            Date.parse(newest) - own,
            `it says ${recordedAt}, but it was logged after a time stamp of ${newest}`,
          )) ||
        undefined
      )
    },
  }
}

function objectionTo(offByMs: number, message: string): TimeObjection | undefined {
  if (offByMs <= 1000 * toleranceSeconds) return undefined
  return { message, isDeviation: offByMs <= 1000 * gravestSeconds }
}
