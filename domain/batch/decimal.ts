/**
 * Exact decimal arithmetic on what people typed: "4.50" has three significant digits, and a computed value must
 * not gain or lose any through binary fractions. A decimal is `units × 10^-decimals` with `units` a bigint.
 */
export type Decimal = { readonly units: bigint; readonly decimals: number }

/** `text` must be a decimal string as `schemas/event.ts` defines it. */
export function parseDecimal(text: string): Decimal {
  const point = text.indexOf('.')
  if (point < 0) return { units: BigInt(text), decimals: 0 }
  return { units: BigInt(text.slice(0, point) + text.slice(point + 1)), decimals: text.length - point - 1 }
}

export function formatDecimal({ units, decimals }: Decimal): string {
  const sign = units < 0n ? '-' : ''
  const digits = (units < 0n ? -units : units).toString().padStart(decimals + 1, '0')
  if (decimals === 0) return sign + digits
  return `${sign}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`
}

/** Negative, zero or positive as `a` is below, at or above `b`. */
export function compareDecimals(a: string, b: string): number {
  const left = parseDecimal(a)
  const right = parseDecimal(b)
  const difference = left.units * 10n ** BigInt(right.decimals) - right.units * 10n ** BigInt(left.decimals)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

/**
 * `measured × factor`, computed exactly, then rounded (half away from zero) to as many significant digits as
 * `measured` was typed with: "0.412" × "10" = "4.12". A factor is taken as exact. `factor` is at least 1, so the
 * result never has more decimals than `measured`. Whole tens keep their zeros ("0.41" × "1000" = "410").
 */
export function scaleMeasured(measured: string, factor: string): string {
  const raw = parseDecimal(measured)
  const times = parseDecimal(factor)
  if (raw.units === 0n) return formatDecimal(raw)
  const exact = { units: raw.units * times.units, decimals: raw.decimals + times.decimals }
  const digits = digitCount(raw.units)
  const surplus = digitCount(exact.units) - digits
  // 99.95 to three digits carries into a fourth: 100, not 100.0.
  const carried = digitCount(divideAway(exact.units, 10n ** BigInt(surplus))) > digits
  return formatDecimal(withoutLastDigits(exact, carried ? surplus + 1 : surplus))
}

/** Rounds the last `places` digits away; where that reaches the integer part, zeros stand in for them. */
function withoutLastDigits({ units, decimals }: Decimal, places: number): Decimal {
  const kept = divideAway(units, 10n ** BigInt(places))
  if (places <= decimals) return { units: kept, decimals: decimals - places }
  return { units: kept * 10n ** BigInt(places - decimals), decimals: 0 }
}

function digitCount(units: bigint): number {
  return (units < 0n ? -units : units).toString().length
}

const msPerHundredthHour = 36_000n

/** `milliseconds` (whole) as hours with two decimals, rounded half away from zero; never "-0.00". */
export function hoursWithTwoDecimals(milliseconds: number): string {
  return formatDecimal({ units: divideAway(BigInt(milliseconds), msPerHundredthHour), decimals: 2 })
}

/** Half away from zero. The divisor is 1 or even, so that its half is exact. */
function divideAway(value: bigint, divisor: bigint): bigint {
  return (value + (value < 0n ? -divisor / 2n : divisor / 2n)) / divisor
}
