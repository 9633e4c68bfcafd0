/**
 * Instants of a file's rows. Times with a zone are taken as they are. Times without are local to a time zone, and
 * the order of the rows decides where the clock was put back: a local time that names two instants is the earlier
 * one as long as that lies after the row before, else the later. A local time that does not exist (the clock was put
 * forward), or that lies before the row above with no clock change to explain it, is refused.
 */
import { Temporal } from 'temporal-polyfill'

export type LocalTimeProblem = { readonly rule: string }
export type ResolvedTime = { readonly ms: number } | LocalTimeProblem

export type TimeFormat = (text: string) => ParsedTime | undefined
type ParsedTime =
  | { readonly kind: 'instant'; readonly ms: number }
  | { readonly kind: 'local'; readonly local: Temporal.PlainDateTime }

const iso = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+-]\d{2}:?\d{2})?$/

/**
 * `iso` (date, `T` or space, time, optional zone), `epoch-seconds`, `epoch-milliseconds`, or a pattern of `yyyy`,
 * `MM`, `dd`, `HH`, `mm`, `ss`, `SSS` and literal characters (local time). Undefined for a pattern without a date.
 */
export function timeFormat(name: string): TimeFormat | undefined {
  if (name === 'iso') return parseIso
  if (name === 'epoch-seconds') return epoch(1000)
  if (name === 'epoch-milliseconds') return epoch(1)
  return patternFormat(name)
}

export function isTimeZone(name: string): boolean {
  try {
    Temporal.Now.zonedDateTimeISO(name)
    return true
  } catch {
    return false
  }
}

/** A function to be given the rows' times in order. Throws nothing: a problem is an answer. */
export function timeResolver(format: TimeFormat, timeZone: string): (text: string) => ResolvedTime {
  let previous: number | undefined
  return (text) => {
    const parsed = format(text)
    if (parsed === undefined) return { rule: 'a time in the format that the map names' }
    const resolved =
      parsed.kind === 'instant' ? { ms: parsed.ms } : resolveLocal(parsed.local, timeZone, previous)
    if ('rule' in resolved) return resolved
    if (previous !== undefined && resolved.ms < previous)
      return {
        rule: `not before the row above (${new Date(previous).toISOString()}), unless the clock of ${timeZone} was put back in between`,
      }
    previous = resolved.ms
    return resolved
  }
}

function resolveLocal(
  local: Temporal.PlainDateTime,
  timeZone: string,
  previous: number | undefined,
): ResolvedTime {
  const earlier = local.toZonedDateTime(timeZone, { disambiguation: 'earlier' })
  const later = local.toZonedDateTime(timeZone, { disambiguation: 'later' })
  if (earlier.epochMilliseconds === later.epochMilliseconds) return { ms: earlier.epochMilliseconds }
  // In the gap of spring both answers are moved to times that the clock did show: neither is what was written.
  if (!earlier.toPlainDateTime().equals(local))
    return { rule: `a time that exists in ${timeZone}: that clock was put forward over it` }
  if (previous === undefined || earlier.epochMilliseconds > previous) return { ms: earlier.epochMilliseconds }
  return { ms: later.epochMilliseconds }
}

function parseIso(text: string): ParsedTime | undefined {
  const match = iso.exec(text)
  if (!match) return undefined
  const [, date, time, zone] = match
  try {
    if (zone === undefined) return { kind: 'local', local: Temporal.PlainDateTime.from(`${date}T${time}`) }
    return { kind: 'instant', ms: Temporal.Instant.from(`${date}T${time}${zone}`).epochMilliseconds }
  } catch {
    return undefined
  }
}

const epoch =
  (factor: number): TimeFormat =>
  (text) => {
    if (!/^-?\d+(\.\d+)?$/.test(text)) return undefined
    const ms = Math.round(Number(text) * factor)
    return Math.abs(ms) <= 8.64e15 ? { kind: 'instant', ms } : undefined
  }

const tokens = {
  yyyy: 'year',
  MM: 'month',
  dd: 'day',
  HH: 'hour',
  mm: 'minute',
  ss: 'second',
  SSS: 'millisecond',
} as const

function patternFormat(pattern: string): TimeFormat | undefined {
  const order: (typeof tokens)[keyof typeof tokens][] = []
  const source = pattern.replace(/yyyy|MM|dd|HH|mm|ss|SSS|[^A-Za-z0-9]|[A-Za-z0-9]/g, (part) => {
    const name = tokens[part as keyof typeof tokens]
    if (name === undefined) return part.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')
    order.push(name)
    return `(\\d{${part.length}})`
  })
  if (!['year', 'month', 'day'].every((part) => order.includes(part as 'year'))) return undefined
  if (new Set(order).size !== order.length) return undefined
  const expression = new RegExp(`^${source}$`)
  return (text) => {
    const match = expression.exec(text)
    if (!match) return undefined
    const fields = Object.fromEntries(order.map((name, index) => [name, Number(match[index + 1])]))
    try {
      return {
        kind: 'local',
        local: Temporal.PlainDateTime.from({ year: 0, month: 0, day: 0, ...fields }, { overflow: 'reject' }),
      }
    } catch {
      return undefined
    }
  }
}
