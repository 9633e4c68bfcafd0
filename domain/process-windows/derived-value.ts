/** Derived values: a number, or the reason why there is none; a reason travels on to what would rest on the value. */
import { specificRate } from '../process-maths/biomass.ts'
import { respiratoryQuotient } from '../process-maths/gas-balance.ts'
import type { DerivedValue } from './process-window.ts'

export const missingInput: DerivedValue = { value: null, reason: 'missing_input' }
export const lowSignal: DerivedValue = { value: null, reason: 'low_signal' }

export function orReason(value: number | undefined, reason: string): DerivedValue {
  return value === undefined ? { value: null, reason } : { value }
}

export function quotient(uptake: DerivedValue, evolution: DerivedValue): DerivedValue {
  if (uptake.value === null) return uptake
  if (evolution.value === null) return evolution
  const result = respiratoryQuotient(uptake.value, evolution.value)
  return result.kind === 'value' ? { value: result.value } : lowSignal
}

export function perGram(rate: DerivedValue, biomass: number | undefined): DerivedValue {
  if (rate.value === null) return rate
  if (biomass === undefined) return missingInput
  return orReason(specificRate(rate.value, biomass), 'low_signal')
}

export function difference(left: number | undefined, right: number | undefined): DerivedValue {
  return left === undefined || right === undefined ? missingInput : { value: left - right }
}

export function widest(broth: number | undefined, ...others: readonly (number | undefined)[]): DerivedValue {
  const known = others.filter((value) => value !== undefined)
  if (broth === undefined || known.length === 0) return missingInput
  return { value: Math.max(...known.map((value) => Math.abs(broth - value))) }
}
