/**
 * Every stream of the whole log, entry by entry: revisions without a gap, each naming the one before it; and at the size
 * of the heads statement the list that the extract carries, which must count each stream as the log does. So an event that
 * was counted for an invented stream is found.
 */
import { toBase64 } from './bytes.ts'
import { headsMember } from './completeness.ts'
import type { Place } from './findings.ts'
import { type HeadRecord, readHeads, streamKeyOf } from './heads.ts'
import { linesOf } from './lines.ts'
import type { Platform } from './platform.ts'
import { Refusal } from './refusal.ts'
import { bulkStreams } from './streams.ts'
import type { Examined } from './verify.ts'

type Head = { count: number; lastIndex: number; lastHash: string }
/** What an entry says of its place. */
export type Placed = {
  readonly stream: string
  readonly revision: string
  readonly prev: string | null
  readonly index: number
  readonly hash: Uint8Array
}
export type AllStreams = {
  /** What is wrong with its place in its stream, or undefined. */
  apply(entry: Placed): string | undefined
  /** Call when exactly the entries below the statement's size were applied. Gives what the list says otherwise. */
  compare(): Promise<readonly { readonly message: string; readonly event?: Place }[]>
}

export function followAll(examined: Examined, platform: Platform): AllStreams {
  const heads = new Map<string, Head>()
  return {
    apply: ({ stream, revision, prev, index, hash }) => {
      const head = heads.get(stream)
      const count = head?.count ?? 0
      const isNext = revision === String(count) && prev === (head?.lastHash ?? null)
      const lastHash = toBase64(hash)
      if (head) Object.assign(head, { count: count + 1, lastIndex: index, lastHash })
      else heads.set(stream, { count: 1, lastIndex: index, lastHash })
      return isNext ? undefined : `it does not follow the ${count} events before it in its stream`
    },
    compare: async () => await compareHeads(heads, examined, platform),
  }
}

async function compareHeads(
  heads: ReadonlyMap<string, Head>,
  { manifest, extract, reading }: Examined,
  platform: Platform,
) {
  if (!manifest.heads || !reading.statement || !extract.has(headsMember)) return []
  const { size } = manifest.heads
  const listed = new Map<string, HeadRecord>()
  const lines = linesOf(extract.bytes(headsMember), headsMember)
  const stated = { size, streams: Number(reading.statement.data.streams) }
  try {
    await readHeads(lines, stated, manifest.origin, [], platform, (record) =>
      listed.set(record.lastLeafHash, record),
    )
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return [{ message: error.message }]
  }
  const { batchId } = manifest
  const verifiable = new Set([`batch-${batchId}`, ...bulkStreams(batchId)])
  const found: { message: string; event?: Place }[] = []
  for (const [stream, { count, lastIndex, lastHash }] of heads) {
    const record = listed.get(lastHash)
    const isKey =
      !(verifiable.has(stream) || stream.startsWith('ledger-')) ||
      record?.streamKey === streamKeyOf(manifest.origin, stream, platform)
    if (record?.count === count && record.lastIndex === lastIndex && isKey) continue
    const event = { stream, revision: count - 1, index: lastIndex }
    found.push({
      message: `the log has ${count} events of its stream, the heads statement says otherwise`,
      event,
    })
  }
  if (listed.size !== heads.size)
    found.push({ message: `the log has ${heads.size} streams, the heads statement lists ${listed.size}` })
  return found
}
