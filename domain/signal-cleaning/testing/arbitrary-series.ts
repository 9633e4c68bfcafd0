/** Series of one tag for property tests: mostly at 1 Hz, with drop-outs of up to 40 min and values in and out of bounds. */
import fc from 'fast-check'
import { tagDefinitions } from '../../../schemas/tags.ts'
import type { RawReading } from '../clean-series.ts'

const minute = 60_000

export const arbitrarySeries = fc
  .tuple(
    fc.constantFrom(...tagDefinitions),
    fc.array(
      fc.record({
        stepMs: fc.oneof(
          { weight: 8, arbitrary: fc.constant(1000) },
          { weight: 1, arbitrary: fc.integer({ min: 1, max: 40 * minute }) },
        ),
        part: fc.double({ min: -0.2, max: 1.2, noNaN: true }),
        quality: fc.constantFrom('good', 'good', 'good', 'uncertain', 'bad' as const),
      }),
      { maxLength: 60 },
    ),
  )
  .map(([definition, steps]) => {
    const [low, high] = definition.hardBounds
    let atMs = 0
    const readings: RawReading[] = steps.map(({ stepMs, part, quality }, nth) => {
      atMs += stepMs
      return {
        atMs,
        value: low + part * (high - low),
        unit: definition.unit,
        quality: quality as RawReading['quality'],
        position: BigInt(nth + 1),
      }
    })
    return { definition, readings, untilMs: atMs + 35 * minute }
  })
