/**
 * The cleaned series in order of time while it is being read. `seriesCleaner` gives the points of a gap when the gap closes,
 * after the invalid readings inside it; here those wait for it. What waits are the invalid readings of one gap, no more.
 */
import type { TagDefinition } from '../../schemas/tags.ts'
import { type CleanedPoint, type RawReading, seriesCleaner } from './clean-series.ts'

type OrderedCleaner = {
  /** The points that are final with this reading, by time; feed in order of source time. */
  readonly push: (reading: RawReading) => readonly CleanedPoint[]
  /** The rest, with what stands for the tag up to `untilMs` while its last gap is open. */
  readonly end: (untilMs: number) => readonly CleanedPoint[]
}

export function orderedCleaner(definition: TagDefinition): OrderedCleaner {
  const cleaner = seriesCleaner(definition)
  let held: CleanedPoint[] = []
  let hasSpoken = false

  const release = (points: readonly CleanedPoint[]): readonly CleanedPoint[] => {
    if (held.length === 0) return points
    const ordered = [...held, ...points].sort((left, right) => left.atMs - right.atMs)
    held = []
    return ordered
  }

  return {
    push: (reading) => {
      const points = cleaner.push(reading)
      const [only] = points
      if (only?.quality === 'invalid') {
        // Before the first usable reading there is no gap that could be filled.
        if (!hasSpoken) return points
        held.push(only)
        return []
      }
      hasSpoken = true
      return release(points)
    },
    end: (untilMs) => release(cleaner.open(untilMs)),
  }
}
