/**
 * Hashes of the read models at a position, one for each table and key, independent of the order of rows and of how
 * readings are packed: two builds of the same events give the same hashes. Not cryptographic: they find mistakes.
 */
import { inTransaction, type Pool, type PoolClient } from '../../infra/postgres/pool.ts'
import { knownAt, openPoints, type PackedPoints } from './point-columns.ts'

export type KeyHash = { readonly rows: number; readonly hash: string }
/** By table, then by key (batch id, stream, or series). */
export type TableHashes = ReadonlyMap<string, ReadonlyMap<string, KeyHash>>

const versioned =
  'lower(known) AS known_from, CASE WHEN upper(known) <= $1 THEN upper(known) END AS known_until'
/** Names a series. */
export const seriesKey = "series.stream || ' ' || series.tag || ' ' || series.unit"
/** `id`: what names a row of a key, by column. */
export type ComparedTable = {
  readonly key: string
  readonly id: Readonly<Record<string, string>>
  readonly row: string
  readonly from: string
}
export const comparedTables: Readonly<Record<string, ComparedTable>> = {
  batch: {
    key: 'batch_id::text',
    id: { known_from: 'lower(known)' },
    row: `${versioned}, revision, campaign, number, attempt, phase, vessel, status, origin, created_at, inoculated_at, closed_at, outcome, operator_id, variation, notes, sample_count`,
    from: 'batch WHERE lower(known) <= $1',
  },
  gap: {
    key: 'stream',
    id: { opened_position: 'opened_position', known_from: 'lower(known)' },
    row: `opened_position, ${versioned}, tag, from_at, to_at, missing`,
    from: 'gap WHERE lower(known) <= $1',
  },
  timeline: {
    key: 'stream',
    id: { position: 'position' },
    row: 'position, revision, batch_id, event_id, type, occurred_at, received_at, recorded_at, actor_kind, actor_id, actor_role, origin, sentence',
    from: 'timeline WHERE position <= $1',
  },
  quarantine: {
    key: 'stream',
    id: { position: 'position' },
    row: 'position, recorded_at, received_at, vessel, tag, topic, reason, field, rule, raw, raw_length, truncated',
    from: 'quarantine WHERE position <= $1',
  },
  ingress_statement: {
    key: 'stream',
    id: { position: 'position' },
    row: 'position, revision, stated, counted',
    from: 'ingress_statement WHERE position <= $1',
  },
  forecast: {
    key: 'stream',
    id: { position: 'position' },
    row: `position, batch_id, event_id, kind, window_from, issued_at, recorded_at, origin, model_id, model_version, model_hash,
      feature_schema_hash, input_hash, input_from, input_to, phase, hours, runtime, in_domain_score, last_value, last_mu,
      horizons, depletion, attributions, reason, detail`,
    from: 'forecast WHERE position <= $1',
  },
  forecast_score: {
    key: 'stream',
    id: { position: 'position', place: 'place' },
    row: `position, place, batch_id, event_id, model_hash, sample_event_id, sampled_at, measured, horizon, forecast_event_id,
      issued_at, phase, p5, p50, p95, relative_error, covered, covered_with_assay_error`,
    from: 'forecast_score WHERE position <= $1',
  },
  derived_window: {
    key: 'stream',
    id: { position: 'position' },
    row: `position, batch_id, event_id, from_at, to_at, recorded_at, input_from, input_to, rules_version, phase, derived,
      corrections, quality_score, depletion_confirmed`,
    from: 'derived_window WHERE position <= $1',
  },
  model_event: {
    key: 'stream',
    id: { position: 'position' },
    row: 'position, model_id, event_id, type, occurred_at, recorded_at, actor_kind, actor_id, actor_role, data, sentence',
    from: 'model_event WHERE position <= $1',
  },
  sample: {
    key: 'stream',
    id: { position: 'position' },
    row: `position, batch_id, event_id, sample_id, sample_number, replicate, sampled_at, recorded_at, actor_id, timepoint_hours,
      od600_raw, dilution_factor, od600, contamination_detected, late_entry`,
    from: 'sample WHERE position <= $1',
  },
  series: {
    key: seriesKey,
    id: { tag: 'series.tag' },
    row: 'first_position',
    from: 'series WHERE first_position <= $1',
  },
  reading_window: {
    key: seriesKey,
    id: { from_at: 'from_at', known_from: 'known_from' },
    row: 'from_at, known_from, usable, total, mean, squares, min, max',
    from: 'reading_window JOIN series USING (series_id) WHERE known_from <= $1',
  },
}

/** Of the columns that `row` lists. */
export const rowHash = (row: string): string =>
  `hashtextextended(ROW(${row.replace(/ AS known_(from|until)/g, '')})::text, 0)`

