/** Files that are there whole or not at all, also after a power cut: temporary file, fsync, rename, fsync of the folder. */
import { randomBytes } from 'node:crypto'
import { link, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Replaces the file. When this rejects, the file may hold the old or the new text, never a part. */
export async function replaceDurably(file: string, text: string): Promise<void> {
  await writeBeside(file, text, 0o644, (temporary) => rename(temporary, file))
}

/** Makes the file with mode 0600; of two that do so at once, one wins and `false` tells the other. */
export async function createDurably(file: string, text: string): Promise<boolean> {
  let isMade = true
  await writeBeside(file, text, 0o600, async (temporary) => {
    await link(temporary, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
      isMade = false
    })
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
  text: string,
  mode: number,
  place: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = `${file}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`
  try {
    const handle = await open(temporary, 'wx', mode)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await place(temporary)
  } finally {
    await rm(temporary, { force: true })
  }
  const folder = await open(dirname(file))
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
