/** Whole numbers as LEB128 varints: seven bits a byte, low ones first, the top bit says that more follow. */

export function encodeVarints(numbers: readonly bigint[]): Buffer {
  const bytes: number[] = []
  for (const number of numbers) {
    if (number < 0n) throw new RangeError(`a varint is at least 0, not ${number}`)
    let rest = number
    while (rest >= 0x80n) {
      bytes.push(Number(rest & 0x7fn) | 0x80)
      rest >>= 7n
    }
    bytes.push(Number(rest))
  }
  return Buffer.from(bytes)
}

/** Throws RangeError when the last number is cut off. */
export function decodeVarints(bytes: Uint8Array): bigint[] {
  const numbers: bigint[] = []
  let number = 0n
  let shift = 0n
  for (const byte of bytes) {
    number |= BigInt(byte & 0x7f) << shift
    shift += 7n
    if (byte >= 0x80) continue
    numbers.push(number)
    number = 0n
    shift = 0n
  }
  if (shift !== 0n) throw new RangeError('a varint is cut off')
  return numbers
}
