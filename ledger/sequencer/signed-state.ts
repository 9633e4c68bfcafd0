/**
 * The last checkpoint that was signed, kept outside the database: the file `ledger.signed`. Whoever restores an old
 * backup of the database does not restore this with it, and the log notices that it has become smaller.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Checkpoint, parseCheckpoint } from '../log/checkpoint.ts'
import { parseNote } from '../log/note.ts'
import { writeDurably } from '../storage/durable-file.ts'
import { LedgerRefusedError } from './refusal.ts'

export type SignedState = {
  /** Undefined when nothing was ever signed here. Throws `LedgerRefusedError` for what is no checkpoint. */
  read(): Promise<Checkpoint | undefined>
  /** Durable when it resolves. */
  write(note: string): Promise<void>
}

export function signedStateFile(folder: string): SignedState {
  const file = join(folder, 'ledger.signed')
  return {
    async read() {
      let note: string
      try {
        note = await readFile(file, 'utf8')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw error
      }
      try {
        return parseCheckpoint(parseNote(note).text)
      } catch (error) {
        throw new LedgerRefusedError(
          `${file} does not hold the checkpoint that was signed last: restore that file`,
          { cause: error },
        )
      }
    },
    write: (note) => writeDurably(file, note, 0o644),
  }
}
