/**
 * `bioledger ledger-key rotate`: a new key for the log. Works on a running product, which takes it up with the next
 * checkpoint; the first one that covers the change carries both signatures, then the old key is destroyed.
 */
import { resolve } from 'node:path'
import { rotateLogKey } from '../ledger/keys/file-vault.ts'
import { KeyError } from '../ledger/keys/key-vault.ts'
import { UserError } from './user-error.ts'

export async function rotateLedgerKeyCommand(given: { dataDir: string; json: boolean }): Promise<void> {
  const folder = resolve(given.dataDir)
  try {
    const { verifierKey, replaced } = await rotateLogKey(folder)
    process.stdout.write(
      given.json
        ? `${JSON.stringify({ verifierKey, replaced })}\n`
        : `new key ${verifierKey}\nreplaces ${replaced}\n`,
    )
  } catch (error) {
    if (error instanceof KeyError) throw new UserError(error.message, 1)
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new UserError(
        `data folder ${folder}: it holds no ledger.key; the ledger's role makes it at its first start`,
      )
    throw error
  }
}
