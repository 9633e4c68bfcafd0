/**
 * Drift of a model's inputs against what it was trained on, within the same process phase: a batch is not stationary, so a whole run
 * compared with all of training would always differ. Histograms over fifths of the training data are pooled over the newest
 * complete phases, for the features that matter most. Kullback–Leibler divergence KL(live‖trained) and population
 * stability index, both in nats, ε 1e-6.
 *
 * Many features (gains, offsets, yields) hardly change within a batch, so batches, not windows, are the independent samples: of n
 * batches without any drift both measures are above 0 by (bins − 1)/n and half of that, with a spread of χ². That
 * much and two standard deviations are allowed beside the limits.
 */
import type { ProcessPhase } from '../../schemas/events/process-events.ts'

/** Upper edges of the quantile bins (the last bin is open), by phase and feature; none where it had no value. */
export type TrainingReference = {
  readonly bins: number
  readonly phases: Readonly<
    Partial<
      Record<
        ProcessPhase,
        { readonly features: Readonly<Record<string, { readonly edges?: readonly number[] | undefined }>> }
      >
    >
  >
}

export const driftRules = {
  /** Complete phases pooled; fewer say nothing. */
  newestPhases: 40,
  atLeastPhases: 20,
  /** Quantile bins that a feature is judged in. */
  coarseBins: 5,
  /** 60 min of windows. */
  atLeastWindows: 120,
  amberPsi: 0.1,
  redPsi: 0.25,
  largestDivergence: 0.1,
} as const

/** Counts in each bin of each watched feature over one phase of one batch. */
export type PhaseHistogram = {
  readonly phase: ProcessPhase
  readonly windows: number
  readonly counts: ReadonlyMap<string, readonly number[]>
}

export type DriftJudgement = {
  readonly phase: ProcessPhase
  readonly feature: string
  readonly phases: number
  readonly windows: number
  readonly divergence: number
  readonly psi: number
  readonly colour: 'green' | 'amber' | 'red'
}

export type Bins = { readonly edges: readonly number[]; readonly expected: readonly number[] }

/** The training data's bins joined to `driftRules.coarseBins`. */
export function coarseBinsOf(edges: readonly number[], bins: number): Bins {
  const { coarseBins } = driftRules
  const joined = Array.from({ length: coarseBins - 1 }, (_, index) =>
    Math.round(((index + 1) * bins) / coarseBins),
  ).flatMap((upTo) => {
    const edge = edges[upTo - 1]
    return edge === undefined ? [] : [edge]
  })
  return binsOf(joined, coarseBins)
}

/** Bins with equal edges are one: a constant feature has one bin below and one above. */
export function binsOf(edges: readonly number[], bins: number): Bins {
  const unique: number[] = []
  const cumulative: number[] = []
  for (const [index, edge] of edges.entries()) {
    if (edge !== unique.at(-1)) {
      unique.push(edge)
      cumulative.push(0)
    }
    cumulative[cumulative.length - 1] = (index + 1) / bins
  }
  const expected = [...cumulative, 1].map((share, index, all) => share - (all[index - 1] ?? 0))
  return { edges: unique, expected }
}

/** The bin of a value: the first whose upper edge is not below it. */
export function binOf({ edges }: Bins, value: number): number {
  let low = 0
  let high = edges.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((edges[middle] ?? 0) < value) low = middle + 1
    else high = middle
  }
  return low
}

export type DriftPool = {
  add(histogram: PhaseHistogram): void
  /** Of the phases with enough batches. */
  judge(): readonly DriftJudgement[]
}

export function driftPool(reference: TrainingReference): DriftPool {
  const pooled = new Map<ProcessPhase, PhaseHistogram[]>()
  return {
    add(histogram) {
      const own = pooled.get(histogram.phase) ?? []
      own.push(histogram)
      if (own.length > driftRules.newestPhases) own.shift()
      pooled.set(histogram.phase, own)
    },
    judge: () => [...pooled].flatMap(([phase, histograms]) => judged(reference, phase, histograms)),
  }
}

function judged(
  reference: TrainingReference,
  phase: ProcessPhase,
  histograms: readonly PhaseHistogram[],
): readonly DriftJudgement[] {
  const windows = histograms.reduce((sum, one) => sum + one.windows, 0)
  if (histograms.length < driftRules.atLeastPhases || windows < driftRules.atLeastWindows) return []
  const judgements: DriftJudgement[] = []
  for (const [feature, { edges }] of Object.entries(reference.phases[phase]?.features ?? {})) {
    if (!edges) continue
    const { expected } = coarseBinsOf(edges, reference.bins)
    const counts = expected.map((_, bin) =>
      histograms.reduce((sum, one) => sum + (one.counts.get(feature)?.[bin] ?? 0), 0),
    )
    const total = counts.reduce((sum, count) => sum + count, 0)
    if (total === 0) continue
    const live = counts.map((count) => count / total)
    const divergence = kullbackLeibler(live, expected)
    const psi = populationStabilityIndex(live, expected)
    const chance = byChance(expected.length, histograms.length)
    const colour =
      psi >= driftRules.redPsi + chance
        ? 'red'
        : psi >= driftRules.amberPsi + chance || divergence > driftRules.largestDivergence + chance / 2
          ? 'amber'
          : 'green'
    judgements.push({ phase, feature, phases: histograms.length, windows, divergence, psi, colour })
  }
  return judgements
}

/** What the stability index of so many independent samples reaches without drift: χ² of bins − 1, mean and two SD. */
function byChance(bins: number, samples: number): number {
  const freedom = Math.max(1, bins - 1)
  return (freedom + 2 * Math.sqrt(2 * freedom)) / samples
}

const epsilon = 1e-6
const atLeastEpsilon = (share: number | undefined): number => Math.max(epsilon, share ?? 0)

/** Σ p ln(p/q), at least 0 but for ε. */
export function kullbackLeibler(live: readonly number[], trained: readonly number[]): number {
  return live.reduce((sum, p, bin) => {
    const share = atLeastEpsilon(p)
    return sum + share * Math.log(share / atLeastEpsilon(trained[bin]))
  }, 0)
}

/** Σ (p − q) ln(p/q): symmetric, never negative. */
export function populationStabilityIndex(live: readonly number[], trained: readonly number[]): number {
  return live.reduce((sum, p, bin) => {
    const [share, expected] = [atLeastEpsilon(p), atLeastEpsilon(trained[bin])]
    return sum + (share - expected) * Math.log(share / expected)
  }, 0)
}
