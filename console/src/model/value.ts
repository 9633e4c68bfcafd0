/** A tag's value as people read it: its decimals, its unit, and where it stands in the operating range. */
import { findTag, resolveUnit } from '../../../schemas/tags.ts'
import type { Batch, CurrentValue, Quality } from '../api/answers.ts'

/** Fixed decimals and a true minus sign, so that digits do not jump; −0 is 0. */
export function formatValue(value: number, decimals: number): string {
  const text = value.toFixed(decimals)
  return /^-0(\.0*)?$/.test(text) ? text.slice(1) : text.replace('-', '−')
}

export function labelOf(tag: string): string {
  return findTag(tag)?.label ?? tag
}

export function decimalsOf(tag: string): number {
  return findTag(tag)?.decimals ?? 3
}

/** How a unit is written for people; a unit that is not the tag's own stands as it was sent. */
export function unitLabelOf(tag: string, unit: string): string {
  const definition = findTag(tag)
  return definition && definition.unit === unit ? definition.unitLabel : unit
}

export type RangePlace = {
  /** 0 = lower end, 1 = upper end of the operating range; clamped. */
  readonly share: number
  readonly verdict: 'within' | 'below' | 'above'
}

/** Outside the range by less than this share of it is noise around its end, not a verdict (DO rests at 100 ± 1.5 %). */
const deadband = 0.02

/**
 * `range` is in the unit of the value, as the API gives it. Undefined when the unit is not one of the tag's: there is
 * nothing to compare with.
 */
export function placeInRange(
  value: number,
  range: readonly [number, number],
  tag: string,
  unit: string,
): RangePlace | undefined {
  const definition = findTag(tag)
  if (definition && !resolveUnit(definition, unit)) return undefined
  const [low, high] = range
  const share = Math.min(1, Math.max(0, (value - low) / (high - low || 1)))
  const spare = deadband * (high - low)
  return { share, verdict: value < low - spare ? 'below' : value > high + spare ? 'above' : 'within' }
}

/** What stands beside a value: a word and a shape; colour only repeats them. */
export type StatusWord = {
  readonly word: string
  readonly shape: 'circle' | 'diamond' | 'cross' | 'up' | 'down' | 'ring'
  readonly tone: 'normal' | 'caution' | 'alarm' | 'dim'
}

export function qualityStatus(quality: Quality): StatusWord {
  switch (quality) {
    case 'good':
      return { word: 'good', shape: 'circle', tone: 'normal' }
    case 'uncertain':
      return { word: 'uncertain', shape: 'diamond', tone: 'caution' }
    case 'bad':
      return { word: 'bad', shape: 'cross', tone: 'alarm' }
  }
}

export function rangeStatus(place: RangePlace | undefined): StatusWord | undefined {
  if (place?.verdict === 'below') return { word: 'below range', shape: 'down', tone: 'caution' }
  if (place?.verdict === 'above') return { word: 'above range', shape: 'up', tone: 'caution' }
  return undefined
}

/** Flags as ingest set them, in words. Simulated and replayed readings are late by nature: there it says nothing. */
export function flagWords(flags: CurrentValue['flags'], origin: Batch['origin']): string {
  return flags
    .filter((flag) => flag !== 'late' || origin === 'live')
    .map((flag) => flag.replaceAll('-', ' '))
    .join(', ')
}
