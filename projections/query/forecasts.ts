/**
 * Forecasts of a batch as known at a position: issued and withheld ones in order of the windows they looked at,
 * thinned for a chart, the spans in which none was issued, and how the issued ones met later samples.
 */
import type { z } from 'zod'
import type { PoolClient } from '../../infra/postgres/pool.ts'
import type { forecastItem, horizonCoverage, withheldSpan } from '../../schemas/http-evidence.ts'
import type { ForecastRow, Quantiles } from '../fold/evidence-rows.ts'
import type { TimeRange } from './readings.ts'

export type Forecast = z.infer<typeof forecastItem>
export type WithheldSpan = z.infer<typeof withheldSpan>
export type HorizonCoverage = z.infer<typeof horizonCoverage>

type Row = {
  readonly position: bigint
  readonly event_id: string
  readonly kind: 'issued' | 'withheld'
  readonly window_from: Date
  readonly issued_at: Date
  readonly recorded_at: Date
  readonly model_id: string
  readonly model_version: string
  readonly model_hash: string
  readonly feature_schema_hash: string
  readonly input_hash: string
  readonly input_from: bigint
  readonly input_to: bigint
  readonly phase: Forecast['phase']
  readonly hours: number
  readonly in_domain_score: number | null
  readonly last_value: number | null
  readonly last_mu: number | null
  readonly horizons: ForecastRow['horizons']
  readonly depletion: Quantiles | null
  readonly attributions: ForecastRow['attributions']
  readonly reason: string | null
  readonly detail: string | null
}

const columns =
  'position, event_id, kind, window_from, issued_at, recorded_at, model_id, model_version, model_hash, feature_schema_hash, ' +
  'input_hash, input_from, input_to, phase, hours, in_domain_score, last_value, last_mu, horizons, depletion, attributions, reason, detail'

export type ForecastQuestion = {
  readonly batchId: string
  readonly position: bigint
  /** By the window's end; half-open. */
  readonly range: TimeRange
}

/** By (issuedAt, position), forwards or backwards, after the key of the one before. */
export async function readForecasts(
  client: PoolClient,
  question: ForecastQuestion & {
    readonly newestFirst: boolean
    readonly after: readonly [issuedAt: string, position: string] | undefined
    readonly limit: number
  },
): Promise<Forecast[]> {
  const { newestFirst, after } = question
  const { rows } = await client.query<Row>(
    `SELECT ${columns} FROM forecast WHERE batch_id = $1 AND position <= $2 AND issued_at >= $3 AND issued_at < $4
       AND ($5::timestamptz IS NULL OR (issued_at, position) ${newestFirst ? '<' : '>'} ($5, $6::int8))
     ORDER BY issued_at ${newestFirst ? 'DESC' : 'ASC'}, position ${newestFirst ? 'DESC' : 'ASC'} LIMIT $7`,
    [...boundsOf(question), after?.[0] ?? null, after?.[1] ?? null, question.limit],
  )
  return rows.map(forecastOf)
}

export type ThinnedForecasts = {
  readonly items: readonly Forecast[]
  readonly reduced: boolean
  readonly bucketSeconds: number | null
  readonly sourceCount: number
}

/**
 * About `points` at most: of each slice of time (multiples of its width since the epoch) the newest issued and the
 * newest withheld one. The newest of all is always among them.
 */
export async function readThinnedForecasts(
  client: PoolClient,
  question: ForecastQuestion & { readonly points: number },
): Promise<ThinnedForecasts> {
  const { rows: extents } = await client.query<{ count: bigint; first: Date | null; last: Date | null }>(
    `SELECT count(*) AS count, min(issued_at) AS first, max(issued_at) AS last FROM forecast
     WHERE batch_id = $1 AND position <= $2 AND issued_at >= $3 AND issued_at < $4`,
    boundsOf(question),
  )
  const sourceCount = Number(extents[0]?.count ?? 0)
  const spanMs = (extents[0]?.last?.getTime() ?? 0) - (extents[0]?.first?.getTime() ?? 0)
  const reduced = sourceCount > question.points
  const bucketMs = reduced ? Math.max(1, Math.ceil((spanMs + 1) / question.points)) : 1
  const { rows } = await client.query<Row>(
    `SELECT ${columns} FROM forecast WHERE position IN (
       SELECT DISTINCT ON (floor(extract(epoch FROM issued_at) * 1000 / $5), kind) position FROM forecast
       WHERE batch_id = $1 AND position <= $2 AND issued_at >= $3 AND issued_at < $4
       ORDER BY floor(extract(epoch FROM issued_at) * 1000 / $5), kind, issued_at DESC, position DESC)
     ORDER BY issued_at, position`,
    [...boundsOf(question), bucketMs],
  )
  return {
    items: rows.map(forecastOf),
    reduced,
    bucketSeconds: reduced ? bucketMs / 1000 : null,
    sourceCount,
  }
}

/** What was recorded between two positions (`after` exclusive, `through` inclusive), in the order of recording. */
export async function readForecastsRecorded(
  client: PoolClient,
  batchId: string,
  after: bigint,
  through: bigint,
  limit: number,
): Promise<Forecast[]> {
  const { rows } = await client.query<Row>(
    `SELECT ${columns} FROM forecast WHERE batch_id = $1 AND position > $2 AND position <= $3 ORDER BY position LIMIT $4`,
    [batchId, after, through, limit],
  )
  return rows.map(forecastOf)
}

