/**
 * Cleans one tag's readings one by one, in order of arrival: bounds, quality at the source, then outliers. What a
 * gap needs (hold, interpolate, smooth) is known only with the readings around it: `clean-series.ts` and the windows.
 */
import type { Quality } from '../../schemas/events/sensor-events.ts'
import { resolveUnit, type TagDefinition } from '../../schemas/tags.ts'
import { outlierWidth, rules } from './cleaning-rules.ts'
import { outlierTest } from './outlier-test.ts'

export type Verdict = {
  /** `good` and `uncertain` carry the raw value, `clipped` the limit it exceeded, `invalid` none (NaN). */
  kind: 'good' | 'uncertain' | 'clipped' | 'invalid'
  /** In the tag's own unit. */
  value: number
  /** Which rule spoke; undefined for `good`. */
  rule: string | undefined
}

export type TagCleaner = {
  /** The verdict is one object, overwritten by the next call: copy what is kept. */
  readonly judge: (atMs: number, value: number, unit: string, quality: Quality) => Readonly<Verdict>
}

export function tagCleaner(definition: TagDefinition): TagCleaner {
  const [low, high] = definition.hardBounds
  const width = outlierWidth(definition)
  const test = width && outlierTest(width)
  const verdict: Verdict = { kind: 'good', value: 0, rule: undefined }

  const say = (kind: Verdict['kind'], value: number, rule?: string): Verdict => {
    verdict.kind = kind
    verdict.value = value
    verdict.rule = rule
    return verdict
  }

  return {
    judge: (atMs, raw, unit, quality) => {
      let value = raw
      if (unit !== definition.unit) {
        const resolved = resolveUnit(definition, unit)
        if (!resolved) return say('invalid', Number.NaN, rules.unknownUnit)
        value = raw * resolved.factor
      }
      // Written so that NaN fails too.
      if (!(value >= low && value <= high)) return say('invalid', Number.NaN, rules.hardBounds)
      if (quality === 'bad') return say('invalid', Number.NaN, rules.badAtSource)
      if (quality === 'uncertain') return say('uncertain', value, rules.uncertainAtSource)
      const cleaned = test ? test(atMs, value) : value
      return cleaned === value ? say('good', value) : say('clipped', cleaned, rules.hampel)
    },
  }
}
