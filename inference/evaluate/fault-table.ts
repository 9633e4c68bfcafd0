/** What the model does under each fault: withheld, or how far off and how often outside its interval. */
import { campaignBatch, plannedBatch } from '../../domain/campaign.ts'
import type { LoadedModel } from '../model/load-model.ts'
import { faultCases } from './fault-cases.ts'
import { foldedBatch } from './folded-batch.ts'
import { scoreBatch } from './score-batch.ts'
import type { ScoreRow } from './score-row.ts'

export type FaultFigures = {
  readonly fault: string
  readonly batches: number
  /** Of the windows from its beginning to depletion. */
  readonly withheldShare: number
  readonly firstReason: string | null
  /** Hours from its beginning to the first withheld window; null where none was. */
  readonly withheldAfterHours: number | null
  /** Of what was issued all the same; relative, against the truth. */
  readonly mre30m: number | null
  readonly mre2h: number | null
  readonly coverage30m: number | null
  readonly coverage2h: number | null
  /** Share of all windows with a 30-min forecast that misses by more than 5 % outside its interval. */
  readonly confidentlyWrong30m: number
  readonly confidentlyWrong2h: number
  readonly depletionMinutes: number | null
  readonly depletionCoverage: number | null
}

const farOff = 0.05
const batchNumber = 17

/** One batch 17 a seed and fault, from `seed` on. */
export async function faultTable(
  model: LoadedModel,
  options: {
    readonly seed: number
    readonly batches: number
    readonly only?: string
    readonly keepIn?: string
  },
  progress: (text: string) => void,
): Promise<readonly FaultFigures[]> {
  const planned = plannedBatch(batchNumber)
  if (!planned) throw new RangeError(`batch ${batchNumber}: not in the plan of 18`)
  const table: FaultFigures[] = []
  for (const fault of faultCases) {
    if (options.only !== undefined && !fault.name.includes(options.only)) continue
    const rows: ScoreRow[] = []
    for (let seed = options.seed; seed < options.seed + options.batches; seed++) {
      const run = fault.apply(campaignBatch(planned, { seed }))
      const folded = await foldedBatch(run, planned, options.keepIn)
      await scoreBatch(model, `${seed}/${batchNumber}`, folded, (row) => {
        if (row.hoursSinceInoculation >= Math.max(1, fault.fromHours) && row.beforeDepletion) rows.push(row)
      })
    }
    table.push(figuresOf(fault.name, Math.max(1, fault.fromHours), options.batches, rows))
    progress(fault.name)
  }
  return table
}

function figuresOf(
  fault: string,
  fromHours: number,
  batches: number,
  rows: readonly ScoreRow[],
): FaultFigures {
  const of = (horizon: ScoreRow['horizon']) => rows.filter((row) => row.horizon === horizon)
  const half = of('PT30M')
  const two = of('PT2H')
  const depletion = of('depletion').filter((row) => row.trueValue !== null && row.trueValue <= 240)
  const withheld = half.filter((row) => row.p50 === null)
  const first = withheld[0]
  return {
    fault,
    batches,
    withheldShare: share(half, (row) => row.p50 === null) ?? 0,
    firstReason: first?.detail ?? null,
    withheldAfterHours: first === undefined ? null : first.hoursSinceInoculation - fromHours,
    mre30m: average(half, relativeError),
    mre2h: average(two, relativeError),
    coverage30m: share(half.filter(isScored), covered),
    coverage2h: share(two.filter(isScored), covered),
    confidentlyWrong30m: share(half, confidentlyWrong) ?? 0,
    confidentlyWrong2h: share(two, confidentlyWrong) ?? 0,
    depletionMinutes: average(depletion, (row) =>
      row.p50 === null || row.trueValue === null ? undefined : Math.abs(row.p50 - row.trueValue),
    ),
    depletionCoverage: share(depletion.filter(isScored), covered),
  }
}

const isScored = (row: ScoreRow): boolean => row.p50 !== null && row.trueValue !== null
const covered = (row: ScoreRow): boolean =>
  row.p5 !== null &&
  row.p95 !== null &&
  row.trueValue !== null &&
  row.p5 <= row.trueValue &&
  row.trueValue <= row.p95
const relativeError = (row: ScoreRow): number | undefined =>
  row.p50 === null || row.trueValue === null ? undefined : Math.abs(row.p50 - row.trueValue) / row.trueValue
const confidentlyWrong = (row: ScoreRow): boolean => (relativeError(row) ?? 0) > farOff && !covered(row)

function average(rows: readonly ScoreRow[], value: (row: ScoreRow) => number | undefined): number | null {
  const values = rows.map(value).filter((one) => one !== undefined)
  return values.length === 0 ? null : values.reduce((sum, one) => sum + one, 0) / values.length
}

const share = (rows: readonly ScoreRow[], holds: (row: ScoreRow) => boolean): number | null =>
  rows.length === 0 ? null : rows.filter(holds).length / rows.length
