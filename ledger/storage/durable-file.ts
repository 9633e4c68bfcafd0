/** Files that are whole or not there, and on the disk when the call returns: temporary file, fsync, rename, fsync of the folder. */
import { randomBytes } from 'node:crypto'
import { link, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Makes or replaces the file. When this rejects, it may hold the old or the new content, never a part. */
export async function writeDurably(file: string, content: string | Uint8Array, mode: number): Promise<void> {
  await writeBeside(file, content, mode, (temporary) => rename(temporary, file))
}

/** Makes the file; of several that do so at once, in whatever process, one wins and `false` tells the others. */
export async function createDurably(
  file: string,
  content: string | Uint8Array,
  mode: number,
): Promise<boolean> {
  let isMade = true
  await writeBeside(file, content, mode, async (temporary) => {
    await link(temporary, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
      isMade = false
    })
    await rm(temporary, { force: true })
  })
  return isMade
}

export async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function writeBeside(
  file: string,
  content: string | Uint8Array,
  mode: number,
  place: (temporary: string) => Promise<void>,
): Promise<void> {
  // Containers that share a volume may share the process id, too.
  const temporary = `${file}.${process.pid}.${randomBytes(8).toString('hex')}.tmp`
  try {
    const handle = await open(temporary, 'wx', mode)
    try {
      await handle.chmod(mode)
      await handle.writeFile(content)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await place(temporary)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncFolder(dirname(file))
}

/** Makes renames in this folder durable. Not every system can open a folder; such a one needs no such call. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EISDIR' || error.code === 'EPERM') return undefined
    throw error
  })
  try {
    await handle?.sync()
  } finally {
    await handle?.close()
  }
}
