/**
 * Histograms of one batch's inputs, phase by phase. A phase counts when it was seen from its beginning to its end: the part of
 * one that is under way never has the distribution of the whole.
 */
import type { ProcessPhase } from '../../schemas/events/process-events.ts'
import { type Bins, binOf, coarseBinsOf, type PhaseHistogram, type TrainingReference } from './input-drift.ts'

export type PhaseHistograms = {
  /** The phase that this window ended, if it was seen whole. `featureValue`: NaN where a feature is missing. */
  add(
    window: { readonly phase: ProcessPhase | undefined; readonly isFirst: boolean },
    featureValue: (feature: string) => number,
  ): PhaseHistogram | undefined
  /** The batch has ended: the last phase is complete. */
  end(): PhaseHistogram | undefined
}

export function phaseHistograms(reference: TrainingReference, features: readonly string[]): PhaseHistograms {
  let phase: ProcessPhase | undefined
  let isWhole = false
  let windows = 0
  let counts = new Map<string, { readonly bins: Bins; readonly counts: number[] }>()

  function begin(next: ProcessPhase | undefined, wasSeenBeginning: boolean): void {
    phase = next
    isWhole = wasSeenBeginning
    windows = 0
    counts = new Map()
    const known = next === undefined ? undefined : reference.phases[next]?.features
    for (const feature of features) {
      const edges = known?.[feature]?.edges
      if (!edges) continue
      const bins = coarseBinsOf(edges, reference.bins)
      counts.set(feature, { bins, counts: bins.expected.map(() => 0) })
    }
  }

  function completed(): PhaseHistogram | undefined {
    if (phase === undefined || !isWhole || windows === 0) return undefined
    return {
      phase,
      windows,
      counts: new Map([...counts].map(([feature, { counts: own }]) => [feature, own])),
    }
  }

  let wasSeen = false
  return {
    add(window, featureValue) {
      let ended: PhaseHistogram | undefined
      if (window.phase !== phase || !wasSeen) {
        ended = completed()
        begin(window.phase, wasSeen || window.isFirst)
        wasSeen = true
      }
      windows++
      for (const [feature, { bins, counts: own }] of counts) {
        const value = featureValue(feature)
        if (Number.isNaN(value)) continue
        const bin = binOf(bins, value)
        own[bin] = (own[bin] ?? 0) + 1
      }
      return ended
    },
    end: completed,
  }
}
