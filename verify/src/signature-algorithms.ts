/** Signature algorithms of certificates and tokens, by object identifier: RSA PKCS #1 v1.5 and ECDSA, SHA-2. */
import { toHex } from './bytes.ts'
import { at, elements, inside, oid, tags } from './der.ts'
import { Refusal } from './refusal.ts'

export type HashName = 'SHA-1' | 'SHA-256' | 'SHA-384' | 'SHA-512'
export type SignatureKind = { readonly kind: 'RSA' | 'ECDSA'; readonly hash: HashName }
export type PublicKind =
  | { readonly kind: 'RSA' }
  | { readonly kind: 'ECDSA'; readonly curve: 'P-256' | 'P-384' }

export const hashes: Readonly<Record<string, HashName>> = {
  '608648016503040201': 'SHA-256',
  '608648016503040202': 'SHA-384',
  '608648016503040203': 'SHA-512',
}
const signatures: Readonly<Record<string, SignatureKind>> = {
  '2a864886f70d01010b': { kind: 'RSA', hash: 'SHA-256' },
  '2a864886f70d01010c': { kind: 'RSA', hash: 'SHA-384' },
  '2a864886f70d01010d': { kind: 'RSA', hash: 'SHA-512' },
  '2a8648ce3d040302': { kind: 'ECDSA', hash: 'SHA-256' },
  '2a8648ce3d040303': { kind: 'ECDSA', hash: 'SHA-384' },
  '2a8648ce3d040304': { kind: 'ECDSA', hash: 'SHA-512' },
}
const rsaEncryption = '2a864886f70d010101'
const ecPublicKey = '2a8648ce3d0201'
const curves: Readonly<Record<string, 'P-256' | 'P-384'>> = {
  '2a8648ce3d030107': 'P-256',
  '2b81040022': 'P-384',
}
const [shortestModulus, longestModulus] = [2048 / 8, 8192 / 8]

/** In CMS plain `rsaEncryption` may stand, and the digest's algorithm says the rest. */
export function withDigest(algorithm: string, digest: HashName): string {
  if (algorithm !== rsaEncryption) return algorithm
  const [found] =
    Object.entries(signatures).find(([, { kind, hash }]) => kind === 'RSA' && hash === digest) ?? []
  return found ?? algorithm
}

/** Throws `Refusal` for an algorithm that is not known here. */
export function signatureKind(algorithm: string): SignatureKind {
  const known = signatures[algorithm]
  if (!known) throw new Refusal(`its signature is of the unknown algorithm ${algorithm}`)
  return known
}

/** What the key of a SubjectPublicKeyInfo is. Throws `Refusal` for others, and for RSA below 2,048 bits or above 8,192. */
export function publicKind(spki: Uint8Array): PublicKind {
  const parts = inside(elements(spki), 0, tags.sequence)
  const identifier = inside(parts, 0, tags.sequence)
  const kind = oid(identifier, 0)
  if (kind === ecPublicKey) {
    const curve = curves[oid(identifier, 1)]
    if (!curve) throw new Refusal('its key is on an unknown curve')
    return { kind: 'ECDSA', curve }
  }
  if (kind !== rsaEncryption) throw new Refusal('its key is of an unknown algorithm')
  const bits = at(parts, 1, tags.bits).bytes.subarray(1)
  const modulus = at(inside(elements(bits), 0, tags.sequence), 0, tags.integer).bytes
  const length = modulus.length - (modulus[0] === 0 ? 1 : 0)
  if (length < shortestModulus || length > longestModulus)
    throw new Refusal('its RSA key has fewer than 2048 bits, or more than 8192')
  return { kind: 'RSA' }
}

/** ECDSA: `r` and `s` side by side, as WebCrypto takes them, from the DER of RFC 3279 2.2.3. */
export function sideBySide(signature: Uint8Array, curve: 'P-256' | 'P-384'): Uint8Array | undefined {
  const length = curve === 'P-256' ? 32 : 48
  const numbers = inside(elements(signature), 0, tags.sequence)
  const whole = new Uint8Array(2 * length)
  for (const place of [0, 1]) {
    const digits = at(numbers, place, tags.integer).bytes
    const plain = digits[0] === 0 ? digits.subarray(1) : digits
    if (plain.length > length || toHex(digits) === '') return undefined
    whole.set(plain, (place + 1) * length - plain.length)
  }
  return whole
}
