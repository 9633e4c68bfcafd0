/**
 * Signed notes, verifier keys, checkpoints and witnesses' cosignatures (C2SP signed-note v1.0.0, tlog-checkpoint v1.0.0,
 * tlog-cosignature v1.0.1). Keys come from the caller. An unknown key is ignored; a known key whose signature fails
 * refuses the note; an algorithm other than Ed25519 is refused where somebody pins it.
 */
import { concat, fromBase64, fromUtf8, toHex, utf8 } from './bytes.ts'
import type { Platform } from './platform.ts'
import { Refusal } from './refusal.ts'

export type Key = {
  readonly verifierKey: string
  readonly name: string
  readonly keyId: string
  readonly type: number
  readonly publicKey: Uint8Array
}

export type Note = {
  readonly text: string
  readonly signatures: readonly {
    readonly name: string
    readonly keyId: string
    readonly bytes: Uint8Array
  }[]
}

export type Checkpoint = { readonly origin: string; readonly size: number; readonly root: Uint8Array }

export const noteKeyType = 0x01
export const witnessKeyType = 0x04

/** `<name>+<8 hex>+<base64(type ‖ 32 bytes)>`. */
export function parseKey(verifierKey: string, platform: Platform): Key {
  const [name = '', keyId = '', ...rest] = verifierKey.split('+')
  const bytes = fromBase64(rest.join('+'))
  if (!isKeyName(name) || !/^[0-9a-f]{8}$/.test(keyId) || !bytes || bytes.length !== 33)
    throw new Refusal(`"${verifierKey}" is no verifier key (<name>+<8 hex digits>+<base64>)`)
  const type = bytes[0] as number
  if (type !== noteKeyType && type !== witnessKeyType)
    throw new Refusal(`the key of ${name} has the unknown algorithm ${type}`)
  const id = toHex(platform.hash(concat(utf8(`${name}\n`), bytes)).subarray(0, 4))
  if (id !== keyId) throw new Refusal(`the key id of ${name} is not the one of its key`)
  return { verifierKey, name, keyId, type, publicKey: bytes.subarray(1) }
}

export function parseNote(bytes: Uint8Array, what: string): Note {
  const whole = fromUtf8(bytes)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the format forbids exactly these
  if (whole === undefined || /[\u0000-\u0009\u000b-\u001f]/.test(whole))
    throw new Refusal(`${what} is not plain UTF-8 text`)
  const split = whole.lastIndexOf('\n\n')
  if (split < 0 || !whole.endsWith('\n') || whole.length === split + 2)
    throw new Refusal(`${what} carries no signature`)
  const lines = whole.slice(split + 2, -1).split('\n')
  if (lines.length > 100) throw new Refusal(`${what} has more than 100 signatures`)
  const signatures = lines.map((line) => {
    const [, name = '', encoded = ''] = /^\u2014 (\S+) (\S+)$/u.exec(line) ?? []
    const decoded = fromBase64(encoded)
    if (!isKeyName(name) || !decoded || decoded.length < 5)
      throw new Refusal(`${what} has a line among its signatures that is none`)
    return { name, keyId: toHex(decoded.subarray(0, 4)), bytes: decoded.subarray(4) }
  })
  return { text: whole.slice(0, split + 1), signatures }
}

/** Those of `keys` that signed the note. Throws `Refusal` when the signature of one of them is wrong. */
export async function signersOf(
  note: Note,
  keys: readonly Key[],
  what: string,
  platform: Platform,
): Promise<Key[]> {
  const signers: Key[] = []
  for (const key of keys) {
    const signature = note.signatures.find((one) => one.name === key.name && one.keyId === key.keyId)
    if (!signature) continue
    if (!(await isSigned(note.text, signature.bytes, key, platform)))
      throw new Refusal(`the signature of ${key.name} (${key.keyId}) on ${what} is wrong`)
    signers.push(key)
  }
  return signers
}

async function isSigned(text: string, signature: Uint8Array, key: Key, platform: Platform): Promise<boolean> {
  if (key.type === noteKeyType)
    return signature.length === 64 && (await platform.verifyEd25519(key.publicKey, utf8(text), signature))
  if (signature.length !== 72) return false
  const time = new DataView(signature.buffer, signature.byteOffset).getBigUint64(0)
  const message = utf8(`cosignature/v1\ntime ${time}\n${text}`)
  return time < 1n << 63n && (await platform.verifyEd25519(key.publicKey, message, signature.subarray(8)))
}

export function parseCheckpoint(text: string): Checkpoint {
  const [origin = '', spelt = '', encoded = '', ...extensions] = text.slice(0, -1).split('\n')
  const root = fromBase64(encoded)
  if (!isKeyName(origin) || !/^[1-9]\d{0,15}$/.test(spelt) || root?.length !== 32 || extensions.includes(''))
    throw new Refusal('the checkpoint is not origin, size and root')
  const size = Number(spelt)
  if (!Number.isSafeInteger(size)) throw new Refusal('the checkpoint is of an absurd size')
  return { origin, size, root }
}

function isKeyName(name: string): boolean {
  return name !== '' && !/[\s+]/u.test(name)
}
