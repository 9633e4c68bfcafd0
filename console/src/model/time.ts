/**
 * Times for people: UTC instants shown in one zone, always with its offset; elapsed time as h:mm:ss.
 * Pure: the zone and "now" come in.
 */

export type Zone = string

type Parts = { year: number; month: number; day: number; hour: number; minute: number; second: number }

const formatters = new Map<Zone, Intl.DateTimeFormat>()

/** The wall-clock parts of an instant in a zone. */
function partsIn(zone: Zone, ms: number): Parts {
  let formatter = formatters.get(zone)
  if (!formatter) {
    formatter = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    })
    formatters.set(zone, formatter)
  }
  const parts: Record<string, number> = {}
  for (const { type, value } of formatter.formatToParts(ms)) parts[type] = Number(value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
  return { year, month, day, hour, minute, second }
}

/** Minutes that the zone is ahead of UTC at this instant. */
export function offsetMinutes(zone: Zone, ms: number): number {
  const { year, month, day, hour, minute, second } = partsIn(zone, ms)
  return Math.round((Date.UTC(year, month - 1, day, hour, minute, second) - ms) / 60_000)
}

/** `UTC+02:00`; UTC itself is `UTC±00:00`. */
export function offsetLabel(zone: Zone, ms: number): string {
  const minutes = offsetMinutes(zone, ms)
  const sign = minutes === 0 ? '±' : minutes > 0 ? '+' : '−'
  const size = Math.abs(minutes)
  return `UTC${sign}${two(Math.floor(size / 60))}:${two(size % 60)}`
}

/** `14:20:07` */
export function clockTime(zone: Zone, ms: number): string {
  const { hour, minute, second } = partsIn(zone, ms)
  return `${two(hour)}:${two(minute)}:${two(second)}`
}

/** `03 Nov 2026`: never ambiguous. */
export function calendarDate(zone: Zone, ms: number): string {
  const { year, month, day } = partsIn(zone, ms)
  return `${two(day)} ${monthNames[month - 1]} ${year}`
}

/** `03 Nov 2026 14:20:07 (UTC+02:00)` */
export function fullTime(zone: Zone, ms: number): string {
  return `${calendarDate(zone, ms)} ${clockTime(zone, ms)} (${offsetLabel(zone, ms)})`
}

/** `2026-11-03 14:20:07`: what the typed-time control shows and reads. */
export function typedForm(zone: Zone, ms: number): string {
  const { year, month, day, hour, minute, second } = partsIn(zone, ms)
  return `${year}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}:${two(second)}`
}

/** `8:31:04`; hours run on past 24. Negative spans carry a minus sign. */
export function elapsed(ms: number): string {
  const seconds = Math.floor(Math.abs(ms) / 1000)
  const text = `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
  return ms <= -1000 ? `−${text}` : text
}

/** `T+2:00:00`, `T−0:05:00`: time from T = 0. */
export function sinceStart(ms: number): string {
  const text = elapsed(ms)
  return text.startsWith('−') ? `T${text}` : `T+${text}`
}

/** `00:00:42`: an age, two digits each. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
}

export type TypedInstant =
  | { readonly kind: 'instant'; readonly ms: number }
  | { readonly kind: 'refused'; readonly rule: string }

const typedPattern =
  /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3}))?)?\s*(Z|[+−-]\d{2}:\d{2})?$/

/**
 * Reads `2026-11-03 14:20:07`, with `Z` or an offset when given, else as wall-clock time of `zone`. A wall-clock
 * time that the zone had twice, or never, is refused: it is not guessed.
 */
export function readTypedInstant(text: string, zone: Zone): TypedInstant {
  const match = typedPattern.exec(text.trim())
  if (!match)
    return { kind: 'refused', rule: 'write the time as YYYY-MM-DD hh:mm:ss, e.g. 2026-11-03 14:20:07' }
  const [, year, month, day, hour, minute, second = '0', fraction = '0', suffix] = match
  const wall = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
    Number(fraction.padEnd(3, '0')),
  )
  const read = partsIn('UTC', wall)
  if (
    read.month !== Number(month) ||
    read.day !== Number(day) ||
    read.hour !== Number(hour) ||
    read.minute !== Number(minute) ||
    read.second !== Number(second)
  )
    return { kind: 'refused', rule: `there is no such date and time as ${text.trim()}` }
  if (suffix === 'Z') return { kind: 'instant', ms: wall }
  if (suffix) {
    const size = (Number(suffix.slice(1, 3)) * 60 + Number(suffix.slice(4, 6))) * 60_000
    return { kind: 'instant', ms: suffix.startsWith('+') ? wall - size : wall + size }
  }
  const candidates = new Set<number>()
  for (const around of [wall - 86_400_000, wall, wall + 86_400_000]) {
    const ms = wall - offsetMinutes(zone, around) * 60_000
    if (ms + offsetMinutes(zone, ms) * 60_000 === wall) candidates.add(ms)
  }
  const [only, ...others] = candidates
  if (only === undefined)
    return { kind: 'refused', rule: `the clocks of ${zone} skipped this time; add an offset, e.g. +02:00` }
  if (others.length > 0)
    return {
      kind: 'refused',
      rule: `the clocks of ${zone} showed this time twice; add an offset, e.g. +02:00`,
    }
  return { kind: 'instant', ms: only }
}

const monthNames = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

function two(value: number): string {
  return String(value).padStart(2, '0')
}
