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
  {
    name: 'coverage90',
    label: '90 % interval, 2 h: distance of its coverage from 90 %',
    unit: '%',
    gate: 0.02,
    better: 'lower',
    reached: (e) => (e.horizons.PT2H.coverage90 === null ? null : Math.abs(e.horizons.PT2H.coverage90 - 0.9)),
  },
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
