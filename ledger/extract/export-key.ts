/** The export key as it lies in the data folder; it is made by the ledger's role, which logs it, never here. */
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { SigningKey } from '../keys/key-vault.ts'
import { KeyError } from '../keys/key-vault.ts'
import { parseSignerKey } from '../log/note.ts'

const fileName = 'ledger-export.key'

/** Throws `KeyError` when it is not there, others may read it, or it is not the key of this log. */
export async function readExportKey(folder: string, origin: string): Promise<SigningKey> {
  const file = join(folder, fileName)
  const found = await stat(file).catch(() => undefined)
  if (!found)
    throw new KeyError(
      file,
      'the export key is not there: extracts are written where the ledger keeps its keys',
    )
  if (process.platform !== 'win32' && (found.mode & 0o077) !== 0)
    throw new KeyError(file, `others may read it (mode ${(found.mode & 0o777).toString(8)}), expected 600`)
  const signer = parseSignerKey((await readFile(file, 'utf8')).trim())
  if (signer.name !== `${origin}/export`)
    throw new KeyError(file, `its key is named ${signer.name}, but this log is ${origin}`)
  return {
    verifierKey: signer.verifierKey,
    sign: async (text) => ({
      name: signer.name,
      keyId: signer.keyId,
      signature: Buffer.from(signer.sign(text)),
    }),
  }
}
