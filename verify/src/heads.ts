/**
 * The records under a heads statement (docs/formats/heads.md): where each stream of the whole log stood at one size.
 * Their root must be the stated one, their counts must sum to the size; then a stream's count leaves no room after it.
 */
import { fromBase64, toBase64, toHex, utf8 } from './bytes.ts'
import { isObject, parseCanonical } from './canonical.ts'
import { count } from './manifest.ts'
import type { Platform } from './platform.ts'
import { Refusal } from './refusal.ts'
import { growingTree } from './tree.ts'

export type HeadRecord = {
  /** Hexadecimal digits. */
  readonly streamKey: string
  readonly count: number
  readonly lastIndex: number
  /** Base64. */
  readonly lastLeafHash: string
}

export type HeadsList = {
  readonly root: string
  readonly streams: number
  /** What the list says of a stream whose key anybody can compute; undefined: the log had no event of it. */
  recordOf(stream: string): HeadRecord | undefined
}

/** What the statement in the log claims of its list. */
export type Stated = { readonly size: number; readonly streams: number }

const maximumRecords = 10_000_000

/** Of a batch's and of the ledger's own streams: SHA-256, in hexadecimal digits. */
export function streamKeyOf(origin: string, stream: string, platform: Platform): string {
  return toHex(platform.hash(utf8(`bioprocess-ledger/stream/v1\n${origin}\n${stream}`)))
}

/** Records of `streams` are kept; `each` sees all. No more are read than the statement counts. Throws `Refusal`. */
export async function readHeads(
  lines: AsyncIterable<readonly string[]>,
  stated: Stated,
  origin: string,
  streams: readonly string[],
  platform: Platform,
  each: (record: HeadRecord) => void = () => {},
): Promise<HeadsList> {
  const tree = growingTree(platform)
  const keys = new Map(streams.map((stream) => [streamKeyOf(origin, stream, platform), stream]))
  const kept = new Map<string, HeadRecord>()
  const lastIndexes: number[] = []
  const { size } = stated
  let keyBefore = ''
  let total = 0
  for await (const some of lines)
    for (const line of some) {
      if (tree.size >= Math.min(stated.streams, maximumRecords))
        throw new Refusal(`there are more records than the ${stated.streams} that the statement counts`)
      const record = parseRecord(line)
      if (record.streamKey <= keyBefore) throw new Refusal('the records do not ascend by stream key')
      keyBefore = record.streamKey
      if (record.count < 1 || record.lastIndex < record.count - 1 || record.lastIndex >= size)
        throw new Refusal(`a stream of ${record.count} events cannot end at ${record.lastIndex} of ${size}`)
      lastIndexes.push(record.lastIndex)
      const stream = keys.get(record.streamKey)
      if (stream !== undefined) kept.set(stream, record)
      each(record)
      total += record.count
      tree.appendLeaf(platform.leafHash(line))
    }
  if (tree.size === 0) throw new Refusal('there are no records')
  if (total !== size)
    throw new Refusal(`the counts sum to ${total}, but the statement is about ${size} events`)
  const sorted = Float64Array.from(lastIndexes).sort()
  const twice = sorted.find((index, at) => at > 0 && index === sorted[at - 1])
  if (twice !== undefined) throw new Refusal(`two streams end at ${twice}`)
  return { root: toBase64(tree.root()), streams: tree.size, recordOf: (stream) => kept.get(stream) }
}

function parseRecord(line: string): HeadRecord {
  const record = parseCanonical(line, 'a record')
  if (!isObject(record) || Object.keys(record).join() !== 'count,lastIndex,lastLeafHash,streamKey')
    throw new Refusal('a record is not count, lastIndex, lastLeafHash and streamKey')
  const { lastLeafHash, streamKey } = record
  const key = typeof streamKey === 'string' ? fromBase64(streamKey) : undefined
  if (typeof lastLeafHash !== 'string' || fromBase64(lastLeafHash)?.length !== 32 || key?.length !== 32)
    throw new Refusal('a record has a hash that is not 32 bytes in base64')
  return {
    count: count(record.count, 'count'),
    lastIndex: count(record.lastIndex, 'lastIndex'),
    lastLeafHash,
    // Hexadecimal digits sort as the bytes do, base64 does not.
    streamKey: toHex(key),
  }
}
