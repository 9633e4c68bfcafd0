/** SHA-256 (FIPS 180-4 6.2) in plain JavaScript, incremental and synchronous, for browsers. */
import type { Hasher } from './platform.ts'

const roundConstants = Uint32Array.from(primes(64), (prime) => fraction(Math.cbrt(prime)))
const initialState = Uint32Array.from(primes(8), (prime) => fraction(Math.sqrt(prime)))
const schedule = new Uint32Array(64)

export function sha256(): Hasher {
  const state = initialState.slice()
  const block = new Uint8Array(64)
  let held = 0
  let length = 0
  function update(bytes: Uint8Array): void {
    length += bytes.length
    let at = 0
    if (held > 0) {
      const taken = Math.min(64 - held, bytes.length)
      block.set(bytes.subarray(0, taken), held)
      held += taken
      at = taken
      if (held < 64) return
      compress(state, block, 0)
      held = 0
    }
    for (; at + 64 <= bytes.length; at += 64) compress(state, bytes, at)
    if (at < bytes.length) {
      block.set(bytes.subarray(at), 0)
      held = bytes.length - at
    }
  }
  function digest(): Uint8Array {
    const bits = length * 8
    const padding = new Uint8Array((held < 56 ? 56 : 120) - held + 8)
    padding[0] = 0x80
    const view = new DataView(padding.buffer)
    view.setUint32(padding.length - 8, Math.floor(bits / 0x1_0000_0000))
    view.setUint32(padding.length - 4, bits >>> 0)
    update(padding)
    const digest = new Uint8Array(32)
    const words = new DataView(digest.buffer)
    for (const [at, word] of state.entries()) words.setUint32(4 * at, word)
    return digest
  }
  return { update, digest }
}

function compress(state: Uint32Array, bytes: Uint8Array, offset: number): void {
  const w = schedule
  for (let t = 0, at = offset; t < 16; t++, at += 4)
    w[t] = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
  for (let t = 16; t < 64; t++) {
    const x = w[t - 15]!
    const y = w[t - 2]!
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10)
    w[t] = (w[t - 16]! + s0 + w[t - 7]! + s1) | 0
  }
  let a = state[0]! | 0
  let b = state[1]! | 0
  let c = state[2]! | 0
  let d = state[3]! | 0
  let e = state[4]! | 0
  let f = state[5]! | 0
  let g = state[6]! | 0
  let h = state[7]! | 0
  for (let t = 0; t < 64; t++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))
    const one = (h + s1 + ((e & f) ^ (~e & g)) + roundConstants[t]! + w[t]!) | 0
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))
    const two = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g
    g = f
    f = e
    e = (d + one) | 0
    d = c
    c = b
    b = a
    a = (one + two) | 0
  }
  state[0] = state[0]! + a
  state[1] = state[1]! + b
  state[2] = state[2]! + c
  state[3] = state[3]! + d
  state[4] = state[4]! + e
  state[5] = state[5]! + f
  state[6] = state[6]! + g
  state[7] = state[7]! + h
}

/** The first 32 bits after the point; a double carries enough of them for roots of the first 64 primes. */
function fraction(root: number): number {
  return Math.floor((root - Math.floor(root)) * 0x1_0000_0000)
}

function primes(count: number): number[] {
  const found: number[] = []
  for (let candidate = 2; found.length < count; candidate++)
    if (found.every((prime) => candidate % prime !== 0)) found.push(candidate)
  return found
}
