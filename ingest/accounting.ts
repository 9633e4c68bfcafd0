/**
 * The durable side of the balance: how many readings arrived from each source for each stream, kept in Postgres
 * (`migrations/`) and written before a message is acknowledged. One statement at a time takes in everything that
 * became durable in the store meanwhile. While Postgres does not answer, it is tried again for ever, so that
 * nothing is acknowledged that is not accounted.
 */
import { randomUUID } from 'node:crypto'
import type { Logger } from '../infra/log.ts'
import type { Pool } from '../infra/postgres/pool.ts'
import { untilItWorks } from '../infra/until-it-works.ts'
import type { SourceFigures } from './events.ts'
import { addDeltas, type SourceDelta } from './source-delta.ts'

export type StreamAccount = {
  readonly stream: string
  readonly accountedRevision: bigint
  readonly isSealed: boolean
  readonly sources: readonly SourceFigures[]
  readonly units: ReadonlyMap<string, string>
}

export type Accounting = {
  /** The stream's row, made when missing: must be there before the stream's first append. */
  open(stream: string): Promise<StreamAccount>
  /** Streams that may hold events which are not accounted. */
  openStreams(): Promise<readonly { stream: string; accountedRevision: bigint }[]>
  sealedStreams(): Promise<readonly string[]>
  /** Resolves when the figures are durable. Calls for one stream must come in the order of their revisions. */
  account(entry: AccountEntry): Promise<void>
  /** Nothing of the stream is under way: it needs no look at the next start. */
  close(stream: string, isSealed: boolean): Promise<void>
  /**
   * Takes the figures over from whoever wrote them before; must be called first. Throws
   * `IngressOfAnotherStoreError` when they were counted for another event store.
   */
  takeOver(storeId: string): Promise<void>
}

export type AccountEntry = {
  readonly stream: string
  readonly accountedRevision: bigint
  readonly sources: ReadonlyMap<string, SourceDelta>
  /** Of tags that the stream had no reading of before. */
  readonly newUnits: ReadonlyMap<string, string>
}

export class IngressOfAnotherStoreError extends Error {
  readonly code = 'store-replaced'
  constructor(
    readonly countedFor: string,
    readonly found: string,
  ) {
    super(
      `the ingress figures were counted for event store ${countedFor}, but this is event store ${found}: restore the right store, or the database that belongs to it`,
    )
  }
}

/** Another ingest has taken the figures over: this one must write nothing more. */
export class IngestReplacedError extends Error {
  readonly code = 'ingest-replaced'
  constructor() {
    super('another ingest has taken over the ingress figures; only one may run on a database')
  }
}

export function accounting(deps: {
  pool: Pool
  log: Logger
  signal: AbortSignal
  onCommit?: () => void
}): Accounting {
  const { pool, log, signal } = deps
  let waiting: { entry: AccountEntry; resolve: () => void; reject: (error: unknown) => void }[] = []
  let isRunning = false
  let lastEntry = ''

  const forEver = <Result>(what: string, work: () => Promise<Result>): Promise<Result> =>
    untilItWorks({ what, log, signal, isFinal: (error) => error instanceof IngestReplacedError }, work)

  const drain = async (): Promise<void> => {
    isRunning = true
    try {
      while (waiting.length > 0) {
        const group = waiting
        waiting = []
        try {
          const id = randomUUID()
          const values = valuesOf(group.map(({ entry }) => entry))
          await forEver('write the ingress figures', () => write(pool, [...values, id, lastEntry]))
          lastEntry = id
          deps.onCommit?.()
          for (const { resolve } of group) resolve()
        } catch (error) {
          for (const { reject } of group) reject(error)
        }
      }
    } finally {
      isRunning = false
    }
  }

  return {
    open: (stream) => forEver(`open the account of ${stream}`, () => openAccount(pool, stream)),
    openStreams: async () =>
      (
        await forEver('read the open accounts', () =>
          pool.query<{ stream: string; accounted_revision: bigint }>(
            'SELECT stream, accounted_revision FROM ingest.stream WHERE is_open ORDER BY stream',
          ),
        )
      ).rows.map((row) => ({ stream: row.stream, accountedRevision: row.accounted_revision })),
    sealedStreams: async () =>
      (
        await forEver('read the sealed accounts', () =>
          pool.query<{ stream: string }>('SELECT stream FROM ingest.stream WHERE is_sealed'),
        )
      ).rows.map((row) => row.stream),
    account: (entry) =>
      new Promise<void>((resolve, reject) => {
        waiting.push({ entry, resolve, reject })
        if (!isRunning) void drain()
      }),
    close: async (stream, isSealed) => {
      await forEver(`close the account of ${stream}`, () =>
        pool.query(
          'UPDATE ingest.stream SET is_open = false, is_sealed = is_sealed OR $2 WHERE stream = $1',
          [stream, isSealed],
        ),
      )
    },
    takeOver: async (storeId) => {
      lastEntry = randomUUID()
      const taken = await forEver('take over the ingress figures', () =>
        pool.query(
          `INSERT INTO ingest.ledger AS ledger (store_id, last_entry) VALUES ($1, $2)
           ON CONFLICT (is_the_one) DO UPDATE SET last_entry = excluded.last_entry
           WHERE ledger.store_id = excluded.store_id RETURNING 1`,
          [storeId, lastEntry],
        ),
      )
      if (taken.rowCount === 1) return
      const { rows } = await pool.query<{ store_id: string }>('SELECT store_id FROM ingest.ledger')
      throw new IngressOfAnotherStoreError(rows[0]?.store_id ?? '', storeId)
    },
  }
}

