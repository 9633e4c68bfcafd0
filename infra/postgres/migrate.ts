/**
 * Applies numbered `.sql` migrations of one folder to one schema, each once and in order, under an advisory
 * lock. A file that changed after it was applied is refused: history is not edited.
 */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inTransaction, type Pool } from './pool.ts'

/**
 * `folder` holds `NNNN-title.sql` files; `component` names their history (e.g. `event-store`). `objects` are files
 * of functions, views and grants in the order to apply them: they say `CREATE OR REPLACE`, may change, and are
 * applied after the migrations whenever their text did.
 */
export async function migrate(
  pool: Pool,
  folder: string,
  component: string,
  objects: readonly string[] = [],
): Promise<{ applied: string[] }> {
  const files = (await readdir(folder)).filter((file) => /^\d{4}-.+\.sql$/.test(file)).sort()
  const applied: string[] = []
  await inTransaction(pool, async (client) => {
    await client.query(`SELECT pg_advisory_xact_lock(hashtext('bioledger-migrations'))`)
    await client.query(`CREATE TABLE IF NOT EXISTS public.bioledger_migration (
      component text NOT NULL, file text NOT NULL, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      PRIMARY KEY (component, file))`)
    const known = new Map<string, string>()
    for (const row of (
      await client.query('SELECT file, sha256 FROM public.bioledger_migration WHERE component = $1', [
        component,
      ])
    ).rows)
      known.set(row.file, row.sha256)
    for (const file of files) {
      const sql = await readFile(join(folder, file), 'utf8')
      const sha256 = createHash('sha256').update(sql).digest('hex')
      if (known.has(file)) {
        if (known.get(file) !== sha256)
          throw new Error(`migration ${component}/${file} was changed after it was applied`)
        continue
      }
      await client.query(sql)
      await client.query(
        'INSERT INTO public.bioledger_migration (component, file, sha256) VALUES ($1, $2, $3)',
        [component, file, sha256],
      )
      applied.push(file)
    }
    const sql = (await Promise.all(objects.map((file) => readFile(file, 'utf8')))).join('\n')
    const sha256 = createHash('sha256').update(sql).digest('hex')
    if (objects.length > 0 && known.get('objects') !== sha256) {
      await client.query(sql)
      await client.query(
        `INSERT INTO public.bioledger_migration (component, file, sha256) VALUES ($1, 'objects', $2)
         ON CONFLICT (component, file) DO UPDATE SET sha256 = excluded.sha256, applied_at = clock_timestamp()`,
        [component, sha256],
      )
      applied.push('objects')
    }
  })
  return { applied }
}
