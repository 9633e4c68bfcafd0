/**
 * Where the ledger's private keys are: a file, or a key management service behind this port. Keys never leave it; it
 * signs what it is given.
 */
import type { NoteSignature } from '../log/note.ts'

export type SigningKey = {
  /** Signed-note verifier key (C2SP signed-note): `<name>+<8 hex>+<base64>`. */
  readonly verifierKey: string
  readonly sign: (text: Uint8Array) => Promise<NoteSignature>
}

export type LogKeys = {
  readonly current: SigningKey
  /** The key that `current` replaces: it signs until a checkpoint covers the event that adds the new one, and that one too. */
  readonly replaced?: SigningKey
}

export type KeyVault = {
  /** As they are now: a rotation may have taken place since the last call. */
  logKeys(): Promise<LogKeys>
  /** Signs manifests of extracts; never a checkpoint. */
  exportKey(): Promise<SigningKey>
  /** The replaced key has signed for the last time: it is destroyed. */
  destroyReplaced(verifierKey: string): Promise<void>
}

export class KeyError extends Error {
  readonly code = 'ledger-key'
  constructor(
    readonly place: string,
    readonly rule: string,
  ) {
    super(`${place}: ${rule}`)
  }
}
