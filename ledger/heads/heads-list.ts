/**
 * The list of all streams' heads at a log size, and its root: an RFC 6962 tree over the canonical records in the order
 * of their keys. Every entry of the log belongs to exactly one stream, so the counts sum to the size: to hide an event
 * of one stream, another one would have to claim an event that it does not have. Format: docs/formats/heads.md.
 */
import { createHash, createHmac } from 'node:crypto'
import { canonicalJson } from '../../schemas/canonical-json.ts'
import { emptyRoot, leafHash, nodeHash } from '../log/tree-hash.ts'

/** What a statement says of one stream. */
export type HeadRecord = {
  /** 32 bytes: see `streamKeyOf`. */
  readonly streamKey: Buffer
  /** Events of the stream among the first `size` entries: its last revision + 1. */
  readonly count: bigint
  /** Log index of its last revision. */
  readonly lastIndex: bigint
  /** Leaf hash of its last revision. */
  readonly lastLeafHash: Buffer
}

export class HeadsError extends Error {
  readonly code = 'heads'
  constructor(readonly rule: string) {
    super(`heads refused: ${rule}`)
  }
}

/** What the keys of one log's streams are made with. */
export type StreamNaming = { readonly siteKey: Uint8Array; readonly origin: string }

/** Names that end in a UUID, which nobody guesses, and the ledger's own. */
const verifiableName = /^ledger-|-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * What a statement calls a stream. Whoever knows of a batch computes the keys of its streams, and sees that they are
 * listed or that they are not. Names that could be guessed are hidden under the site's key: whoever is shown a list learns
 * nothing of other vessels, campaigns or people.
 */
export function streamKeyOf({ siteKey, origin }: StreamNaming, stream: string): Buffer {
  return verifiableName.test(stream)
    ? createHash('sha256').update(`bioprocess-ledger/stream/v1\n${origin}\n${stream}`).digest()
    : createHmac('sha256', siteKey).update(stream).digest()
}

/** RFC 8785 text of a record: the entry of the heads tree. */
export function recordText({ streamKey, count, lastIndex, lastLeafHash }: HeadRecord): string {
  return canonicalJson({
    count: String(count),
    lastIndex: String(lastIndex),
    lastLeafHash: lastLeafHash.toString('base64'),
    streamKey: streamKey.toString('base64'),
  })
}

export const sortedByKey = (records: readonly HeadRecord[]): HeadRecord[] =>
  [...records].sort((one, other) => Buffer.compare(one.streamKey, other.streamKey))

/**
 * Root of the records. Throws `HeadsError` unless they ascend strictly by key, each counts at least one event, each
 * last index fits its count and the size, no two share a last index, and the counts sum to `size`.
 */
export function headsRoot(records: readonly HeadRecord[], size: bigint): Buffer {
  let total = 0n
  let before: Buffer | undefined
  const lastIndexes = new Set<bigint>()
  for (const { streamKey, count, lastIndex } of records) {
    if (before && Buffer.compare(before, streamKey) >= 0)
      throw new HeadsError('records ascend strictly by stream key')
    before = streamKey
    if (count < 1n) throw new HeadsError(`a stream counts ${count} events, expected at least 1`)
    if (lastIndex < count - 1n || lastIndex >= size)
      throw new HeadsError(`${count} events cannot end at index ${lastIndex} of ${size}`)
    if (lastIndexes.has(lastIndex)) throw new HeadsError(`two streams end at index ${lastIndex}`)
    lastIndexes.add(lastIndex)
    total += count
  }
  if (total !== size) throw new HeadsError(`the counts sum to ${total}, the log has ${size} entries`)
  return treeRoot(records.map((record) => leafHash(Buffer.from(recordText(record)))))
}

/** MTH (RFC 6962 2.1) of leaf hashes, level by level: an odd last node moves up unchanged, which gives the same tree. */
function treeRoot(hashes: readonly Buffer[]): Buffer {
  if (hashes.length === 0) return emptyRoot
  let level = hashes
  while (level.length > 1) {
    const above: Buffer[] = []
    for (let at = 0; at < level.length; at += 2) {
      const [left, right] = [level[at] as Buffer, level[at + 1]]
      above.push(right ? nodeHash(left, right) : left)
    }
    level = above
  }
  return level[0] as Buffer
}
