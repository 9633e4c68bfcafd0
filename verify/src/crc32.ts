/** CRC-32 as zip uses it (ISO 3309), four bytes a step. */
const tables = makeTables()

export function crc32(bytes: Uint8Array, before: number): number {
  const [first, second, third, fourth] = tables as [Uint32Array, Uint32Array, Uint32Array, Uint32Array]
  let crc = ~before
  let at = 0
  for (const end = bytes.length - 3; at < end; at += 4) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    crc =
      fourth[crc & 255]! ^
      third[(crc >>> 8) & 255]! ^
      second[(crc >>> 16) & 255]! ^
      first[(crc >>> 24) & 255]!
  }
  for (; at < bytes.length; at++) crc = first[(crc ^ bytes[at]!) & 255]! ^ (crc >>> 8)
  return ~crc >>> 0
}

function makeTables(): Uint32Array[] {
  const [first, ...more] = Array.from({ length: 4 }, () => new Uint32Array(256)) as [
    Uint32Array,
    ...Uint32Array[],
  ]
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1
    first[byte] = crc
  }
  let before = first
  for (const table of more) {
    for (let byte = 0; byte < 256; byte++) table[byte] = (before[byte]! >>> 8) ^ first[before[byte]! & 255]!
    before = table
  }
  return [first, ...more]
}
