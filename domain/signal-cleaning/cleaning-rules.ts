/**
 * The rules by which raw readings become cleaned signals, their limits and their versions. A change of a limit or
 * of the order of the rules is a new `rulesVersion`: every derived window names the one that it was made with.
 *
 * Order: hard bounds, quality at the source, gap state, outliers. Bounds come first: clipped into range before it is
 * judged, a reading of -999 would look like a plausible one.
 * Source: process description of the batch, signal cleaning; Hampel 1974 for the outlier test.
 */
import type { Tag, TagDefinition } from '../../schemas/tags.ts'

export const rulesVersion = 'cleaning/1'

export const rules = {
  /** Outside the tag's hard bounds, or not a finite number. */
  hardBounds: 'hard-bounds/1',
  /** The source itself calls the reading bad. */
  badAtSource: 'bad-at-source/1',
  /** The source calls it uncertain: used as it is, never counted as good. */
  uncertainAtSource: 'uncertain-at-source/1',
  /** The unit is none of the tag's units. */
  unknownUnit: 'unknown-unit/1',
  /** Further from the trailing median than three scaled median absolute deviations. */
  hampel: 'hampel/1',
  /** The last good value stands in while a gap is open. */
  holdLast: 'hold-last/1',
  /** A closed gap below 5 min. */
  linearGap: 'linear-gap/1',
  /** A closed gap of 5 to 30 min, both included. */
  kalmanGap: 'kalman-gap/1',
  /** A gap above 30 min, or a tag that never spoke: nothing stands in. */
  noFill: 'no-fill/1',
  /** Came after its window had closed: stored, never looked at again. */
  lateReading: 'late-reading/1',
  /** A sensor has shown exactly one value for 5 min or more: said, not acted upon (a coarse instrument may do that). */
  unchanged: 'unchanged/1',
  /** A silence of the whole vessel so long that its empty windows were left out. */
  silence: 'silence-skipped/1',
} as const

export const linearGapBelowMs = 5 * 60_000
/** Inclusive. */
export const kalmanGapUpToMs = 30 * 60_000

/** From when on a sensor that shows one value only is remarked upon. */
export const unchangedAfterMs = 5 * 60_000

export type GapKind = 'interpolated' | 'kalman' | 'missing'

/** How a closed gap between two good readings is filled: below 5 min, 5 to 30 min inclusive, above. */
export function gapKind(gapMs: number): GapKind {
  if (gapMs < linearGapBelowMs) return 'interpolated'
  return gapMs <= kalmanGapUpToMs ? 'kalman' : 'missing'
}

export const hampel = {
  /** The newest readings looked at (5 min at 1 Hz), … */
  readings: 300,
  /** … none of them older. */
  spanMs: 10 * 60_000,
  /** After such a silence, what was before no longer says what is plausible: the test starts anew. */
  restartAfterMs: 60_000,
  /** Below this many the test says nothing. */
  fewest: 15,
  /** Three standard deviations: 3 × 1.4826 × MAD (the MAD of normal noise is 0.6745 SD). */
  scale: 3 * 1.4826,
  /** So many outliers in a row on one side are a step of the process: the test starts anew from them. */
  stepAfter: 15,
} as const

/**
 * Half-width below which nothing is an outlier, in the tag's unit (or as a part of the median): on a quiet or coarsely
 * resolved signal the MAD is 0 and every change would stand out. About three SD of the instrument's white noise.
 */
const quietWidth: Partial<Record<Tag, { readonly absolute: number; readonly relative?: number }>> = {
  pH: { absolute: 0.02 },
  DO: { absolute: 1 },
  OD: { absolute: 0.03, relative: 0.02 },
  Stir_torque: { absolute: 1 },
  Reactor_Pressure: { absolute: 0.003 },
  Temp_Broth: { absolute: 0.1 },
  Temp_pH_Probe: { absolute: 0.1 },
  Temp_DO_Probe: { absolute: 0.1 },
  Temp_Stirrer_Motor: { absolute: 0.5 },
  Temp_Exhaust: { absolute: 0.1 },
  Weight: { absolute: 0.012 },
  Off_Gas_CO2: { absolute: 0.05 },
  Off_Gas_O2: { absolute: 0.06 },
  Gas_Flow_Inlet: { absolute: 0.02 },
  Gas_Flow_Outlet: { absolute: 0.02 },
}

export type OutlierWidth = { readonly absolute: number; readonly relative: number }

/** Undefined for setpoints and actuators: what a controller commands steps by design, and a step is no outlier. */
export function outlierWidth(definition: TagDefinition): OutlierWidth | undefined {
  if (definition.kind !== 'sensor') return undefined
  const width = quietWidth[definition.tag as Tag]
  return { absolute: width?.absolute ?? 0, relative: width?.relative ?? 0 }
}
