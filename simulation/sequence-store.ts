/**
 * The last sequence number a simulated vessel has used, kept over restarts in one small JSON file a vessel. A run
 * reserves all its numbers before it sends the first: a crash leaves a jump, never a number used twice.
 */
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'

export type SequenceStore = {
  /** Reserves `count` numbers and gives the first of them (1 for a new vessel). */
  readonly reserve: (vessel: string, count: number) => Promise<number>
}

/** Numbers that begin at 1 in every run, for files. */
export const freshSequence: SequenceStore = { reserve: async () => 1 }

export function fileSequenceStore(folder: string): SequenceStore {
  return {
    reserve: async (vessel, count) => {
      await mkdir(folder, { recursive: true })
      const path = join(folder, `sequence-${vessel}.json`)
      const last = await readLast(path)
      const next = { vessel, last: last + count }
      const temporary = `${path}.new`
      const file = await open(temporary, 'w')
      try {
        await file.writeFile(`${JSON.stringify(next)}\n`)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(temporary, path)
      return last + 1
    },
  }
}

async function readLast(path: string): Promise<number> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return 0
  const parsed: unknown = JSON.parse(text)
  if (
    typeof parsed === 'object' &&
    parsed !== null &&
    'last' in parsed &&
    typeof parsed.last === 'number' &&
    Number.isSafeInteger(parsed.last)
  )
    return parsed.last
  throw new Error(`${path} is no sequence file`)
}
