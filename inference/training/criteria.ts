/**
 * What a model must reach before it may be approved (gate) and what is aimed at (goal): stated before any test run,
 * for the realistic measurement scenario against the simulation's truth. Fractions; minutes for depletion.
 */
import type { Evaluation } from '../evaluate/summary.ts'

export type Criterion = {
  readonly name: string
  readonly label: string
  readonly unit: '%' | 'min' | ''
  readonly gate: number
  readonly goal?: number
  readonly better: 'lower' | 'higher'
  readonly reached: (figures: Evaluation) => number | null
}

export const criteria: readonly Criterion[] = [
  lower('mre30m', 'mean relative error, 30 min', '%', 0.025, 0.016, (e) => e.horizons.PT30M.mre),
  lower(
    'mreOffline30m',
    'the same against offline OD600',
    '%',
    0.035,
    undefined,
    (e) => e.horizons.PT30M.mreOffline,
  ),
  lower('mre2h', 'mean relative error, 2 h', '%', 0.03, 0.018, (e) => e.horizons.PT2H.mre),
  lower(
    'mreOffline2h',
    'the same against offline OD600',
    '%',
    0.04,
    undefined,
    (e) => e.horizons.PT2H.mreOffline,
  ),
  lower('worstPhase2h', '2 h, worst phase', '%', 0.05, 0.03, worstPhase),
  lower(
    'softSensor',
    'soft sensor as issued (with offline samples)',
    '%',
    0.04,
    0.025,
    (e) => e.softSensor.mre,
  ),
  lower(
    'softGasAndBase',
    'soft sensor, gas and ammonia',
    '%',
    0.04,
    0.025,
    (e) => e.softSensor.mreGasAndBase,
  ),
  lower('softGasOnly', 'soft sensor, gas only', '%', 0.06, 0.04, (e) => e.softSensor.mreGasOnly),
  lower(
    'depletionMinutes',
    'time to depletion, from 4 h before',
    'min',
    10,
    5,
    (e) => e.depletion.meanAbsMinutes,
  ),
  lower(
    'depletionWorstBatch',
    'the same, worst batch',
    'min',
    20,
    undefined,
    (e) => e.depletion.worstBatchMinutes,
  ),
  higher('skillLastMu30m', 'skill over last µ, 30 min', 0, 0.2, (e) => e.horizons.PT30M.skillLastMu),
  higher('skillLastMu1h', 'skill over last µ, 1 h', 0.4, 0.5, (e) => e.horizons.PT1H.skillLastMu),
  higher('skillLastMu2h', 'skill over last µ, 2 h', 0.6, 0.7, (e) => e.horizons.PT2H.skillLastMu),
  higher(
    'skillPersistence30m',
    'skill over persistence, 30 min',
    0.75,
    undefined,
    (e) => e.horizons.PT30M.skillPersistence,
  ),
  lower(
    'withheldShare',
    'withheld from 1 h to depletion, no fault',
    '%',
    0.05,
    undefined,
    (e) => e.withheld.share,
  ),
  ...(['PT30S', 'PT30M', 'PT1H', 'PT2H'] as const).map((horizon) =>
    lower(
      `coverage${horizon}`,
      `90 % interval, ${horizon}: its coverage off 90 %`,
      '%',
      0.02,
      undefined,
      ({ horizons }) => offNinety(horizons[horizon].coverage90),
    ),
  ),
  lower(
    'coverageSoftSensor',
    '90 % interval, soft sensor: its coverage off 90 %',
    '%',
    0.02,
    undefined,
    (e) => offNinety(e.softSensor.coverage90),
  ),
  lower(
    'coverageWorstPhase',
    '90 % interval, worst phase and horizon: its coverage off 90 %',
    '%',
    0.05,
    undefined,
    worstCoverage,
  ),
]

export type Reached = Omit<Criterion, 'reached'> & { readonly reached: number | null; readonly met: boolean }

export function judged(figures: Evaluation): readonly Reached[] {
  return criteria.map(({ reached, ...criterion }) => {
    const value = reached(figures)
    const met =
      value !== null && (criterion.better === 'lower' ? value <= criterion.gate : value >= criterion.gate)
    return { ...criterion, reached: value, met }
  })
}

function worstPhase({ phases }: Evaluation): number | null {
  const errors = Object.values(phases.PT2H).map(({ mre }) => mre ?? 0)
  return errors.length === 0 ? null : Math.max(...errors)
}

function offNinety(coverage: number | null): number | null {
  return coverage === null ? null : Math.abs(coverage - 0.9)
}

function worstCoverage({ phases }: Evaluation): number | null {
  const off = Object.values(phases)
    .flatMap((byPhase) => Object.values(byPhase))
    .flatMap(({ coverage90 }) => (coverage90 === null ? [] : [Math.abs(coverage90 - 0.9)]))
  return off.length === 0 ? null : Math.max(...off)
}

function lower(
  name: string,
  label: string,
  unit: '%' | 'min',
  gate: number,
  goal: number | undefined,
  reached: Criterion['reached'],
): Criterion {
  return { name, label, unit, gate, ...(goal === undefined ? {} : { goal }), better: 'lower', reached }
}

function higher(
  name: string,
  label: string,
  gate: number,
  goal: number | undefined,
  reached: Criterion['reached'],
): Criterion {
  return { name, label, unit: '', gate, ...(goal === undefined ? {} : { goal }), better: 'higher', reached }
}
