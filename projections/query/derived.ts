/**
 * Derived process values of a batch as known at a position. Where the same window was derived again, the one recorded
 * last counts. A window without a value keeps its reason, also in a reduced series.
 */
import type { z } from 'zod'
import type { PoolClient } from '../../infra/postgres/pool.ts'
import type { derivedPoint, processWindowItem } from '../../schemas/http-evidence.ts'
import type { TimeRange } from './readings.ts'

export type DerivedPoint = z.infer<typeof derivedPoint>
export type ProcessWindowItem = z.infer<typeof processWindowItem>

type DerivedValue = { readonly value: number | null; readonly reason?: string }

/** One quantity by the ends of its windows. */
export async function readDerivedPoints(
  client: PoolClient,
  batchId: string,
  key: string,
  position: bigint,
  range: TimeRange,
): Promise<DerivedPoint[]> {
  const { rows } = await client.query<{ position: bigint; to_at: Date; quantity: DerivedValue | null }>(
    `SELECT DISTINCT ON (to_at) position, to_at, derived -> $5::text AS quantity FROM derived_window
     WHERE batch_id = $1 AND position <= $2 AND to_at >= $3 AND to_at < $4 ORDER BY to_at, position DESC`,
    [batchId, position, bound(range.fromMs, '-infinity'), bound(range.toMs, 'infinity'), key],
  )
  return rows.flatMap(({ quantity, ...row }) =>
    quantity
      ? [
          {
            at: row.to_at.toISOString(),
            value: quantity.value,
            quality: quantity.value === null ? ('missing' as const) : ('good' as const),
            ...(quantity.reason === undefined ? {} : { reason: quantity.reason }),
            position: row.position.toString(),
          },
        ]
      : [],
  )
}

export type ReducedDerived = {
  readonly reduced: boolean
  readonly bucketMs: number | null
  readonly points: readonly DerivedPoint[]
}

/**
 * About `limit` points: of each slice of time (multiples of its width since the epoch) the least and the greatest value,
 * or their mean at the slice's start; a slice without any value gives its first window, with the reason. Of extremes the
 * newest window is always one more, so that the newest value is not taken for an extreme.
 */
export function reduceDerived(
  points: readonly DerivedPoint[],
  reduce: 'minmax' | 'mean',
  limit: number,
): ReducedDerived {
  const first = points[0]
  const last = points.at(-1)
  if (!first || !last || points.length <= limit) return { reduced: false, bucketMs: null, points }
  const slices = Math.max(1, reduce === 'minmax' ? Math.floor(limit / 2) - 1 : limit - 1)
  const bucketMs = Math.max(1, Math.ceil((Date.parse(last.at) + 1 - Date.parse(first.at)) / slices))
  const buckets = new Map<number, DerivedPoint[]>()
  for (const point of points) {
    const bucket = Math.floor(Date.parse(point.at) / bucketMs)
    buckets.set(bucket, [...(buckets.get(bucket) ?? []), point])
  }
  if (reduce === 'mean')
    return {
      reduced: true,
      bucketMs,
      points: [...buckets].flatMap(([bucket, inside]) => meanOf(inside, bucket * bucketMs)),
    }
  const extremes = [...buckets.values()].flatMap(extremesOf)
  return {
    reduced: true,
    bucketMs,
    points: extremes.at(-1) === last ? extremes : [...extremes, last],
  }
}

function extremesOf(points: readonly DerivedPoint[]): DerivedPoint[] {
  const valued = points.filter((point) => point.value !== null)
  const [least, greatest] = [valued[0], valued[0]].map((start, side) =>
    valued.reduce((found, point) => {
      const difference = (point.value ?? 0) - (found?.value ?? 0)
      return (side === 0 ? difference < 0 : difference > 0) ? point : found
    }, start),
  )
  if (!least || !greatest) return points.slice(0, 1)
  if (least === greatest) return [least]
  return least.at < greatest.at ? [least, greatest] : [greatest, least]
}