const openRow = `
  WITH opened AS (
    INSERT INTO ingest.stream AS stream (stream) VALUES ($1)
    ON CONFLICT (stream) DO UPDATE SET is_open = true RETURNING stream.accounted_revision, stream.is_sealed
  )
  SELECT opened.accounted_revision, opened.is_sealed,
    (SELECT coalesce(json_agg(json_build_object('topic', topic, 'received', received, 'duplicate', duplicate,
       'quarantined', quarantined)), '[]') FROM ingest.ingress WHERE ingress.stream = $1) AS sources,
    (SELECT coalesce(json_agg(json_build_array(tag, unit)), '[]') FROM ingest.series WHERE series.stream = $1) AS units
  FROM opened`

type OpenedRow = {
  accounted_revision: bigint
  is_sealed: boolean
  sources: SourceFigures[]
  units: [string, string][]
}

async function openAccount(pool: Pool, stream: string): Promise<StreamAccount> {
  const { rows } = await pool.query<OpenedRow>({ name: 'ingest-open', text: openRow, values: [stream] })
  const row = rows[0]
  if (!row) throw new Error(`no account of ${stream}`)
  return {
    stream,
    accountedRevision: row.accounted_revision,
    isSealed: row.is_sealed,
    sources: row.sources,
    units: new Map(row.units),
  }
}

/**
 * One statement, hence one transaction and one round trip. It takes effect only after the entry it names as the one
 * before it; tried again after a lost answer it does nothing (a first attempt still under way is waited for).
 */
const writeFigures = `
  WITH entry AS (
    UPDATE ingest.ledger SET last_entry = $11 WHERE last_entry = $12 RETURNING 1
  ), revision AS (
    UPDATE ingest.stream SET accounted_revision = greatest(stream.accounted_revision, moved.revision)
    FROM unnest($1::text[], $2::bigint[]) AS moved (stream, revision)
    WHERE stream.stream = moved.stream AND EXISTS (SELECT FROM entry)
  ), unit AS (
    INSERT INTO ingest.series (stream, tag, unit)
    SELECT * FROM unnest($3::text[], $4::text[], $5::text[]) WHERE EXISTS (SELECT FROM entry)
    ON CONFLICT DO NOTHING
  ), figures AS (
    INSERT INTO ingest.ingress AS ingress (stream, topic, received, duplicate, quarantined)
    SELECT * FROM unnest($6::text[], $7::text[], $8::bigint[], $9::bigint[], $10::bigint[])
    WHERE EXISTS (SELECT FROM entry)
    ON CONFLICT (stream, topic) DO UPDATE SET received = ingress.received + excluded.received,
      duplicate = ingress.duplicate + excluded.duplicate, quarantined = ingress.quarantined + excluded.quarantined
  )
  SELECT FROM entry`

async function write(pool: Pool, values: readonly unknown[]): Promise<void> {
  const { rowCount } = await pool.query({ name: 'ingest-account', text: writeFigures, values: [...values] })
  if (rowCount === 1) return
  const { rows } = await pool.query<{ last_entry: string }>('SELECT last_entry FROM ingest.ledger')
  if (rows[0]?.last_entry !== values[10]) throw new IngestReplacedError()
}

/** The first ten parameters: everything that the entries say, summed by stream and source. */
function valuesOf(entries: readonly AccountEntry[]): unknown[] {
  const revisions = new Map<string, bigint>()
  const units: [string, string, string][] = []
  const figures = new Map<string, Map<string, SourceDelta>>()
  for (const entry of entries) {
    const before = revisions.get(entry.stream)
    if (before === undefined || entry.accountedRevision > before)
      revisions.set(entry.stream, entry.accountedRevision)
    for (const [tag, unit] of entry.newUnits) units.push([entry.stream, tag, unit])
    let ofStream = figures.get(entry.stream)
    if (!ofStream) {
      ofStream = new Map()
      figures.set(entry.stream, ofStream)
    }
    addDeltas(ofStream, entry.sources)
  }
  const rows = [...figures].flatMap(([stream, topics]) =>
    [...topics].map(([topic, delta]) => ({ stream, topic, ...delta })),
  )
  return [
    [...revisions.keys()],
    [...revisions.values()],
    units.map(([stream]) => stream),
    units.map(([, tag]) => tag),
    units.map(([, , unit]) => unit),
    rows.map((row) => row.stream),
    rows.map((row) => row.topic),
    rows.map((row) => row.received),
    rows.map((row) => row.duplicate),
    rows.map((row) => row.quarantined),
  ]
}
