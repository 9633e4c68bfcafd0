/** Which row of a table and key differs first between two builds of the read models, and how. */
import { inTransaction, type Pool, type PoolClient } from '../../infra/postgres/pool.ts'
import { knownAt, openPoints, type PackedPoints } from './point-columns.ts'
import { type ComparedTable, comparedTables, rowHash, seriesKey } from './table-hashes.ts'

export type RowDifference = {
  /** The row's own key, by column: `position 17`. */
  readonly row: string
  /** Of the live row, against the one that was built from the events. */
  readonly how: 'missing' | 'extra' | 'changed'
  /** Those that differ in a changed row. */
  readonly columns: readonly string[]
}

export type Sides = { readonly live: Pool; readonly built: Pool }

/** In the order of the rows' own keys, as of `position`; undefined when there is none (any more). */
export async function firstDifference(
  { live, built }: Sides,
  { table, key, position }: { readonly table: string; readonly key: string; readonly position: bigint },
): Promise<RowDifference | undefined> {
  const compared = comparedTables[table]
  return await inSnapshot(live, (ours) =>
    inSnapshot(built, async (theirs) => {
      if (compared) return await ofRows({ ours, theirs }, compared, [position, key])
      return table === 'reading'
        ? ofReadings(await readingsOf(ours, key, position), await readingsOf(theirs, key, position))
        : undefined
    }),
  )
}

const inSnapshot = <Result>(pool: Pool, work: (client: PoolClient) => Promise<Result>): Promise<Result> =>
  inTransaction(pool, async (client) => {
    await client.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY')
    return await work(client)
  })

type Clients = { readonly ours: PoolClient; readonly theirs: PoolClient }
type HashedRow = { readonly id: readonly string[]; readonly hash: string }

const rowsAtOnce = 5_000

async function ofRows(
  { ours, theirs }: Clients,
  compared: ComparedTable,
  values: readonly [bigint, string],
): Promise<RowDifference | undefined> {
  const ids = Object.values(compared.id)
  const id = `ARRAY[${ids.map((column) => `${column}::text`).join(', ')}]`
  const where = `${compared.from} AND ${compared.key} = $2`
  const named = (row: HashedRow) =>
    Object.keys(compared.id)
      .map((column, at) => `${column} ${row.id[at]}`)
      .join(', ')
  const open = (client: PoolClient) =>
    cursor<HashedRow>(
      client,
      `SELECT ${id} AS id, ${rowHash(compared.row)}::text AS hash FROM ${where} ORDER BY ${ids.join(', ')}`,
      values,
    )
  const [mine, other] = [open(ours), open(theirs)]
  for (;;) {
    const [{ value: one }, { value: two }] = [await mine.next(), await other.next()]
    if (!one && !two) return undefined
    if (one && two && one.id.join() === two.id.join()) {
      if (one.hash === two.hash) continue
      const columns = async (client: PoolClient) => await columnsOf(client, compared, where, id, values, one)
      const [found, made] = [await columns(ours), await columns(theirs)]
      return {
        row: named(one),
        how: 'changed',
        columns: [...made.keys()].filter((column) => made.get(column) !== found.get(column)),
      }
    }
    // Out of step: either this side lacks the other's row, or it has one that the other lacks.
    const { rowCount } = two
      ? await ours.query(`SELECT FROM ${where} AND ${id} = $3`, [...values, two.id])
      : { rowCount: 1 }
    if (two && !rowCount) return { row: named(two), how: 'missing', columns: [] }
    if (one) return { row: named(one), how: 'extra', columns: [] }
  }
}

async function* cursor<Row extends object>(
  client: PoolClient,
  sql: string,
  values: readonly unknown[],
): AsyncGenerator<Row, undefined> {
  await client.query(`DECLARE compared NO SCROLL CURSOR FOR ${sql}`, [...values])
  for (;;) {
    const { rows } = await client.query<Row>(`FETCH ${rowsAtOnce} FROM compared`)
    if (rows.length === 0) return undefined
    yield* rows
  }
}

async function columnsOf(
  client: PoolClient,
  { row }: ComparedTable,
  where: string,
  id: string,
  values: readonly [bigint, string],
  wanted: HashedRow,
): Promise<ReadonlyMap<string, string | null>> {
  const { rows } = await client.query<{ key: string; value: string | null }>(
    `SELECT key, value FROM (SELECT ${row} FROM ${where} AND ${id} = $3) AS compared, jsonb_each_text(to_jsonb(compared))`,
    [...values, wanted.id],
  )
  return new Map(rows.map(({ key, value }) => [key, value]))
}

type StoredReading = { readonly at: number; readonly value: number; readonly mark: number }

/** By position: of one series, wherever they are packed. */
async function readingsOf(
  client: PoolClient,
  key: string,
  position: bigint,
): Promise<ReadonlyMap<bigint, StoredReading>> {
  const readings = new Map<bigint, StoredReading>()
  const { rows: found } = await client.query<{ series_id: number; stream: string }>(
    `SELECT series_id, stream FROM series WHERE ${seriesKey} = $1`,
    [key],
  )
  const [named] = found
  if (!named) return readings
  const add = (packed: PackedPoints): void => {
    const length = knownAt(packed, position)
    for (let index = 0; index < length; index++)
      if (!packed.series || packed.series[index] === named.series_id)
        readings.set(packed.basePosition + BigInt(packed.positionOffset[index] ?? 0), {
          at: packed.baseAt + (packed.atOffset[index] ?? 0),
          value: packed.value[index] ?? 0,
          mark: packed.mark[index] ?? 0,
        })
  }
  for await (const { points } of cursor<{ points: Buffer }>(
    client,
    `SELECT points FROM reading_chunk WHERE series_id = $1 AND first_position <= $2
     UNION ALL SELECT points FROM reading_tail WHERE stream = $3 AND first_position <= $2`,
    [named.series_id, position, named.stream],
  ))
    add(openPoints(points))
  return readings
}

function ofReadings(
  ours: ReadonlyMap<bigint, StoredReading>,
  theirs: ReadonlyMap<bigint, StoredReading>,
): RowDifference | undefined {
  let first: { position: bigint; difference: Omit<RowDifference, 'row'> } | undefined
  const tell = (position: bigint, difference: Omit<RowDifference, 'row'>): void => {
    if (!first || position < first.position) first = { position, difference }
  }
  for (const [position, made] of theirs) {
    const found = ours.get(position)
    if (!found) {
      tell(position, { how: 'missing', columns: [] })
      continue
    }
    const columns = (['at', 'value', 'mark'] as const).filter((name) => !Object.is(found[name], made[name]))
    if (columns.length > 0) tell(position, { how: 'changed', columns })
  }
  for (const position of ours.keys()) if (!theirs.has(position)) tell(position, { how: 'extra', columns: [] })
  return first && { row: `position ${first.position}`, ...first.difference }
}
