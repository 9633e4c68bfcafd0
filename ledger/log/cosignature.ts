/**
 * Cosignatures of witnesses (C2SP tlog-cosignature v1.0.1, Ed25519, type 0x04): a witness signs a checkpoint's text
 * together with the time at which it saw it, after it proved to itself that the log only grew. The signed
 * message does not carry the cosigner's name, so one key must never serve two witnesses.
 */
import { sign, verify } from 'node:crypto'
import {
  ed25519PrivateKey,
  ed25519PublicKey,
  hex8,
  keyIdOf,
  NoteError,
  type NoteSignature,
  type NoteVerifier,
  parseKey,
} from './note.ts'

export type CosignatureSigner = {
  readonly name: string
  readonly keyId: number
  readonly verifierKey: string
  /** `unixSeconds` is the time of the cosignature; `text` the checkpoint without its signatures. */
  cosign(text: string, unixSeconds: bigint): NoteSignature
}

const cosignatureType = 0x04
const timestampBytes = 8
const signatureBytes = 64

/** Verifier of `<name>+<8 hex>+<base64(0x04 ‖ public key)>`. Throws `NoteError` for anything else. */
export function parseCosignatureKey(verifierKey: string): NoteVerifier {
  const { name, keyId, type, key } = parseKey(verifierKey.split('+'), 32)
  if (type !== cosignatureType)
    throw new NoteError(`algorithm ${type} of key ${name} is no Ed25519 cosignature (4)`)
  if (keyIdOf(name, type, key) !== keyId) throw new NoteError(`key id of ${name} does not match the key`)
  const publicKey = ed25519PublicKey(key)
  return {
    name,
    keyId,
    verify: (text, signature) => {
      const time = timeOf(signature)
      return (
        time !== undefined &&
        verify(null, message(Buffer.from(text), time), publicKey, signature.subarray(timestampBytes))
      )
    },
  }
}

/** Cosigner named `name` from a 32-byte Ed25519 seed (RFC 8032 5.1.5). */
export function cosignatureSigner(name: string, seed: Uint8Array): CosignatureSigner {
  const { privateKey, key } = ed25519PrivateKey(seed)
  const keyId = keyIdOf(name, cosignatureType, key)
  const verifierKey = `${name}+${hex8(keyId)}+${Buffer.concat([Buffer.of(cosignatureType), key]).toString('base64')}`
  // Refuses a name that no note could carry.
  parseCosignatureKey(verifierKey)
  return {
    name,
    keyId,
    verifierKey,
    cosign: (text, unixSeconds) => {
      const time = Buffer.alloc(timestampBytes)
      time.writeBigInt64BE(unixSeconds)
      const signature = sign(null, message(Buffer.from(text), unixSeconds), privateKey)
      return { name, keyId, signature: Buffer.concat([time, signature]) }
    },
  }
}

/** When the cosignature was made, Unix seconds. Throws `NoteError` for what is no cosignature. */
export function cosignedAt({ name, signature }: NoteSignature): bigint {
  const time = timeOf(signature)
  if (time === undefined)
    throw new NoteError(`the cosignature of ${name} is not ${timestampBytes + signatureBytes} bytes`)
  return time
}

function timeOf(signature: Uint8Array): bigint | undefined {
  if (signature.length !== timestampBytes + signatureBytes) return undefined
  const time = Buffer.from(signature).readBigUInt64BE(0)
  return time < 1n << 63n ? time : undefined
}

const message = (text: Uint8Array, time: bigint): Buffer =>
  Buffer.concat([Buffer.from(`cosignature/v1\ntime ${time}\n`), text])
