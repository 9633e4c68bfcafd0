/**
 * Where the data of a command lie that works on a running product as well as on a stopped one: the servers that the settings
 * name, the embedded server that runs on the data folder, or that server started for the command alone.
 */
import { join, resolve } from 'node:path'
import type { Config } from '../infra/config.ts'
import { embeddedPostgresUrls, startEmbeddedPostgres } from '../infra/postgres/embedded.ts'
import { isDataFolder, openDataFolder, readEndpoints } from './data-folder.ts'
import type { Urls } from './foundations.ts'
import type { ShutdownOrder } from './shutdown.ts'
import { UserError } from './user-error.ts'

/** Throws `UserError` when there are no data of ours. What it starts ends with `shutdown`. */
export async function storedDataUrls(
  config: Config,
  dataDir: string,
  shutdown: ShutdownOrder,
): Promise<Urls> {
  if (config.postgresUrl !== undefined) return { app: config.postgresUrl, admin: config.postgresAdminUrl }
  const postgresFolder = join(dataDir, 'postgres')
  const endpoints = await readEndpoints(dataDir).catch(() => undefined)
  if (endpoints?.postgres) {
    const { appUrl, adminUrl } = await embeddedPostgresUrls(
      postgresFolder,
      Number(new URL(endpoints.postgres).port),
    )
    return { app: appUrl(), admin: adminUrl() }
  }
  if (!(await isDataFolder(dataDir)))
    throw new UserError(
      `data folder ${resolve(dataDir)}: there are no data of ours; name the right one with --data-dir`,
    )
  const folder = await openDataFolder(dataDir)
  shutdown.add(() => folder.release())
  const postgres = await startEmbeddedPostgres({ folder: postgresFolder })
  shutdown.add(() => postgres.stop())
  return { app: postgres.appUrl(), admin: postgres.adminUrl() }
}
