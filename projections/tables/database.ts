/**
 * Where the read models lie: schema `projections` of the database that the URL names. SQL here names tables
 * without schema; the connection's search path decides, so that a rebuild runs the same SQL beside.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { migrate } from '../../infra/postgres/migrate.ts'
import { createPool, type Pool } from '../../infra/postgres/pool.ts'

export const liveSchema = 'projections'
const migrations = join(import.meta.dirname, 'migrations')

/** Connections that find the read models' tables by their bare names. */
export function openReadModels(
  url: string,
  options: {
    readonly name: string
    readonly max?: number
    readonly schema?: string
    readonly idleMs?: number
  },
): Pool {
  const located = new URL(url)
  located.searchParams.set('options', `-c search_path=${options.schema ?? liveSchema}`)
  return createPool(located.toString(), {
    name: options.name,
    ...(options.max === undefined ? {} : { max: options.max }),
    ...(options.idleMs === undefined ? {} : { idleMs: options.idleMs }),
  })
}

/** Makes the read models' tables (or brings them to this version). `adminUrl`: a role that may create schemas. */
export async function migrateReadModels(adminUrl: string, schema = liveSchema): Promise<void> {
  const pool = openReadModels(adminUrl, { name: 'projections-migration', max: 1, schema })
  try {
    await pool.query(`CREATE SCHEMA IF NOT EXISTS ${schemaName(schema)}`)
    await migrate(pool, migrations, schema)
    await pool.query(await readFile(join(import.meta.dirname, 'grants.sql'), 'utf8'))
  } finally {
    await pool.end()
  }
}

/**
 * The read models' tables as temporary ones of the pool's one connection: empty, seen by nobody else, gone with it.
 * Needs no right but that to make temporary tables.
 */
export async function openTemporaryReadModels(url: string, name: string): Promise<Pool> {
  const pool = openReadModels(url, { name, max: 1, idleMs: 0, schema: 'pg_temp' })
  try {
    for (const file of (await readdir(migrations)).filter((file) => file.endsWith('.sql')).sort())
      await pool.query(await readFile(join(migrations, file), 'utf8'))
    return pool
  } catch (error) {
    await pool.end()
    throw error
  }
}

/** A schema name stands in SQL as it is, so only plain ones pass. */
function schemaName(name: string): string {
  if (!/^[a-z][a-z0-9_]{0,50}$/.test(name)) throw new Error(`${name} is no schema name of ours`)
  return name
}
