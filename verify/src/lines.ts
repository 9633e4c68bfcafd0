/** Lines and fixed-length pieces of a stream of bytes, with bounds; nothing is held beyond one chunk and one line. */
import { equalBytes } from './bytes.ts'
import { Refusal } from './refusal.ts'

const maximumLineLength = 4 << 20

/** The lines of each chunk, without their line feeds; the last line must have one. Throws `Refusal`. */
export async function* linesOf(
  bytes: AsyncIterable<Uint8Array>,
  what: string,
): AsyncIterable<readonly string[]> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let rest = ''
  const decode = (chunk?: Uint8Array) => {
    try {
      return chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode()
    } catch {
      throw new Refusal(`${what} is not valid UTF-8`)
    }
  }
  for await (const chunk of bytes) {
    const lines = (rest + decode(chunk)).split('\n')
    rest = lines.pop() as string
    if (rest.length > maximumLineLength)
      throw new Refusal(`${what} has a line of more than ${maximumLineLength} bytes`)
    if (lines.length > 0) yield lines
  }
  if (rest + decode() !== '') throw new Refusal(`the last line of ${what} has no line feed`)
}

export type Pieces = {
  /** Bytes that `take` gives without waiting. */
  readonly held: number
  /** Waits until `length` bytes are held, or the stream has ended. */
  fill(length: number): Promise<void>
  /** Undefined when fewer are held. */
  take(length: number): Uint8Array | undefined
  /** How many pieces of this length stand before the next one that equals it, among those held; undefined: none does. */
  ahead(piece: Uint8Array): number | undefined
  /** Reads on to the end; the number of bytes nobody took. */
  drain(): Promise<number>
}

export function piecesOf(bytes: AsyncIterable<Uint8Array>): Pieces {
  const iterator = bytes[Symbol.asyncIterator]()
  let held = new Uint8Array(0)
  let at = 0
  let isEnded = false
  async function fill(length: number): Promise<void> {
    while (!isEnded && held.length - at < length) {
      const next = await iterator.next()
      if (next.done) isEnded = true
      else {
        const joined = new Uint8Array(held.length - at + next.value.length)
        joined.set(held.subarray(at))
        joined.set(next.value, held.length - at)
        held = joined
        at = 0
      }
    }
  }
  return {
    get held() {
      return held.length - at
    },
    fill,
    take: (length) => {
      if (held.length - at < length) return undefined
      at += length
      return held.subarray(at - length, at)
    },
    ahead: (piece) => {
      for (let place = at; place + piece.length <= held.length; place += piece.length)
        if (equalBytes(held.subarray(place, place + piece.length), piece)) return (place - at) / piece.length
      return undefined
    },
    drain: async () => {
      let left = held.length - at
      at = held.length
      for (;;) {
        const next = await iterator.next()
        if (next.done) return left
        left += next.value.length
      }
    },
  }
}
