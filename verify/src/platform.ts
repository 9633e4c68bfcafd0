/**
 * What the verifier asks of its surroundings: Node (`platform-node.ts`) and a browser page opened from disk
 * (`platform-browser.ts`) give the same. Hashing is synchronous: an extract has several hashes an event.
 */

import type { HashName } from './signature-algorithms.ts'

/** A file that can be read at any offset; never held in memory as a whole. */
export type RandomAccess = {
  readonly size: number
  read(offset: number, length: number): Promise<Uint8Array>
}

export type Hasher = { update(bytes: Uint8Array): void; digest(): Uint8Array }

export type Platform = {
  sha256(): Hasher
  /** SHA-256 of the bytes. */
  hash(bytes: Uint8Array): Uint8Array
  /** SHA-256(0x00 ‖ UTF-8 of the text): RFC 6962 hash of a leaf that is this text. */
  leafHash(text: string): Uint8Array
  crc32(bytes: Uint8Array, before: number): number
  /** Raw deflate (RFC 1951). Throws when the stream is broken, or goes on after its end. */
  inflate(compressed: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>
  digest(hash: HashName, bytes: Uint8Array): Promise<Uint8Array>
  /**
   * A signature of a certificate or token, by its algorithm's object identifier; ECDSA in DER. Throws `Refusal` for an
   * algorithm or key that is not known.
   */
  verifySignature(
    spki: Uint8Array,
    algorithm: string,
    message: Uint8Array,
    signature: Uint8Array,
  ): Promise<boolean>
  verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean>
}
