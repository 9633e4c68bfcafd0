/**
 * Ids are UUIDs of version 7 (RFC 9562 5.7): time first, so that indexes grow at their end.
 * A reading's id is derived, not drawn: the same reading delivered again is the same event.
 */
import { hash } from 'node:crypto'

/** UUIDv7 from a time in ms since the epoch and at least 10 bytes of randomness (the caller brings both). */
export function uuidV7(unixMs: number, random: Uint8Array): string {
  const bytes = Buffer.alloc(16)
  bytes.writeUIntBE(Math.max(0, Math.min(unixMs, 0xffff_ffff_ffff)), 0, 6)
  bytes.set(random.subarray(0, 10), 6)
  bytes[6] = (bytes[6]! & 0x0f) | 0x70
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** Id derived from what identifies a thing; the same parts give the same id at any time on any machine. */
export function derivedId(unixMs: number, ...parts: (string | number)[]): string {
  let text = ''
  for (const part of parts) text += `${String(part).length}:${part};`
  return uuidV7(unixMs, hash('sha256', text, 'buffer'))
}

/** Id of a reading: vessel, canonical tag, source time and the source's sequence number (where it has one). */
export function readingId(reading: {
  vessel: string
  tag: string
  atMs: number
  seq?: number | undefined
}): string {
  return derivedId(reading.atMs, 'reading/v1', reading.vessel, reading.tag, reading.atMs, reading.seq ?? '')
}
