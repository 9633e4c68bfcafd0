/**
 * Split-conformal width of the interval: by how much p5 and p95 must be drawn out (or in) about p50 to hold the truth
 * in 90 of 100 windows, by horizon and phase, on batches that the heads have not seen. Batches that set the width
 * must not judge it.
 */
import { type Calibration, targets } from '../../domain/forecast/calibration.ts'
import type { ProcessPhase } from '../../schemas/events/process-events.ts'
import type { ScoreRow } from '../evaluate/score-row.ts'

type Stretched = Calibration['widening']
type Group = ProcessPhase | 'all'
const groups: readonly Group[] = ['lag', 'exponential', 'decelerating', 'stationary', 'all']

const share = 0.9
/** A phase seen in fewer batches keeps the width that it has. */
export const fewestBatches = 20
const narrowest = 0.5
const widest = 2

export type StretchOf = {
  readonly add: (row: ScoreRow) => void
  /** The widths with which the rows were made, times what they lacked; 0.5 to 2. */
  readonly widened: (made: Stretched) => Stretched
}

export function stretchOf(): StretchOf {
  const used = new Map<string, { readonly distances: number[]; readonly batches: Set<string> }>()
  const note = (target: string, group: Group, batch: string, distance: number): void => {
    const key = `${target} ${group}`
    const own = used.get(key) ?? { distances: [], batches: new Set<string>() }
    used.set(key, own)
    own.distances.push(distance)
    own.batches.add(batch)
  }
  return {
    add: (row) => {
      // The lower bound of the minutes to depletion allows for missing glycerol: it is no quantile.
      if (row.horizon === 'depletion') return
      const distance = distanceOf(row)
      if (distance === undefined) return
      note(row.horizon, 'all', row.batch, distance)
      if (row.phase !== null) note(row.horizon, row.phase, row.batch, distance)
    },
    widened: (made) =>
      Object.fromEntries(
        targets.map((target) => [
          target,
          Object.fromEntries(
            groups.map((group) => {
              const own = used.get(`${target} ${group}`)
              const before = made[target][group]
              if (!own || own.batches.size < fewestBatches) return [group, before]
              return [group, Math.min(widest, Math.max(narrowest, before * quantileOf(own.distances)))]
            }),
          ),
        ]),
      ) as unknown as Stretched,
  }
}

/** How far the truth lies from p50, in parts of the interval on that side: 1 is its bound; in ln of OD600. */
function distanceOf({ p5, p50, p95, trueValue }: ScoreRow): number | undefined {
  if (p5 === null || p50 === null || p95 === null || trueValue === null) return undefined
  const beyond = Math.log(trueValue / p50)
  const side = beyond >= 0 ? Math.log(p95 / p50) : Math.log(p50 / p5)
  return Math.abs(beyond) / side
}

/** The smallest distance that at least `share` of them do not exceed. */
function quantileOf(distances: readonly number[]): number {
  const ordered = Float64Array.from(distances).sort()
  return ordered[Math.min(ordered.length - 1, Math.ceil(share * ordered.length) - 1)] ?? 1
}
