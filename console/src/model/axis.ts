/** Ticks of the shared time axis: round clock times of the zone, or round elapsed times since inoculation. */
import { calendarDate, clockTime, elapsed, offsetMinutes, type Zone } from './time.ts'

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const steps = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * second),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * minute),
  ...[1, 2, 3, 4, 6, 12, 24, 48, 96, 168].map((count) => count * hour),
]

/** Times that are round counted from `origin`, at most `limit` of them. */
export function timeTicks(from: number, to: number, limit: number, origin: number): number[] {
  const span = to - from
  if (!(span > 0) || limit < 1) return []
  const wanted = span / limit
  const step = steps.find((candidate) => candidate >= wanted) ?? Math.ceil(wanted / (168 * hour)) * 168 * hour
  const ticks: number[] = []
  for (let at = origin + Math.ceil((from - origin) / step) * step; at <= to; at += step) ticks.push(at)
  return ticks
}

export type AxisMode =
  | { readonly kind: 'clock'; readonly zone: Zone }
  | { readonly kind: 'elapsed'; readonly inoculatedMs: number }

/** Where counting starts, so that 12:00 (of the zone) or T+12:00 falls on a tick. */
export function axisOrigin(mode: AxisMode, near: number): number {
  return mode.kind === 'elapsed' ? mode.inoculatedMs : -offsetMinutes(mode.zone, near) * minute
}

/** Seconds only where ticks are closer than a minute; the date at the first tick of each day. */
export function tickLabels(ticks: readonly number[], mode: AxisMode): string[] {
  const withSeconds = ticks.length > 1 && (ticks[1] as number) - (ticks[0] as number) < minute
  if (mode.kind === 'elapsed')
    return ticks.map((at) => {
      const text = elapsed(at - mode.inoculatedMs)
      return withSeconds ? text : text.slice(0, -3)
    })
  let day = ''
  return ticks.map((at) => {
    const time = clockTime(mode.zone, at)
    const text = withSeconds ? time : time.slice(0, 5)
    const date = calendarDate(mode.zone, at)
    if (date === day) return text
    day = date
    return `${text}\n${date.slice(0, 6)}`
  })
}

/** Round values on a logarithmic axis: 1-2-5 of each decade, or, within less than a decade, evenly spaced ones. */
export function logTicks(low: number, high: number): number[] {
  if (!(low > 0) || !(high > low)) return []
  const ticks: number[] = []
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += 1)
    for (const digit of [1, 2, 5]) ticks.push(Number((digit * 10 ** power).toPrecision(1)))
  const inside = ticks.filter((tick) => tick >= low && tick <= high)
  return inside.length >= 3 ? inside : evenTicks(low, high, 4)
}

function evenTicks(low: number, high: number, limit: number): number[] {
  const power = 10 ** Math.floor(Math.log10((high - low) / limit))
  const step = ([1, 2, 5, 10].find((digit) => digit * power >= (high - low) / limit) ?? 10) * power
  const ticks: number[] = []
  for (let count = Math.ceil(low / step); count * step <= high; count += 1)
    ticks.push(Number((count * step).toPrecision(12)))
  return ticks
}

/** The fewest decimals that write every one of the values exactly, at most four. */
export function decimalsFor(values: readonly number[]): number {
  for (let decimals = 0; decimals < 4; decimals += 1)
    if (values.every((value) => Math.abs(value - Number(value.toFixed(decimals))) < 1e-9)) return decimals
  return 4
}

export type View =
  | { readonly kind: 'all' }
  | { readonly kind: 'last'; readonly ms: number }
  | { readonly kind: 'fixed'; readonly from: number; readonly to: number }

/**
 * How far an axis goes on beyond what was read: over the whole batch as far as the forecast in force reaches, else, so that
 * what was read keeps most of the width, at most half of what is shown of it.
 */
export function reachAhead(view: View, shownMs: number, forecastMs: number): number {
  switch (view.kind) {
    case 'fixed':
      return 0
    case 'last':
      return Math.min(forecastMs, shownMs / 2)
    case 'all':
      return forecastMs
  }
}

/** The visible range; never empty, so that a batch one second old has an axis. */
export function visibleRange(view: View, first: number, now: number): { from: number; to: number } {
  switch (view.kind) {
    case 'fixed':
      return { from: view.from, to: view.to }
    case 'last':
      return { from: now - view.ms, to: now }
    case 'all':
      return { from: first, to: Math.max(now, first + minute) }
  }
}
