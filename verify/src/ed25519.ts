/**
 * Ed25519 verification (RFC 8032 5.1.7) on BigInt with SHA-512 (FIPS 180-4 6.4), for browsers whose WebCrypto
 * has no Ed25519. Slow (tens of milliseconds) and only ever run on public data; a file has a handful of signatures.
 */
import { concat, equalBytes } from './bytes.ts'

const p = 2n ** 255n - 19n
const order = 2n ** 252n + 27742317777372353535851937790883648493n
const d = modulo(-121665n * inverse(121666n))
const squareRootOfMinusOne = power(2n, (p - 1n) / 4n)

/** Extended coordinates (X : Y : Z : T), x = X/Z, y = Y/Z, xy = T/Z. */
type Point = readonly [bigint, bigint, bigint, bigint]

const neutral: Point = [0n, 1n, 1n, 0n]
const baseY = modulo(4n * inverse(5n))
const base = lift(baseY, 0n) as Point

export function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  const s = littleEndian(signature.subarray(32))
  if (s >= order) return false
  const key = decode(publicKey)
  if (!key) return false
  const encodedR = signature.subarray(0, 32)
  const k = littleEndian(sha512(concat(encodedR, publicKey, message))) % order
  // R = s·B − k·A, compared as it is encoded.
  const [x, y, z, t] = multiply(k, key)
  const r = add(multiply(s, base), [modulo(-x), y, z, modulo(-t)])
  return equalBytes(encode(r), encodedR)
}

function decode(bytes: Uint8Array): Point | undefined {
  const whole = littleEndian(bytes)
  const y = whole & (2n ** 255n - 1n)
  return y < p ? lift(y, whole >> 255n) : undefined
}

function lift(y: bigint, sign: bigint): Point | undefined {
  const numerator = modulo(y * y - 1n)
  const denominator = modulo(d * y * y + 1n)
  const square = modulo(numerator * inverse(denominator))
  let x = power(square, (p + 3n) / 8n)
  if (modulo(x * x - square) !== 0n) x = modulo(x * squareRootOfMinusOne)
  if (modulo(x * x - square) !== 0n) return undefined
  if (x === 0n && sign === 1n) return undefined
  if ((x & 1n) !== sign) x = p - x
  return [x, y, 1n, modulo(x * y)]
}

function encode([x, y, z]: Point): Uint8Array {
  const scale = inverse(z)
  const whole = modulo(y * scale) | ((modulo(x * scale) & 1n) << 255n)
  return Uint8Array.from({ length: 32 }, (_, at) => Number((whole >> BigInt(8 * at)) & 255n))
}

function add([x1, y1, z1, t1]: Point, [x2, y2, z2, t2]: Point): Point {
  const a = modulo((y1 - x1) * (y2 - x2))
  const b = modulo((y1 + x1) * (y2 + x2))
  const c = modulo(2n * t1 * t2 * d)
  const e = modulo(2n * z1 * z2)
  const [f, g, h, i] = [b - a, e - c, e + c, b + a]
  return [modulo(f * g), modulo(h * i), modulo(g * h), modulo(f * i)]
}

function multiply(scalar: bigint, point: Point): Point {
  let sum = neutral
  let doubled = point
  for (let rest = scalar; rest > 0n; rest >>= 1n) {
    if (rest & 1n) sum = add(sum, doubled)
    doubled = add(doubled, doubled)
  }
  return sum
}

function modulo(value: bigint): bigint {
  const rest = value % p
  return rest < 0n ? rest + p : rest
}

function power(value: bigint, exponent: bigint): bigint {
  let result = 1n
  let squared = modulo(value)
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = modulo(result * squared)
    squared = modulo(squared * squared)
  }
  return result
}

function inverse(value: bigint): bigint {
  return power(value, p - 2n)
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((whole, byte) => (whole << 8n) | BigInt(byte), 0n)
}

const mask64 = 2n ** 64n - 1n
const primes80 = primes(80)
const constants512 = primes80.map((prime) => rootFraction(prime, 3n))
const initial512 = primes80.slice(0, 8).map((prime) => rootFraction(prime, 2n))

export function sha512(message: Uint8Array): Uint8Array {
  const tail = new Uint8Array(17 + ((128 - ((message.length + 17) % 128)) % 128))
  tail[0] = 0x80
  new DataView(tail.buffer).setBigUint64(tail.length - 8, BigInt(message.length) * 8n)
  const padded = concat(message, tail)
  const view = new DataView(padded.buffer)
  const state = initial512.slice()
  for (let offset = 0; offset < padded.length; offset += 128) {
    const w: bigint[] = []
    for (let t = 0; t < 16; t++) w.push(view.getBigUint64(offset + 8 * t))
    for (let t = 16; t < 80; t++) {
      const [x, y] = [w[t - 15]!, w[t - 2]!]
      const s0 = rotate(x, 1n) ^ rotate(x, 8n) ^ (x >> 7n)
      const s1 = rotate(y, 19n) ^ rotate(y, 61n) ^ (y >> 6n)
      w.push((w[t - 16]! + s0 + w[t - 7]! + s1) & mask64)
    }
    let [a, b, c, e0, e, f, g, h] = state as [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint]
    for (let t = 0; t < 80; t++) {
      const s1 = rotate(e, 14n) ^ rotate(e, 18n) ^ rotate(e, 41n)
      const one = h + s1 + ((e & f) ^ (~e & mask64 & g)) + constants512[t]! + w[t]!
      const s0 = rotate(a, 28n) ^ rotate(a, 34n) ^ rotate(a, 39n)
      const two = s0 + ((a & b) ^ (a & c) ^ (b & c))
      h = g
      g = f
      f = e
      e = (e0 + one) & mask64
      e0 = c
      c = b
      b = a
      a = (one + two) & mask64
    }
    for (const [at, word] of [a, b, c, e0, e, f, g, h].entries()) state[at] = (state[at]! + word) & mask64
  }
  const digest = new DataView(new ArrayBuffer(64))
  for (const [at, word] of state.entries()) digest.setBigUint64(8 * at, word)
  return new Uint8Array(digest.buffer)
}

function rotate(word: bigint, by: bigint): bigint {
  return ((word >> by) | (word << (64n - by))) & mask64
}

/** The first 64 bits after the point of the square or cube root. */
function rootFraction(prime: bigint, degree: bigint): bigint {
  const scaled = prime << (64n * degree)
  let low = 0n
  let high = prime << 64n
  while (high - low > 1n) {
    const middle = (low + high) >> 1n
    if (middle ** degree <= scaled) low = middle
    else high = middle
  }
  return low & mask64
}

function primes(count: number): bigint[] {
  const found: bigint[] = []
  for (let candidate = 2n; found.length < count; candidate++)
    if (found.every((prime) => candidate % prime !== 0n)) found.push(candidate)
  return found
}
