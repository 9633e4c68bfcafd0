/**
 * The records under a heads statement (docs/formats/heads.md): where each stream of the whole log stood at one size.
 * Their root must be the stated one, their counts must sum to the size; then a stream's count leaves no room after it.
 */
import { fromBase64, toBase64 } from './bytes.ts'
import { isObject, parseCanonical } from './canonical.ts'
import { count } from './manifest.ts'
import type { Platform } from './platform.ts'
import { Refusal } from './refusal.ts'
import { growingTree } from './tree.ts'

export type HeadRecord = { readonly count: number; readonly lastIndex: number }

export type HeadsList = {
  readonly root: string
  readonly streams: number
  readonly total: number
  /** By base64 of the last leaf's hash, which no two streams share, as the leaf names its stream. */
  readonly byLastLeaf: ReadonlyMap<string, HeadRecord>
}

const maximumRecords = 10_000_000

export async function readHeads(
  lines: AsyncIterable<readonly string[]>,
  size: number,
  platform: Platform,
): Promise<HeadsList> {
  const tree = growingTree(platform)
  const byLastLeaf = new Map<string, HeadRecord>()
  const lastIndexes = new Set<number>()
  let keyBefore = ''
  let total = 0
  for await (const some of lines)
    for (const line of some) {
      if (byLastLeaf.size >= maximumRecords) throw new Refusal(`more than ${maximumRecords} records`)
      const record = parseRecord(line)
      if (record.streamKey <= keyBefore) throw new Refusal('the records do not ascend by stream key')
      keyBefore = record.streamKey
      if (record.count < 1 || record.lastIndex < record.count - 1 || record.lastIndex >= size)
        throw new Refusal(`a stream of ${record.count} events cannot end at ${record.lastIndex} of ${size}`)
      if (lastIndexes.has(record.lastIndex)) throw new Refusal(`two streams end at ${record.lastIndex}`)
      lastIndexes.add(record.lastIndex)
      if (byLastLeaf.has(record.lastLeafHash)) throw new Refusal('two streams have the same last event')
      byLastLeaf.set(record.lastLeafHash, { count: record.count, lastIndex: record.lastIndex })
      total += record.count
      tree.appendLeaf(platform.leafHash(line))
    }
  if (tree.size === 0) throw new Refusal('there are no records')
  if (total !== size)
    throw new Refusal(`the counts sum to ${total}, but the statement is about ${size} events`)
  return { root: toBase64(tree.root()), streams: tree.size, total, byLastLeaf }
}

function parseRecord(line: string) {
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
    streamKey: [...key].map((byte) => byte.toString(16).padStart(2, '0')).join(''),
  }
}
