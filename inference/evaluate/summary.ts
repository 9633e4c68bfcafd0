/**
 * The figures of an evaluation, from its rows: mean relative error against the truth and against offline OD600, skill
 * over persistence and over growth at the last µ (both before depletion), coverage of the 90 % interval by the
 * truth, the soft sensor, and minutes to depletion from 4 h before it.
 */
import type { ProcessPhase } from '../../schemas/events/process-events.ts'
import type { ScoreRow } from './score-row.ts'

const forecastHorizons = ['PT30S', 'PT30M', 'PT1H', 'PT2H'] as const
type ForecastHorizon = (typeof forecastHorizons)[number]
const hoursAhead: Readonly<Record<ForecastHorizon, number>> = { PT30S: 1 / 120, PT30M: 0.5, PT1H: 1, PT2H: 2 }
const phases = ['lag', 'exponential', 'decelerating', 'stationary'] as const
const depletionFromMinutes = 240

export type HorizonFigures = {
  readonly mre: number | null
  readonly mreOffline: number | null
  readonly skillPersistence: number | null
  readonly skillLastMu: number | null
  readonly coverage90: number | null
}
export type PhaseFigures = {
  readonly mre: number | null
  readonly coverage90: number | null
  readonly rows: number
}
export type Evaluation = {
  readonly horizons: Readonly<Record<ForecastHorizon, HorizonFigures>>
  readonly softSensor: {
    readonly mre: number | null
    readonly mreGasOnly: number | null
    readonly mreGasAndBase: number | null
    readonly mreOffline: number | null
    readonly coverage90: number | null
  }
  readonly depletion: {
    readonly meanAbsMinutes: number | null
    readonly worstBatchMinutes: number | null
    readonly coverage90: number | null
  }
  readonly phases: Readonly<
    Record<ForecastHorizon | 'PT0S', Readonly<Partial<Record<ProcessPhase, PhaseFigures>>>>
  >
  readonly persistence: Readonly<Record<ForecastHorizon, number | null>>
  readonly withheld: {
    /** Share of windows from 1 h after inoculation to depletion without a forecast. */
    readonly share: number | null
    readonly byReason: Readonly<Record<string, number>>
  }
  readonly batches: number
  readonly rows: number
}

/** The figures that a judge asks for, without those by phase and of what was withheld. */
export function headline({ horizons, softSensor, depletion }: Evaluation) {
  return {
    horizons,
    softSensor: { mre: softSensor.mre, mreGasOnly: softSensor.mreGasOnly },
    depletion: {
      meanAbsMinutes: depletion.meanAbsMinutes,
      worstBatchMinutes: depletion.worstBatchMinutes,
    },
  }
}

type Mean = { sum: number; count: number }
const mean = (): Mean => ({ sum: 0, count: 0 })
const add = (into: Mean, value: number): void => {
  into.sum += value
  into.count++
}
const of = ({ sum, count }: Mean): number | null => (count === 0 ? null : sum / count)

export type Summary = { readonly add: (row: ScoreRow) => void; readonly result: () => Evaluation }

