/**
 * emmett-postgresql, installed beside the product (`bench/rivals`) because its peers clash with ours; undefined
 * where it cannot be installed.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export type EmmettStore = {
  appendToStream(
    stream: string,
    events: readonly { type: string; data: unknown; metadata: unknown }[],
  ): Promise<unknown>
  close(): Promise<void>
}

export async function loadEmmett(): Promise<((connectionString: string) => EmmettStore) | undefined> {
  const folder = fileURLToPath(new URL('./rivals/', import.meta.url))
  if (!existsSync(`${folder}node_modules`))
    spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: folder,
      stdio: ['ignore', 2, 2],
    })
  const entry = `${folder}node_modules/@event-driven-io/emmett-postgresql/dist/index.js`
  if (!existsSync(entry)) return undefined
  const { getPostgreSQLEventStore } = (await import(entry)) as {
    getPostgreSQLEventStore: (connectionString: string) => EmmettStore
  }
  return getPostgreSQLEventStore
}
