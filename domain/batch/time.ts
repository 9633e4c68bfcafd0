/** Instants as people give them: ISO 8601 with a zone, kept to the millisecond, and only those that exist. */
import type { Instant } from '../../schemas/event.ts'

const sourceTime =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:Z|([+-])(\d{2}):(\d{2}))$/

/** Undefined when the text names no instant (30 February, 24:00, second 60, zone +99:99). */
export function instantOf(text: string): Instant | undefined {
  const parts = sourceTime.exec(text)
  if (!parts) return undefined
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const zoneHours = Number(parts[9] ?? 0)
  const zoneMinutes = Number(parts[10] ?? 0)
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined
  if (hour > 23 || minute > 59 || second > 59 || zoneHours > 23 || zoneMinutes > 59) return undefined
  const milliseconds = Number((parts[7] ?? '').padEnd(3, '0').slice(0, 3))
  const local = new Date(0)
  local.setUTCFullYear(year, month - 1, day)
  local.setUTCHours(hour, minute, second, milliseconds)
  const offset = (zoneHours * 60 + zoneMinutes) * 60_000 * (parts[8] === '-' ? -1 : 1)
  const instant = new Date(local.getTime() - offset)
  return instant.getUTCFullYear() < 0 || instant.getUTCFullYear() > 9999 ? undefined : instant.toISOString()
}

function daysIn(year: number, month: number): number {
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  return month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31
}

const toleranceMs = 5 * 60_000
/** Nothing that this product records happened before; what says so is a wrong clock or a slip. */
const earliestInstant: Instant = '2000-01-01T00:00:00.000Z'

export type PerformedAt =
  | { readonly kind: 'at'; readonly occurredAt: Instant; readonly lateEntry: boolean }
  | { readonly kind: 'impossible'; readonly rule: string }

/**
 * When it was done: as given, or at its arrival. Up to 5 min in the future is clock difference, beyond that is
 * wrong; more than 5 min in the past is a late entry.
 */
export function performedAt(given: string | undefined, receivedAt: Instant): PerformedAt {
  if (given === undefined) return { kind: 'at', occurredAt: receivedAt, lateEntry: false }
  const occurredAt = instantOf(given)
  if (occurredAt === undefined) return { kind: 'impossible', rule: 'an instant that exists' }
  if (occurredAt < earliestInstant) return { kind: 'impossible', rule: `not before ${earliestInstant}` }
  const ageMs = millisecondsBetween(occurredAt, receivedAt)
  if (ageMs < -toleranceMs)
    return { kind: 'impossible', rule: `at most 5 min in the future (received at ${receivedAt})` }
  return { kind: 'at', occurredAt, lateEntry: ageMs > toleranceMs }
}

export function millisecondsBetween(from: Instant, to: Instant): number {
  return Date.parse(to) - Date.parse(from)
}