export function summary(): Summary {
  const horizons = {
    PT30S: horizonSums(),
    PT30M: horizonSums(),
    PT1H: horizonSums(),
    PT2H: horizonSums(),
  }
  const soft = {
    truth: mean(),
    gasOnly: mean(),
    gasAndBase: mean(),
    offline: mean(),
    covered: mean(),
    phases: phaseSums(),
  }
  const depletion = new Map<string, Mean>()
  const depletionAll = mean()
  const depletionCovered = mean()
  const withheld = mean()
  const reasons: Record<string, number> = {}
  const batches = new Set<string>()
  let rows = 0

  const addSoft = (row: ScoreRow, p50: number): void => {
    if (row.trueValue !== null) {
      add(soft.truth, relative(p50, row.trueValue))
      if (row.p50GasOnly !== undefined) add(soft.gasOnly, relative(row.p50GasOnly, row.trueValue))
      if (row.p50GasAndBase !== undefined) add(soft.gasAndBase, relative(row.p50GasAndBase, row.trueValue))
      add(soft.covered, covers(row, row.trueValue))
      addPhase(soft.phases, row, p50, row.trueValue)
    }
    if (row.measured !== null) add(soft.offline, relative(p50, row.measured))
  }
  const addDepletion = (row: ScoreRow, p50: number): void => {
    if (row.trueValue === null || row.trueValue <= 0 || row.trueValue > depletionFromMinutes) return
    const own = depletion.get(row.batch) ?? mean()
    depletion.set(row.batch, own)
    add(own, Math.abs(p50 - row.trueValue))
    add(depletionAll, Math.abs(p50 - row.trueValue))
    add(depletionCovered, covers(row, row.trueValue))
  }
  const addForecast = (row: ScoreRow, name: ForecastHorizon, p50: number): void => {
    const sums = horizons[name]
    if (row.measured !== null) add(sums.offline, relative(p50, row.measured))
    if (row.trueValue === null) return
    add(sums.truth, relative(p50, row.trueValue))
    add(sums.covered, covers(row, row.trueValue))
    addPhase(sums.phases, row, p50, row.trueValue)
    if (!row.beforeDepletion || row.lastValue === null) return
    const own = relative(p50, row.trueValue)
    add(sums.beforePersistence, own)
    add(sums.persistence, relative(row.lastValue, row.trueValue))
    if (row.lastMu === null) return
    add(sums.beforeLastMu, own)
    add(sums.lastMu, relative(row.lastValue * Math.exp(row.lastMu * hoursAhead[name]), row.trueValue))
  }

  return {
    add: (row) => {
      rows++
      batches.add(row.batch)
      if (row.horizon === 'PT30M' && row.beforeDepletion && row.hoursSinceInoculation >= 1)
        add(withheld, row.p50 === null ? 1 : 0)
      if (row.p50 === null) {
        if (row.horizon === 'PT30M')
          reasons[row.reason ?? 'unknown'] = (reasons[row.reason ?? 'unknown'] ?? 0) + 1
        return
      }
      if (row.horizon === 'PT0S') addSoft(row, row.p50)
      else if (row.horizon === 'depletion') addDepletion(row, row.p50)
      else addForecast(row, row.horizon, row.p50)
    },
    result: () => ({
      horizons: perHorizon((name) => figuresOf(horizons[name])),
      softSensor: {
        mre: of(soft.truth),
        mreGasOnly: of(soft.gasOnly),
        mreGasAndBase: of(soft.gasAndBase),
        mreOffline: of(soft.offline),
        coverage90: of(soft.covered),
      },
      depletion: {
        meanAbsMinutes: of(depletionAll),
        worstBatchMinutes:
          depletion.size === 0 ? null : Math.max(...[...depletion.values()].map((one) => of(one) ?? 0)),
        coverage90: of(depletionCovered),
      },
      phases: {
        PT0S: phaseFigures(soft.phases),
        ...perHorizon((name) => phaseFigures(horizons[name].phases)),
      },
      persistence: perHorizon((name) => of(horizons[name].persistence)),
      withheld: { share: of(withheld), byReason: reasons },
      batches: batches.size,
      rows,
    }),
  }
}

type PhaseSums = Record<ProcessPhase, { truth: Mean; covered: Mean }>
const phaseSums = (): PhaseSums => ({
  lag: { truth: mean(), covered: mean() },
  exponential: { truth: mean(), covered: mean() },
  decelerating: { truth: mean(), covered: mean() },
  stationary: { truth: mean(), covered: mean() },
})

const horizonSums = () => ({
  truth: mean(),
  offline: mean(),
  covered: mean(),
  persistence: mean(),
  beforePersistence: mean(),
  lastMu: mean(),
  beforeLastMu: mean(),
  phases: phaseSums(),
})

function figuresOf(sums: ReturnType<typeof horizonSums>): HorizonFigures {
  return {
    mre: of(sums.truth),
    mreOffline: of(sums.offline),
    skillPersistence: skill(sums.beforePersistence, sums.persistence),
    skillLastMu: skill(sums.beforeLastMu, sums.lastMu),
    coverage90: of(sums.covered),
  }
}

function phaseFigures(sums: PhaseSums): Partial<Record<ProcessPhase, PhaseFigures>> {
  return Object.fromEntries(
    phases
      .filter((phase) => sums[phase].truth.count > 0)
      .map((phase) => [
        phase,
        { mre: of(sums[phase].truth), coverage90: of(sums[phase].covered), rows: sums[phase].truth.count },
      ]),
  )
}

function addPhase(sums: PhaseSums, row: ScoreRow, p50: number, truth: number): void {
  if (row.phase === null) return
  add(sums[row.phase].truth, relative(p50, truth))
  add(sums[row.phase].covered, covers(row, truth))
}

const relative = (value: number, truth: number): number => Math.abs(value - truth) / truth
const covers = (row: ScoreRow, truth: number): number =>
  row.p5 !== null && row.p95 !== null && row.p5 <= truth && truth <= row.p95 ? 1 : 0

function skill(own: Mean, other: Mean): number | null {
  const [ours, theirs] = [of(own), of(other)]
  return ours === null || theirs === null || theirs === 0 ? null : 1 - ours / theirs
}

const perHorizon = <T>(each: (name: ForecastHorizon) => T): Record<ForecastHorizon, T> => ({
  PT30S: each('PT30S'),
  PT30M: each('PT30M'),
  PT1H: each('PT1H'),
  PT2H: each('PT2H'),
})
