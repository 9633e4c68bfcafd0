/**
 * Rebuilds the read models from the events: new tables beside the live ones, compared with them by hash at the same
 * position, then switched in by renaming schemas in one transaction. A live projector notices the switch and goes
 * on from the new tables. What an interrupted rebuild left behind is removed by the next one.
 */
import type { EventStore } from '../infra/event-store/event-store.ts'
import { createPool, inTransaction, type Pool } from '../infra/postgres/pool.ts'
import { openPageApplier, type PageApplier } from './apply-page.ts'
import { readCheckpoint } from './tables/checkpoint-row.ts'
import { liveSchema, migrateReadModels, openReadModels } from './tables/database.ts'
import { loadParkedKeys, type ParkedKey } from './tables/parked.ts'
import { type Difference, differencesOf, hashTables } from './tables/table-hashes.ts'

const besideSchema = 'projections_rebuild'
const formerSchema = 'projections_former'

export type RebuildDeps = {
  readonly store: EventStore
  /** A role that may create, rename and drop schemas. */
  readonly adminUrl: string
  readonly onProgress?: (progress: RebuildProgress) => void
  readonly signal?: AbortSignal
  /** `equal`: leave the live tables when the new ones differ. Default `always`: a rebuild is there to mend. */
  readonly switchWhen?: 'always' | 'equal'
  /** Events a transaction; default 20,000. */
  readonly pageSize?: number
}

export type RebuildProgress = {
  readonly step: 'build' | 'compare' | 'switch'
  readonly events: number
  readonly position: bigint
  /** The store's last position when the rebuild began. */
  readonly target: bigint
}

export type RebuildReport = {
  readonly events: number
  readonly seconds: number
  /** Where the tables were compared; undefined when there were no live rows to compare with. */
  readonly comparedAt: bigint | undefined
  readonly tables: readonly { readonly table: string; readonly rows: number; readonly equal: boolean }[]
  readonly differences: readonly Difference[]
  /** Streams that the new tables could not follow either. */
  readonly parked: readonly ParkedKey[]
  readonly switched: boolean
  readonly position: bigint | undefined
}

/** Rejects with `RebuildRunningError` when another rebuild of the same database is under way. */
export async function rebuildReadModels(deps: RebuildDeps): Promise<RebuildReport> {
  const began = performance.now()
  const admin = createPool(deps.adminUrl, { name: 'rebuild', max: 2 })
  const release = await lockRebuild(admin).catch(async (error: unknown) => {
    await admin.end()
    throw error
  })
  const live = openReadModels(deps.adminUrl, { name: 'rebuild-live', max: 2 })
  const beside = openReadModels(deps.adminUrl, { name: 'rebuild-beside', max: 2, schema: besideSchema })
  try {
    await removeLeftovers(admin)
    await migrateReadModels(deps.adminUrl)
    await migrateReadModels(deps.adminUrl, besideSchema)
    const applier = await openPageApplier(beside, deps.store)
    const target = (await deps.store.head())?.position ?? 0n
    let events = 0
    const report = (step: RebuildProgress['step']) =>
      deps.onProgress?.({ step, events, position: applier.checkpoint().checkpoint?.position ?? 0n, target })
    const follow = (until?: bigint) =>
      build(deps, applier, until, (added) => {
        events += added
        report('build')
      })
    await follow()
    // Whatever came meanwhile, so that little is left for the moment of the switch.
    await follow()

    report('compare')
    const { comparedAt, tables, differences } = await compare(live, beside, applier)
    const parked = await loadParkedKeys(beside)
    const isWanted = differences.length === 0 || (deps.switchWhen ?? 'always') === 'always'
    if (isWanted) {
      report('switch')
      await switchSchemas(admin, follow)
    }
    await removeLeftovers(admin)
    return {
      events,
      seconds: (performance.now() - began) / 1000,
      comparedAt,
      tables,
      differences,
      parked,
      switched: isWanted,
      position: applier.checkpoint().checkpoint?.position,
    }
  } finally {
    await Promise.all([live.end(), beside.end()])
    await release()
    await admin.end()
  }
}

