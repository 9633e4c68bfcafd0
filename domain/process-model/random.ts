/**
 * Seeded random numbers for the simulator: sfc32 (C. Doty-Humphrey, PractRand; 128 bits of state, passes
 * BigCrush) seeded through a 32-bit FNV-1a hash of the label and a splitmix-style mixer. The same seed and label
 * give the same numbers on every machine; each signal draws from a stream of its own, so that switching one
 * source of noise off does not shift the others.
 */
export type RandomStream = {
  /** Uniform in [0, 1), 32 bits of resolution. */
  readonly uniform: () => number
  /** Standard normal (Marsaglia's polar method). */
  readonly normal: () => number
}

/** The stream named `label` of a run's `seed` (any integer that JavaScript represents exactly). */
export function randomStream(seed: number, label: string): RandomStream {
  const mix = mixer(hash(`${seed}/${label}`))
  let a = mix()
  let b = mix()
  let c = mix()
  let counter = 1

  const next = (): number => {
    const result = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + result
    c |= 0
    return result >>> 0
  }
  for (let warmUp = 0; warmUp < 12; warmUp++) next()

  const uniform = () => next() / 4294967296
  let spare: number | undefined
  const normal = (): number => {
    if (spare !== undefined) {
      const value = spare
      spare = undefined
      return value
    }
    for (;;) {
      const u = 2 * uniform() - 1
      const v = 2 * uniform() - 1
      const s = u * u + v * v
      if (s === 0 || s >= 1) continue
      const scale = Math.sqrt((-2 * Math.log(s)) / s)
      spare = v * scale
      return u * scale
    }
  }
  return { uniform, normal }
}

function hash(text: string): number {
  let state = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    state ^= text.charCodeAt(index)
    state = Math.imul(state, 0x01000193)
  }
  return state >>> 0
}

function mixer(start: number): () => number {
  let state = start
  return () => {
    state = (state + 0x9e3779b9) | 0
    let z = state
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
    return (z ^ (z >>> 16)) | 0
  }
}
