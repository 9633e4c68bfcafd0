/**
 * What a witness remembers: of each log the latest checkpoint that it cosigned, as a signed note in a file of its own,
 * `<hex SHA-256 of the origin>/checkpoint`. The same file is what monitors may fetch.
 */
import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readIfThere, writeDurably } from '../storage/durable-file.ts'

export type WitnessState = {
  /** The note, undefined while no checkpoint of this origin was cosigned. */
  read(origin: string): Promise<string | undefined>
  /** Durable when it resolves. */
  replace(origin: string, note: string): Promise<void>
}

export const originHash = (origin: string): string => createHash('sha256').update(origin).digest('hex')

export function fileWitnessState(folder: string): WitnessState {
  const folderOf = (origin: string) => join(folder, originHash(origin))
  return {
    read: (origin) => readIfThere(join(folderOf(origin), 'checkpoint')),
    replace: async (origin, note) => {
      await mkdir(folderOf(origin), { recursive: true })
      await writeDurably(join(folderOf(origin), 'checkpoint'), note, 0o644)
    },
  }
}