/** Runs of windows in which no forecast was issued for one and the same reason, by their start. */
export async function readWithheldSpans(
  client: PoolClient,
  question: ForecastQuestion & { readonly after: string | undefined; readonly limit: number },
): Promise<WithheldSpan[]> {
  const { rows } = await client.query<{
    reason: string
    from_at: Date
    to_at: Date
    count: bigint
    detail: string
    model_id: string
    model_version: string
  }>(
    `WITH outcome AS (
       SELECT position, kind, reason, detail, window_from, issued_at, model_id, model_version,
         row_number() OVER (ORDER BY issued_at, position)
         - row_number() OVER (PARTITION BY kind, reason ORDER BY issued_at, position) AS island
       FROM forecast WHERE batch_id = $1 AND position <= $2 AND issued_at >= $3 AND issued_at < $4),
     span AS (
       SELECT reason, min(window_from) AS from_at, max(issued_at) AS to_at, count(*) AS count,
         (array_agg(detail ORDER BY issued_at DESC, position DESC))[1] AS detail,
         (array_agg(model_id ORDER BY issued_at DESC, position DESC))[1] AS model_id,
         (array_agg(model_version ORDER BY issued_at DESC, position DESC))[1] AS model_version
       FROM outcome WHERE kind = 'withheld' GROUP BY reason, island)
     SELECT * FROM span WHERE $5::timestamptz IS NULL OR from_at > $5 ORDER BY from_at LIMIT $6`,
    [...boundsOf(question), question.after ?? null, question.limit],
  )
  return rows.map((row) => ({
    from: row.from_at.toISOString(),
    to: row.to_at.toISOString(),
    reason: row.reason as WithheldSpan['reason'],
    detail: row.detail,
    count: Number(row.count),
    modelId: row.model_id,
    modelVersion: row.model_version,
  }))
}

export type Coverage = {
  readonly items: readonly HorizonCoverage[]
  readonly issued: number
  readonly withheld: readonly { readonly reason: string; readonly count: number }[]
}

/**
 * The interval holds for the true OD600, so it is widened by the assay's own error before it is held against a sample.
 * A forecast that was scored again with the same sample counts once, as it was scored last.
 */
export async function readCoverage(client: PoolClient, batchId: string, position: bigint): Promise<Coverage> {
  const { rows: scores } = await client.query<{ horizon: string; covered: boolean; relative_error: number }>(
    `SELECT horizon, coalesce(covered_with_assay_error, covered) AS covered, relative_error FROM (
       SELECT DISTINCT ON (sample_event_id, forecast_event_id, horizon) * FROM forecast_score
       WHERE batch_id = $1 AND position <= $2
       ORDER BY sample_event_id, forecast_event_id, horizon, position DESC, place DESC) AS newest
     ORDER BY sampled_at, position, place`,
    [batchId, position],
  )
  const { rows: outcomes } = await client.query<{ kind: string; reason: string | null; count: bigint }>(
    `SELECT kind, reason, count(*) AS count FROM forecast WHERE batch_id = $1 AND position <= $2
     GROUP BY kind, reason ORDER BY kind, count(*) DESC, reason`,
    [batchId, position],
  )
  return {
    items: horizonOrder.flatMap((horizon) => {
      const met = scores.filter((score) => score.horizon === horizon)
      if (met.length === 0) return []
      const covered = met.filter((score) => score.covered).length
      return [
        {
          horizon,
          covered,
          scored: met.length,
          coverage: covered / met.length,
          meanRelativeError: met.reduce((sum, score) => sum + score.relative_error, 0) / met.length,
        },
      ]
    }),
    issued: outcomes.reduce((sum, row) => sum + (row.kind === 'issued' ? Number(row.count) : 0), 0),
    withheld: outcomes.flatMap((row) =>
      row.reason === null ? [] : [{ reason: row.reason, count: Number(row.count) }],
    ),
  }
}

const horizonOrder = ['PT0S', 'PT30S', 'PT30M', 'PT1H', 'PT2H'] as const

const boundsOf = ({ batchId, position, range }: ForecastQuestion): unknown[] => [
  batchId,
  position,
  Number.isFinite(range.fromMs) ? new Date(range.fromMs).toISOString() : '-infinity',
  Number.isFinite(range.toMs) ? new Date(range.toMs).toISOString() : 'infinity',
]

/** Members are named one by one: jsonb keeps no order, and the same answer has the same bytes. */
function forecastOf(row: Row): Forecast {
  const basis = {
    issuedAt: row.issued_at.toISOString(),
    window: { from: row.window_from.toISOString(), to: row.issued_at.toISOString() },
    recordedAt: row.recorded_at.toISOString(),
    modelId: row.model_id,
    modelVersion: row.model_version,
    modelHash: row.model_hash,
    featureSchemaHash: row.feature_schema_hash,
    inputHash: row.input_hash,
    inputPositions: { from: row.input_from.toString(), to: row.input_to.toString() },
    phase: row.phase,
    hoursSinceInoculation: row.hours,
    inDomainScore: row.in_domain_score,
  }
  const where = { position: row.position.toString(), eventId: row.event_id }
  if (row.kind === 'withheld')
    return {
      kind: 'withheld',
      ...basis,
      reason: row.reason as Extract<Forecast, { kind: 'withheld' }>['reason'],
      detail: row.detail ?? '',
      ...where,
    }
  return {
    kind: 'issued',
    ...basis,
    lastValue: row.last_value,
    lastMu: row.last_mu,
    horizons: (row.horizons ?? []).map(({ horizon, p5, p50, p95 }) => ({ horizon, p5, p50, p95 })),
    ...(row.depletion
      ? { depletionMinutes: { p5: row.depletion.p5, p50: row.depletion.p50, p95: row.depletion.p95 } }
      : {}),
    attributions: (row.attributions ?? []).map(({ feature, contribution }) => ({ feature, contribution })),
    ...where,
  }
}
