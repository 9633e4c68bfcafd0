/**
 * Signed notes (C2SP signed-note v1.0.0): a text, a blank line, and signature lines. Ed25519 (type 0x01).
 * Strict where JavaScript is lenient: base64 must be canonical, text must be valid UTF-8 without controls. An
 * unknown key is ignored, a known key whose signature fails refuses the whole note, and so does a note without
 * any verified known key. Keys come from the caller, never from the note.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'

export type NoteVerifier = {
  readonly name: string
  readonly keyId: number
  verify(text: Uint8Array, signature: Uint8Array): boolean
}
export type NoteSigner = {
  readonly name: string
  readonly keyId: number
  readonly verifierKey: string
  sign(text: Uint8Array): Uint8Array
}
export type NoteSignature = { readonly name: string; readonly keyId: number; readonly signature: Buffer }

export class NoteError extends Error {
  readonly code = 'note'
  constructor(readonly rule: string) {
    super(`note refused: ${rule}`)
  }
}

const ed25519Type = 0x01
const maximumBytes = 1_000_000
const maximumSignatures = 100

/** Verifier of `<name>+<8 hex>+<base64(type ‖ key)>`. Throws `NoteError` for anything but an Ed25519 key spelt exactly so. */
export function parseVerifierKey(verifierKey: string): NoteVerifier {
  const { name, keyId, type, key } = parseKey(verifierKey.split('+'), 32)
  if (type !== ed25519Type) throw new NoteError(`algorithm ${type} of key ${name} is unknown`)
  if (keyIdOf(name, type, key) !== keyId) throw new NoteError(`key id of ${name} does not match the key`)
  const publicKey = ed25519PublicKey(key)
  return {
    name,
    keyId,
    verify: (text, signature) => signature.length === 64 && verify(null, text, publicKey, signature),
  }
}

/** Signer of `PRIVATE+KEY+<name>+<8 hex>+<base64(type ‖ seed)>`. */
export function parseSignerKey(signerKey: string): NoteSigner {
  if (!signerKey.startsWith('PRIVATE+KEY+')) throw new NoteError('no private key')
  const { name, keyId, type, key: seed } = parseKey(signerKey.slice('PRIVATE+KEY+'.length).split('+'), 32)
  if (type !== ed25519Type) throw new NoteError(`algorithm ${type} of key ${name} is unknown`)
  const signer = noteSigner(name, seed)
  if (signer.keyId !== keyId) throw new NoteError(`key id of ${name} does not match the key`)
  return signer
}

/** Signer named `name` from a 32-byte Ed25519 seed (RFC 8032 5.1.5). */
export function noteSigner(name: string, seed: Uint8Array): NoteSigner {
  requireKeyName(name)
  const { privateKey, key } = ed25519PrivateKey(seed)
  const keyId = keyIdOf(name, ed25519Type, key)
  return {
    name,
    keyId,
    verifierKey: `${name}+${hex8(keyId)}+${Buffer.concat([Buffer.of(ed25519Type), key]).toString('base64')}`,
    sign: (text) => sign(null, text, privateKey),
  }
}

/** The note of `text` (ends with a line feed) with a line of each signer, after the lines in `existing`. */
export function signNote(
  text: string,
  signers: readonly NoteSigner[],
  existing: readonly NoteSignature[] = [],
): string {
  const bytes = Buffer.from(text)
  requireText(bytes, text)
  const made = signers.map((signer) => ({
    name: signer.name,
    keyId: signer.keyId,
    signature: Buffer.from(signer.sign(bytes)),
  }))
  return `${text}\n${[...existing, ...made].map(signatureLine).join('')}`
}

export function signatureLine({ name, keyId, signature }: NoteSignature): string {
  requireKeyName(name)
  const id = Buffer.alloc(4)
  id.writeUInt32BE(keyId)
  return `— ${name} ${Buffer.concat([id, signature]).toString('base64')}\n`
}

/** Text and signatures of a note as they stand, not verified. Throws `NoteError` for a malformed one. */
export function parseNote(note: string | Uint8Array): { text: string; signatures: NoteSignature[] } {
  const bytes = typeof note === 'string' ? Buffer.from(note) : Buffer.from(note)
  if (bytes.length > maximumBytes) throw new NoteError(`more than ${maximumBytes} bytes`)
  const whole = decodeUtf8(bytes)
  if (typeof note === 'string' && whole !== note) throw new NoteError('invalid Unicode')
  requirePrintable(whole)
  const split = whole.lastIndexOf('\n\n')
  if (split < 0) throw new NoteError('no blank line before the signatures')
  const text = whole.slice(0, split + 1)
  const lines = whole.slice(split + 2)
  if (!lines.endsWith('\n')) throw new NoteError('no signature lines, or the last one has no line feed')
  const signatures = lines.slice(0, -1).split('\n').map(parseSignatureLine)
  if (signatures.length > maximumSignatures) throw new NoteError(`more than ${maximumSignatures} signatures`)
  return { text, signatures }
}

