/**
 * The data folder of an embedded installation: made when missing, refused when it is somebody else's or in use,
 * never written half. Holds `bioledger.json` (whose folder this is), `endpoints.json` (where the running parts
 * listen), `api-token`, the Postgres files.
 */
import { chmod, link, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { freeDiskBytes, neededDiskBytes } from './disk-space.ts'
import { UserError } from './user-error.ts'

export type Endpoints = { readonly http: string; readonly mqtt: string; readonly postgres: string | null }

export type DataFolder = {
  readonly path: string
  publishEndpoints(endpoints: Endpoints): Promise<void>
  /** Removes the endpoints and gives the folder free for the next start. */
  release(): Promise<void>
}

const marker = { product: 'bioprocess-ledger', layout: 1 }

/** Throws `UserError` with one line: a file in the way, another product's folder, another layout, in use, no space, no permission. */
export async function openDataFolder(path: string): Promise<DataFolder> {
  const folder = resolve(path)
  try {
    return await claim(folder)
  } catch (error) {
    if (error instanceof UserError) throw error
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EACCES' || code === 'EPERM')
      throw new UserError(
        `data folder ${folder}: no permission to write there; choose another with BIOLEDGER_DATA_DIR`,
      )
    if (code === 'ENOSPC') throw new UserError(`data folder ${folder}: no disk space left`)
    if (code === 'EROFS')
      throw new UserError(
        `data folder ${folder}: the file system is read-only; choose another with BIOLEDGER_DATA_DIR`,
      )
    if (code === 'ENOTDIR' || code === 'EEXIST')
      throw new UserError(
        `data folder ${folder}: a file stands in the way; choose another with BIOLEDGER_DATA_DIR`,
      )
    throw new UserError(`data folder ${folder}: ${message}`)
  }
}

async function claim(folder: string): Promise<DataFolder> {
  await mkdir(folder, { recursive: true, mode: 0o755 })
  const markerFile = join(folder, 'bioledger.json')
  const found = await readFile(markerFile, 'utf8').catch(() => undefined)
  if (found === undefined) {
    const strangers = (await readdir(folder)).filter(
      (name) => !name.startsWith(lockName) && !/^bioledger\.json\.\d+\.tmp$/.test(name),
    )
    if (strangers.length > 0)
      throw new UserError(
        `data folder ${folder}: it holds ${strangers[0]} and is not ours; choose an empty or new one with BIOLEDGER_DATA_DIR`,
      )
  } else {
    const layout = layoutOf(found)
    if (layout === undefined)
      throw new UserError(
        `data folder ${folder}: its bioledger.json is not ours; choose another with BIOLEDGER_DATA_DIR`,
      )
    if (layout !== marker.layout)
      throw new UserError(
        `data folder ${folder}: it has layout ${layout}, this version knows ${marker.layout}`,
      )
  }
  const free = await freeDiskBytes(folder)
  if (free < neededDiskBytes)
    throw new UserError(
      `data folder ${folder}: ${Math.floor(free / 1_048_576)} MiB of disk space left, at least ${neededDiskBytes / 1_048_576} MiB are needed`,
    )
  await lock(folder)
  if (found === undefined) await writeWhole(markerFile, marker)
  const endpointsFile = join(folder, 'endpoints.json')
  await rm(endpointsFile, { force: true })
  return {
    path: folder,
    publishEndpoints: (endpoints) => writeWhole(endpointsFile, endpoints),
    release: async () => {
      await rm(endpointsFile, { force: true })
      await rm(join(folder, lockName), { force: true })
    },
  }
}

/** Whether data of ours lie there. */
export async function isDataFolder(path: string): Promise<boolean> {
  const found = await readFile(join(resolve(path), 'bioledger.json'), 'utf8').catch(() => undefined)
  return found !== undefined && layoutOf(found) !== undefined
}

/** Where the product that runs on this folder listens. Throws `UserError` when none does. */
export async function readEndpoints(path: string): Promise<Endpoints> {
  const folder = resolve(path)
  try {
    return JSON.parse(await readFile(join(folder, 'endpoints.json'), 'utf8')) as Endpoints
  } catch {
    throw new UserError(
      `data folder ${folder}: nothing runs there (no endpoints.json); start it with npm start, or name the right folder with --data-dir`,
    )
  }
}

const lockName = 'running.json'

async function lock(folder: string): Promise<void> {
  const file = join(folder, lockName)
  const temporary = `${file}.${process.pid}.tmp`
  await writeFile(temporary, JSON.stringify({ pid: process.pid }))
  try {
    await take()
  } finally {
    await rm(temporary, { force: true })
  }

  async function take(): Promise<void> {
    for (;;) {
      try {
        // `link` makes the whole file appear at once, and never replaces one.
        return await link(temporary, file)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      const pid = await readFile(file, 'utf8')
        .then((text) => Number((JSON.parse(text) as { pid: unknown }).pid))
        .catch(() => Number.NaN)
      if (Number.isInteger(pid) && pid !== process.pid && (await isOurs(pid)))
        throw new UserError(
          `data folder ${folder}: it is in use by process ${pid}; stop that one first or choose another with BIOLEDGER_DATA_DIR`,
        )
      // Left behind by a process that was killed.
      await rm(file, { force: true })
    }
  }
}

/** Whether that process is alive and one of ours (after a reboot the number may be anybody's). */
async function isOurs(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  return await readFile(`/proc/${pid}/cmdline`, 'utf8').then(
    (line) => line.includes('main.ts'),
    async () => !(await stat('/proc').catch(() => undefined)),
  )
}

function layoutOf(text: string): number | undefined {
  try {
    const found = JSON.parse(text) as Partial<typeof marker>
    return found.product === marker.product ? found.layout : undefined
  } catch {
    return undefined
  }
}

async function writeWhole(file: string, value: unknown): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`
  await writeFile(temporary, `${JSON.stringify(value, null, 2)}\n`)
  await chmod(temporary, 0o644)
  await rename(temporary, file)
}
