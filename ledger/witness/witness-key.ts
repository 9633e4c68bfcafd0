/**
 * The witness's own key: 32 bytes of Ed25519 seed in `witness.key` (mode 0600), made at the first start and never
 * replaced. `witness.vkey` beside it says what to give to the log's operator and to everybody who verifies.
 */
import { randomBytes } from 'node:crypto'
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { type CosignatureSigner, cosignatureSigner } from '../log/cosignature.ts'
import { strictBase64 } from '../log/note.ts'
import { createDurably, readIfThere, writeDurably } from '../storage/durable-file.ts'

/** Throws `WitnessKeyError` for a file that holds no seed, or the key of a witness of another name. */
export async function readOrCreateWitnessKey(folder: string, name: string): Promise<CosignatureSigner> {
  const file = join(folder, 'witness.key')
  if ((await readIfThere(file)) === undefined)
    await createDurably(file, `${name} ${randomBytes(32).toString('base64')}\n`, 0o600)
  const [found, encoded = '', ...rest] = ((await readIfThere(file)) ?? '').trimEnd().split(' ')
  const seed = strictBase64(encoded)
  if (seed?.length !== 32 || rest.length > 0)
    throw new WitnessKeyError(file, 'a name and 32 bytes in base64 are expected')
  if (found !== name)
    throw new WitnessKeyError(
      file,
      `it is the key of ${found}, not of ${name}: a key never serves two witnesses`,
    )
  await chmod(file, 0o600)
  const signer = cosignatureSigner(name, seed)
  await writeDurably(join(folder, 'witness.vkey'), `${signer.verifierKey}\n`, 0o644)
  return signer
}

export class WitnessKeyError extends Error {
  readonly code = 'witness-key'
  constructor(
    readonly file: string,
    readonly rule: string,
  ) {
    super(`${file} is no witness key: ${rule}`)
  }
}