function meanOf(points: readonly DerivedPoint[], startMs: number): DerivedPoint[] {
  const valued = points.flatMap((point) => point.value ?? [])
  const newest = points.reduce(
    (found, point) => (BigInt(point.position) > found ? BigInt(point.position) : found),
    0n,
  )
  if (valued.length === 0) return points.slice(0, 1)
  return [
    {
      at: new Date(startMs).toISOString(),
      value: valued.reduce((sum, value) => sum + value, 0) / valued.length,
      quality: 'good',
      position: newest.toString(),
    },
  ]
}

/** Whole windows by (end, position), after the key of the one before; each as it was recorded. */
export async function readProcessWindows(
  client: PoolClient,
  batchId: string,
  position: bigint,
  range: TimeRange,
  after: readonly [to: string, position: string] | undefined,
  limit: number,
): Promise<ProcessWindowItem[]> {
  const { rows } = await client.query<WindowRow>(
    `SELECT ${columns} FROM derived_window WHERE batch_id = $1 AND position <= $2 AND to_at >= $3 AND to_at < $4
       AND ($5::timestamptz IS NULL OR (to_at, position) > ($5, $6::int8)) ORDER BY to_at, position LIMIT $7`,
    [
      batchId,
      position,
      bound(range.fromMs, '-infinity'),
      bound(range.toMs, 'infinity'),
      after?.[0] ?? null,
      after?.[1] ?? null,
      limit,
    ],
  )
  return rows.map(windowOf)
}

/** What was recorded between two positions (`after` exclusive, `through` inclusive), in the order of recording. */
export async function readWindowsRecorded(
  client: PoolClient,
  batchId: string,
  after: bigint,
  through: bigint,
  limit: number,
): Promise<ProcessWindowItem[]> {
  const { rows } = await client.query<WindowRow>(
    `SELECT ${columns} FROM derived_window WHERE batch_id = $1 AND position > $2 AND position <= $3 ORDER BY position LIMIT $4`,
    [batchId, after, through, limit],
  )
  return rows.map(windowOf)
}

type WindowRow = {
  readonly position: bigint
  readonly event_id: string
  readonly from_at: Date
  readonly to_at: Date
  readonly input_from: bigint
  readonly input_to: bigint
  readonly rules_version: string
  readonly phase: ProcessWindowItem['phase']
  readonly derived: Readonly<Record<string, DerivedValue>>
  readonly corrections: ProcessWindowItem['corrections']
  readonly quality_score: number
  readonly depletion_confirmed: boolean
}

const columns =
  'position, event_id, from_at, to_at, input_from, input_to, rules_version, phase, derived, corrections, quality_score, depletion_confirmed'

/** Members are named one by one: jsonb keeps no order, and the same answer has the same bytes. */
const windowOf = (row: WindowRow): ProcessWindowItem => ({
  from: row.from_at.toISOString(),
  to: row.to_at.toISOString(),
  phase: row.phase,
  qualityScore: row.quality_score,
  derived: Object.fromEntries(
    Object.entries(row.derived).map(([key, { value, reason }]) => [
      key,
      { value, ...(reason === undefined ? {} : { reason }) },
    ]),
  ),
  corrections: row.corrections.map(({ tag, quality, rule, count, positions }) => ({
    tag,
    quality,
    rule,
    count,
    ...(positions ? { positions: { from: positions.from, to: positions.to } } : {}),
  })),
  depletionConfirmed: row.depletion_confirmed,
  rulesVersion: row.rules_version,
  inputPositions: { from: row.input_from.toString(), to: row.input_to.toString() },
  position: row.position.toString(),
  eventId: row.event_id,
})

const bound = (ms: number, open: '-infinity' | 'infinity'): string =>
  Number.isFinite(ms) ? new Date(ms).toISOString() : open