/** The text of a note that at least one of `verifiers` signed, and which did. Throws `NoteError` otherwise. */
export function openNote(
  note: string | Uint8Array,
  verifiers: readonly NoteVerifier[],
): { text: string; verified: NoteSignature[]; unknown: NoteSignature[] } {
  const { text, signatures } = parseNote(note)
  const bytes = Buffer.from(text)
  const verified: NoteSignature[] = []
  const unknown: NoteSignature[] = []
  const seen = new Set<string>()
  for (const signature of signatures) {
    const known = verifiers.filter(
      (verifier) => verifier.name === signature.name && verifier.keyId === signature.keyId,
    )
    if (known.length > 1) throw new NoteError(`two keys share the name ${signature.name} and its id`)
    if (!known[0]) {
      if (!unknown.some((other) => signatureLine(other) === signatureLine(signature))) unknown.push(signature)
      continue
    }
    const identity = `${signature.name}+${signature.keyId}`
    if (seen.has(identity)) continue
    seen.add(identity)
    if (!known[0].verify(bytes, signature.signature))
      throw new NoteError(`the signature of ${signature.name} is wrong`)
    verified.push(signature)
  }
  if (verified.length === 0) throw new NoteError('no known key signed it')
  return { text, verified, unknown }
}

/** Base64 in its one canonical spelling (RFC 4648 3.5), or undefined. */
export function strictBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}

/** `key`: the 32 bytes of an Ed25519 public key (RFC 8032 5.1.5). */
export function ed25519PublicKey(key: Uint8Array): KeyObject {
  return createPublicKey({
    format: 'jwk',
    key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(key).toString('base64url') },
  })
}

/** `seed`: 32 bytes; `key` is its public key. */
export function ed25519PrivateKey(seed: Uint8Array): { privateKey: KeyObject; key: Buffer } {
  if (seed.length !== 32) throw new NoteError(`seed has ${seed.length} bytes, expected 32`)
  const privateKey = createPrivateKey({
    key: Buffer.concat([pkcs8Ed25519Prefix, seed]),
    format: 'der',
    type: 'pkcs8',
  })
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' })
  if (x === undefined) throw new NoteError('the seed gives no Ed25519 key')
  return { privateKey, key: Buffer.from(x, 'base64url') }
}

const pkcs8Ed25519Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')
export const hex8 = (keyId: number) => keyId.toString(16).padStart(8, '0')

/** First four bytes of SHA-256(name ‖ LF ‖ type ‖ key) as a number. */
export function keyIdOf(name: string, type: number, key: Uint8Array): number {
  return createHash('sha256').update(name).update(Buffer.of(0x0a, type)).update(key).digest().readUInt32BE(0)
}

/** A key that names an algorithm and carries `keyBytes` bytes; its id is not yet checked. */
export function parseKey(
  parts: readonly string[],
  keyBytes: number,
): { name: string; keyId: number; type: number; key: Buffer } {
  // The base64 part may itself hold a plus sign.
  const [name, id, ...rest] = parts
  const encoded = rest.join('+')
  if (name === undefined || id === undefined || rest.length === 0)
    throw new NoteError('a key is <name>+<id>+<base64>')
  requireKeyName(name)
  if (!/^[0-9a-f]{8}$/.test(id)) throw new NoteError(`key id ${id} is not 8 lower-case hex digits`)
  const bytes = strictBase64(encoded)
  if (!bytes || bytes.length !== 1 + keyBytes)
    throw new NoteError(`key of ${name} is not canonical base64 of ${1 + keyBytes} bytes`)
  return { name, keyId: Number.parseInt(id, 16), type: bytes[0]!, key: bytes.subarray(1) }
}

function parseSignatureLine(line: string): NoteSignature {
  const match = /^— (\S+) (\S+)$/u.exec(line)
  if (!match) throw new NoteError('a signature line is "— <name> <base64>"')
  const [, name, encoded] = match as unknown as [string, string, string]
  requireKeyName(name)
  const bytes = strictBase64(encoded)
  if (!bytes || bytes.length < 5)
    throw new NoteError(`the signature of ${name} is not canonical base64 of at least 5 bytes`)
  return { name, keyId: bytes.readUInt32BE(0), signature: bytes.subarray(4) }
}

function requireKeyName(name: string): void {
  if (name === '' || /[\s+]/u.test(name) || name !== decodeUtf8(Buffer.from(name)))
    throw new NoteError(`key name ${JSON.stringify(name)} is empty or has a space or plus sign`)
}

function requireText(bytes: Buffer, text: string): void {
  if (decodeUtf8(bytes) !== text) throw new NoteError('invalid Unicode')
  if (!text.endsWith('\n')) throw new NoteError('the text does not end with a line feed')
  requirePrintable(text)
}

function requirePrintable(text: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the format forbids exactly these
  if (/[\u0000-\u0009\u000b-\u001f]/.test(text)) throw new NoteError('a control character')
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new NoteError('invalid UTF-8')
  }
}
