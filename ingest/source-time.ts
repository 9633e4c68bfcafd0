/**
 * Source times: ISO 8601 with an explicit zone and up to nine decimals, kept to the millisecond. Written out by
 * hand because it runs for every message; `sourceTime` in `schemas/mqtt.ts` is the reference for the form, the
 * calendar is checked here on top (RFC 3339 5.7).
 */

/** Ms since the epoch; undefined when the text is no such time, or one before 1970. */
export function parseSourceTime(text: string): number | undefined {
  const length = text.length
  if (length < 20 || length > 35) return undefined
  const year = digits(text, 0, 4)
  const month = digits(text, 5, 2)
  const day = digits(text, 8, 2)
  const hour = digits(text, 11, 2)
  const minute = digits(text, 14, 2)
  const second = digits(text, 17, 2)
  if (
    year < 0 ||
    text.charCodeAt(4) !== hyphen ||
    text.charCodeAt(7) !== hyphen ||
    text.charCodeAt(10) !== letterT ||
    text.charCodeAt(13) !== colon ||
    text.charCodeAt(16) !== colon ||
    month < 1 ||
    month > 12 ||
    day < 1 ||
    day > daysIn(year, month) ||
    hour < 0 ||
    hour > 23 ||
    minute < 0 ||
    minute > 59 ||
    second < 0 ||
    second > 59
  )
    return undefined
  let at = 19
  let milliseconds = 0
  if (text.charCodeAt(at) === point) {
    const start = ++at
    while (isDigit(text.charCodeAt(at))) at++
    const decimals = at - start
    if (decimals < 1 || decimals > 9) return undefined
    for (let place = 0, weight = 100; place < 3 && place < decimals; place++, weight /= 10)
      milliseconds += (text.charCodeAt(start + place) - zero) * weight
  }
  const offset = offsetMinutes(text, at)
  if (offset === undefined) return undefined
  const ms = Date.UTC(year, month - 1, day, hour, minute, second, milliseconds) - offset * 60_000
  // Years 0–99 mean 1900–1999 to Date.UTC; they are no times of this process anyway.
  return year < 100 || ms < 0 || ms > lastInstant ? undefined : ms
}

const zero = 48
const hyphen = 45
const plus = 43
const colon = 58
const point = 46
const letterT = 84
const letterZ = 90
const lastInstant = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

const isDigit = (code: number): boolean => code >= zero && code <= 57

/** −1 when one of the characters is no digit. */
function digits(text: string, from: number, count: number): number {
  let value = 0
  for (let at = from; at < from + count; at++) {
    const code = text.charCodeAt(at)
    if (!isDigit(code)) return -1
    value = value * 10 + code - zero
  }
  return value
}

function offsetMinutes(text: string, at: number): number | undefined {
  const sign = text.charCodeAt(at)
  if (sign === letterZ) return text.length === at + 1 ? 0 : undefined
  if ((sign !== plus && sign !== hyphen) || text.length !== at + 6 || text.charCodeAt(at + 3) !== colon)
    return undefined
  const hours = digits(text, at + 1, 2)
  const minutes = digits(text, at + 4, 2)
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return undefined
  return (sign === plus ? 1 : -1) * (hours * 60 + minutes)
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}