/** All of it in one snapshot: a live projector moves readings from the tail into chunks meanwhile. */
export async function hashTables(pool: Pool, position: bigint): Promise<TableHashes> {
  return await inTransaction(pool, async (client) => {
    await client.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY')
    return await hashSnapshot(client, position)
  })
}

async function hashSnapshot(client: PoolClient, position: bigint): Promise<TableHashes> {
  const hashes = new Map<string, ReadonlyMap<string, KeyHash>>()
  for (const [table, { key, row, from }] of Object.entries(comparedTables)) {
    const { rows } = await client.query<{ key: string; rows: bigint; hash: string }>(
      `SELECT ${key} AS key, count(*) AS rows, sum(${rowHash(row)})::text AS hash FROM ${from} GROUP BY 1`,
      [position],
    )
    hashes.set(
      table,
      new Map(rows.map((found) => [found.key, { rows: Number(found.rows), hash: found.hash }])),
    )
  }
  hashes.set('reading', await hashReadings(client, position))
  return hashes
}

export type Difference = {
  readonly table: string
  readonly key: string
  readonly live: KeyHash | null
  readonly rebuilt: KeyHash | null
}

export function differencesOf(live: TableHashes, rebuilt: TableHashes): Difference[] {
  const differences: Difference[] = []
  for (const table of rebuilt.keys()) {
    const ours = live.get(table) ?? new Map<string, KeyHash>()
    const theirs = rebuilt.get(table) ?? new Map<string, KeyHash>()
    for (const key of new Set([...ours.keys(), ...theirs.keys()])) {
      const one = ours.get(key) ?? null
      const other = theirs.get(key) ?? null
      if (one?.hash !== other?.hash || one?.rows !== other?.rows)
        differences.push({ table, key, live: one, rebuilt: other })
    }
  }
  return differences
}

type Sum = { rows: number; low: number; high: number }

async function hashReadings(client: PoolClient, position: bigint): Promise<ReadonlyMap<string, KeyHash>> {
  const sums = new Map<number, Sum>()
  const sumOf = (id: number) => {
    const known = sums.get(id) ?? { rows: 0, low: 0, high: 0 }
    sums.set(id, known)
    return known
  }
  let after: { series_id: number; first_position: bigint } = { series_id: -1, first_position: 0n }
  while (true) {
    const { rows } = await client.query<{ series_id: number; first_position: bigint; points: Buffer }>(
      `SELECT series_id, first_position, points FROM reading_chunk
       WHERE (series_id, first_position) > ($1, $2) AND first_position <= $3 ORDER BY series_id, first_position LIMIT 200`,
      [after.series_id, after.first_position, position],
    )
    const last = rows.at(-1)
    if (!last) break
    after = last
    for (const row of rows) {
      const sum = sumOf(row.series_id)
      addPoints(openPoints(row.points), position, () => sum)
    }
  }
  const { rows: frames } = await client.query<{ points: Buffer }>(
    'SELECT points FROM reading_tail WHERE first_position <= $1',
    [position],
  )
  for (const frame of frames)
    addPoints(openPoints(frame.points), position, (packed, index) => sumOf(packed.series?.[index] ?? 0))
  const { rows: names } = await client.query<{ series_id: number; name: string }>(
    `SELECT series_id, ${seriesKey} AS name FROM series`,
  )
  return new Map(
    names.flatMap(({ series_id, name }) => {
      const sum = sums.get(series_id)
      return sum
        ? [
            [
              name,
              { rows: sum.rows, hash: `${(sum.high >>> 0).toString(16)}:${(sum.low >>> 0).toString(16)}` },
            ],
          ]
        : []
    }),
  )
}

const words = new Uint32Array(6)
const numbers = new Float64Array(words.buffer, 0, 2)
const positions = new BigInt64Array(words.buffer, 16, 1)

function addPoints(
  packed: PackedPoints,
  position: bigint,
  sumOf: (packed: PackedPoints, index: number) => Sum,
): void {
  const length = knownAt(packed, position)
  for (let index = 0; index < length; index++) {
    numbers[0] = packed.value[index] ?? 0
    numbers[1] = packed.baseAt + (packed.atOffset[index] ?? 0)
    positions[0] = packed.basePosition + BigInt(packed.positionOffset[index] ?? 0)
    let low = packed.mark[index] ?? 0
    let high = 0x9e3779b9
    for (let word = 0; word < 6; word++) {
      low = Math.imul(low ^ (words[word] ?? 0), 0x85ebca6b)
      low ^= low >>> 13
      high = Math.imul(high ^ low, 0xc2b2ae35)
      high ^= high >>> 16
    }
    const sum = sumOf(packed, index)
    sum.rows++
    sum.low = (sum.low + low) | 0
    sum.high = (sum.high + high) | 0
  }
}