export class RebuildRunningError extends Error {
  readonly code = 'rebuild-running'
  constructor() {
    super('another rebuild of these read models is running')
  }
}

/** One rebuild at a time; the lock goes with its connection. */
async function lockRebuild(admin: Pool): Promise<() => Promise<void>> {
  const client = await admin.connect()
  const { rows } = await client.query<{ locked: boolean }>(
    `SELECT pg_try_advisory_lock(hashtext('bioledger-rebuild')) AS locked`,
  )
  if (!rows[0]?.locked) {
    client.release()
    throw new RebuildRunningError()
  }
  return async () => client.release(true)
}

async function removeLeftovers(admin: Pool): Promise<void> {
  for (const schema of [besideSchema, formerSchema])
    await admin.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
  await admin.query(
    `DO $$ BEGIN
       IF to_regclass('public.bioledger_migration') IS NOT NULL THEN
         DELETE FROM public.bioledger_migration WHERE component = '${besideSchema}';
       END IF;
     END $$`,
  )
}

async function build(
  deps: RebuildDeps,
  applier: PageApplier,
  until: bigint | undefined,
  onPage: (events: number) => void,
): Promise<void> {
  const after = applier.checkpoint().checkpoint?.position
  const pages = deps.store.readAll({
    ...(after === undefined ? {} : { after }),
    ...(until === undefined ? {} : { until }),
    ...(deps.signal ? { signal: deps.signal } : {}),
    pageSize: deps.pageSize ?? 20_000,
  })
  let applying: Promise<unknown> = Promise.resolve()
  // The next page is read while the one before is written.
  for await (const page of pages) {
    await applying
    deps.signal?.throwIfAborted()
    applying = applier.apply(page.events)
    applying.catch(() => {})
    onPage(page.events.length)
  }
  await applying
  deps.signal?.throwIfAborted()
}

async function compare(live: Pool, beside: Pool, applier: PageApplier) {
  const built = applier.checkpoint().checkpoint?.position
  const reached = (await readCheckpoint(live)).checkpoint?.position
  if (built === undefined || reached === undefined)
    return { comparedAt: undefined, tables: [], differences: [] }
  const isAhead = built > reached
  const comparedAt = isAhead ? reached : built
  const [ours, theirs] = await Promise.all([hashTables(live, comparedAt), hashTables(beside, comparedAt)])
  const differences = differencesOf(ours, theirs)
  const tables = [...theirs].map(([table, keys]) => ({
    table,
    rows: [...keys.values()].reduce((sum, key) => sum + key.rows, 0),
    equal: !differences.some((difference) => difference.table === table),
  }))
  return { comparedAt, tables, differences }
}

/** Holds readers and the live projector at the checkpoint row for the moment of the last pages and the renaming. */
async function switchSchemas(admin: Pool, follow: (until?: bigint) => Promise<void>): Promise<void> {
  await inTransaction(admin, async (client) => {
    await client.query(`LOCK TABLE ${liveSchema}.checkpoint IN ACCESS EXCLUSIVE MODE`)
    const { rows } = await client.query<{ position: bigint | null }>(
      `SELECT position FROM ${liveSchema}.checkpoint`,
    )
    const reached = rows[0]?.position ?? undefined
    if (reached !== undefined) await follow(reached)
    await client.query(`ALTER SCHEMA ${liveSchema} RENAME TO ${formerSchema}`)
    await client.query(`ALTER SCHEMA ${besideSchema} RENAME TO ${liveSchema}`)
    await client.query(`DELETE FROM public.bioledger_migration WHERE component = $1`, [liveSchema])
    await client.query(`UPDATE public.bioledger_migration SET component = $1 WHERE component = $2`, [
      liveSchema,
      besideSchema,
    ])
  })
}
