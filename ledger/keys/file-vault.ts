/**
 * Keys in files of a folder, readable by their owner only: `ledger.key` (the log's; two lines while a rotation is under
 * way, the new one first), `ledger-export.key`, and for everybody `ledger.vkey`, the verifier key of the log. Private
 * keys are spelt as golang.org/x/mod/sumdb/note spells them.
 */
import { randomBytes } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type NoteSigner, noteSigner, parseSignerKey } from '../log/note.ts'
import { writeDurably } from '../storage/durable-file.ts'
import { KeyError, type KeyVault, type SigningKey } from './key-vault.ts'

const logKeyFile = 'ledger.key'
const exportKeyFile = 'ledger-export.key'
const verifierKeyFile = 'ledger.vkey'

/** `origin`: the log's, which is the name of its key. Makes what is missing. Throws `KeyError` for a file it cannot trust. */
export async function fileKeyVault(folder: string, origin: string): Promise<KeyVault> {
  const logFile = join(folder, logKeyFile)
  const exportFile = join(folder, exportKeyFile)
  await makeMissing(logFile, origin)
  await makeMissing(exportFile, exportKeyName(origin))
  await publishVerifierKey()

  async function publishVerifierKey(): Promise<void> {
    const [current] = await readKeys(logFile, origin, 2)
    await writeDurably(join(folder, verifierKeyFile), `${current?.verifierKey}\n`, 0o644)
  }

  return {
    async logKeys() {
      const [current, replaced] = (await readKeys(logFile, origin, 2)) as [NoteSigner, NoteSigner?]
      return replaced
        ? { current: signingKey(current), replaced: signingKey(replaced) }
        : { current: signingKey(current) }
    },
    async exportKey() {
      const [key] = (await readKeys(exportFile, exportKeyName(origin), 1)) as [NoteSigner]
      return signingKey(key)
    },
    async destroyReplaced(verifierKey) {
      const lines = await readLines(logFile)
      const kept = lines.filter((line) => parseSignerKey(line).verifierKey !== verifierKey)
      if (kept.length === 0 || kept.length === lines.length) return
      await writeDurably(logFile, `${kept.join('\n')}\n`, 0o600)
      await publishVerifierKey()
    },
  }
}

/** A new key for the log whose origin the present one names; both sign the first checkpoint that covers the change. */
export async function rotateLogKey(folder: string): Promise<{ verifierKey: string; replaced: string }> {
  const file = join(folder, logKeyFile)
  const lines = await readLines(file)
  const [present] = lines
  if (present === undefined) throw new KeyError(file, 'there is no key to rotate')
  if (lines.length > 1) throw new KeyError(file, 'a rotation is under way: wait for the next checkpoint')
  const { name, verifierKey } = parseSignerKey(present)
  const seed = randomBytes(32)
  await writeDurably(file, `${signerKeyText(name, seed)}\n${present}\n`, 0o600)
  return { verifierKey: noteSigner(name, seed).verifierKey, replaced: verifierKey }
}

/** The export key's name: the origin with `/export`, so that no manifest passes for a checkpoint. */
const exportKeyName = (origin: string): string => `${origin}/export`

async function makeMissing(file: string, name: string): Promise<void> {
  const exists = await stat(file).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false
      throw error
    },
  )
  if (!exists) await writeDurably(file, `${signerKeyText(name, randomBytes(32))}\n`, 0o600)
}

async function readKeys(file: string, name: string, atMost: number): Promise<NoteSigner[]> {
  const { mode } = await stat(file)
  if (process.platform !== 'win32' && (mode & 0o077) !== 0)
    throw new KeyError(file, `others may read it (mode ${(mode & 0o777).toString(8)}), expected 600`)
  const lines = await readLines(file)
  if (lines.length < 1 || lines.length > atMost)
    throw new KeyError(file, `it holds ${lines.length} keys, expected 1${atMost > 1 ? ` to ${atMost}` : ''}`)
  return lines.map((line) => {
    let signer: NoteSigner
    try {
      signer = parseSignerKey(line)
    } catch {
      throw new KeyError(file, 'it does not hold a private key in signed-note form')
    }
    if (signer.name !== name)
      throw new KeyError(file, `its key is named ${signer.name}, but this log is ${name}`)
    return signer
  })
}

const readLines = async (file: string): Promise<string[]> =>
  (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '')

const signingKey = (signer: NoteSigner): SigningKey => ({
  verifierKey: signer.verifierKey,
  sign: async (text) => ({
    name: signer.name,
    keyId: signer.keyId,
    signature: Buffer.from(signer.sign(text)),
  }),
})

function signerKeyText(name: string, seed: Buffer): string {
  const id = noteSigner(name, seed).keyId.toString(16).padStart(8, '0')
  return `PRIVATE+KEY+${name}+${id}+${Buffer.concat([Buffer.of(0x01), seed]).toString('base64')}`
}
