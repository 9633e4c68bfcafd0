/**
 * Notices within seconds that somebody changed or removed rows of tables that only ever grow: by the counters that Postgres
 * keeps of every table. It says which table, not which row, and whoever may reset the counters may blind it: so it
 * only makes the check hurry, which then names the row.
 */
import type { Pool } from '../../infra/postgres/pool.ts'

export type WatchedTables = {
  readonly pool: Pool
  /** `schema.table`; one that is not there is passed over. */
  readonly tables: readonly string[]
}

export type Tripped = {
  readonly table: string
  readonly updated: bigint
  readonly deleted: bigint
}

export type Tripwire = {
  /**
   * What was changed since the look before. `isSuspicious` at the first look: rows were changed at some time before it;
   * later also: the table was written anew as a whole.
   */
  look(): Promise<{ readonly tripped: readonly Tripped[]; readonly isSuspicious: boolean }>
}

type Counters = {
  readonly name: string
  readonly oid: number
  readonly file: number | null
  readonly updated: bigint
  readonly deleted: bigint
}

export function tripwire(watched: readonly WatchedTables[]): Tripwire {
  const known = new Map<string, Counters>()

  async function countersOf({ pool, tables }: WatchedTables): Promise<readonly Counters[]> {
    const { rows } = await pool.query<Counters>(
      `SELECT schemaname || '.' || relname AS name, relid::int8::int4 AS oid, pg_relation_filenode(relid)::int8::int4 AS file,
         n_tup_upd AS updated, n_tup_del AS deleted
       FROM pg_stat_all_tables WHERE schemaname || '.' || relname = ANY ($1)`,
      [tables],
    )
    return rows
  }

  return {
    look: async () => {
      const tripped: Tripped[] = []
      let isSuspicious = false
      for (const [place, part] of watched.entries())
        for (const now of await countersOf(part)) {
          const key = `${place} ${now.name}`
          const before = known.get(key)
          known.set(key, now)
          const isAnother = before?.oid !== now.oid
          if (isAnother) {
            isSuspicious ||= now.updated + now.deleted > 0n
            continue
          }
          isSuspicious ||= before.file !== now.file
          // Lower than before: the server recovered from a crash and counts anew.
          const since = (counter: 'updated' | 'deleted') =>
            now[counter] >= before[counter] ? now[counter] - before[counter] : now[counter]
          const [updated, deleted] = [since('updated'), since('deleted')]
          if (updated + deleted > 0n) tripped.push({ table: now.name, updated, deleted })
        }
      return { tripped, isSuspicious }
    },
  }
}
