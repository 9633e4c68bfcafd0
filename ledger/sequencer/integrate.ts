/**
 * Turns events, in the store's order, into what is to be written of the log: chunks of entries with their hashes, tiles,
 * the places of revisions, the streams' heads, and the new size and root. Nothing is written here; a batch that could
 * not be written makes the integrator useless, and the log is opened anew.
 */
import type { RecordedEvent } from '../../schemas/event.ts'
import { leafText } from '../leaf/leaf.ts'
import { readingLeaf } from '../leaf/reading-leaf.ts'
import { hashSize, textLeafHash } from '../log/tree-hash.ts'
import { encodePositions, encodeRuns, packEntries } from '../storage/entry-codec.ts'
import type { CompactRange } from './compact-range.ts'
import type { PartialTiles, TileWrite } from './partial-tiles.ts'

export type StreamHead = {
  readonly streamKey: number
  readonly count: bigint
  readonly lastIndex: bigint
  /** Leaf hash of the last revision, base64: the next leaf's `prev`. */
  readonly lastHash: string
}

export type EntryChunk = {
  readonly firstIndex: bigint
  readonly count: number
  readonly entries: Buffer
  readonly hashes: Buffer
  readonly firstPosition: bigint
  readonly positions: Buffer | undefined
}

export type RunWrite = {
  readonly streamKey: number
  readonly firstRevision: bigint
  readonly count: number
  readonly firstIndex: bigint
  readonly runs: Buffer | undefined
}

export type Batch = {
  readonly sizeBefore: bigint
  readonly rootBefore: Buffer
  readonly size: bigint
  readonly root: Buffer
  readonly chunks: readonly EntryChunk[]
  readonly tiles: readonly TileWrite[]
  readonly runs: readonly RunWrite[]
  readonly heads: readonly (StreamHead & { readonly name: string })[]
  readonly last: RecordedEvent
  /** `HeadsStated` events: the size that each is about, and its index. */
  readonly statements: readonly { readonly size: string; readonly index: bigint }[]
  /** Something other than the ledger's own statements came. */
  readonly isSubstantial: boolean
}

/** The store gave an event that cannot follow what the log holds. */
export class EventOutOfOrderError extends Error {
  readonly code = 'event-out-of-order'
  constructor(
    readonly stream: string,
    readonly revision: bigint,
    readonly position: bigint,
    readonly expected: bigint,
  ) {
    super(
      `the event store gave revision ${revision} of ${stream} at position ${position}, but the log holds its revisions below ${expected}: ` +
        'the store lost or invented events',
    )
  }
}

export type Integrator = {
  /** `heads` of every stream of the events are known; `salts` by event id. At least one event. */
  integrate(events: readonly RecordedEvent[], salts: ReadonlyMap<string, Uint8Array>): Batch
}

export type IntegratorDeps = {
  readonly origin: string
  readonly range: CompactRange
  readonly tiles: PartialTiles
  readonly heads: Map<string, StreamHead>
  readonly nextStreamKey: () => number
}

/** Statements that the ledger makes about itself: no reason to make another one. */
const ownStatements = new Set(['HeadsStated', 'CheckpointTimeStamped'])
const chunkEntries = 256n

export function integrator(deps: IntegratorDeps): Integrator {
  const { origin, range, tiles, heads } = deps
  const fastLeaf = readingLeaf(origin)

  return {
    integrate(events, salts) {
      const sizeBefore = range.size()
      const rootBefore = range.root()
      const chunks: EntryChunk[] = []
      const places = new Map<string, { head: StreamHead; firstRevision: bigint; indexes: bigint[] }>()
      const statements: { size: string; index: bigint }[] = []
      let chunk = openChunk(sizeBefore)
      let index = sizeBefore
      let isSubstantial = false
      for (const event of events) {
        const head = heads.get(event.stream)
        const expected = head?.count ?? 0n
        if (event.revision !== expected)
          throw new EventOutOfOrderError(event.stream, event.revision, event.position, expected)
        const prev = head?.lastHash ?? null
        const text = fastLeaf(event, prev) ?? leafText(event, salts.get(event.id), prev, origin)
        const leaf = textLeafHash(text)
        range.append(leaf, tiles.add)
        chunk.add(text, leaf, event.position)
        const moved: StreamHead = {
          streamKey: head?.streamKey ?? deps.nextStreamKey(),
          count: expected + 1n,
          lastIndex: index,
          lastHash: leaf.toString('base64'),
        }
        heads.set(event.stream, moved)
        const place = places.get(event.stream)
        if (place) {
          place.head = moved
          place.indexes.push(index)
        } else places.set(event.stream, { head: moved, firstRevision: expected, indexes: [index] })
        if (event.type === 'HeadsStated') statements.push({ size: String(event.data.size), index })
        isSubstantial ||= !ownStatements.has(event.type)
        index++
        if (index % chunkEntries === 0n) {
          chunks.push(chunk.close())
          chunk = openChunk(index)
        }
      }
      if (!chunk.isEmpty()) chunks.push(chunk.close())
      return {
        sizeBefore,
        rootBefore,
        size: index,
        root: range.root(),
        chunks,
        tiles: tiles.takeChanged(),
        runs: [...places.values()].map(({ head, firstRevision, indexes }) => ({
          streamKey: head.streamKey,
          firstRevision,
          count: indexes.length,
          firstIndex: indexes[0] as bigint,
          runs: encodeRuns(indexes),
        })),
        heads: [...places].map(([name, { head }]) => ({ name, ...head })),
        last: events.at(-1) as RecordedEvent,
        statements,
        isSubstantial,
      }
    },
  }
}

const startBytes = 256 * 1024

function openChunk(firstIndex: bigint) {
  let bundle = Buffer.allocUnsafe(startBytes)
  let used = 0
  const hashes: Buffer[] = []
  const positions: bigint[] = []
  return {
    isEmpty: () => hashes.length === 0,
    add(text: string, hash: Buffer, position: bigint): void {
      const longest = text.length * 3
      if (used + 2 + longest > bundle.length)
        bundle = Buffer.concat([bundle.subarray(0, used)], Math.max(2 * bundle.length, used + 2 + longest))
      const length = bundle.write(text, used + 2)
      bundle.writeUInt16BE(length, used)
      used += 2 + length
      hashes.push(hash)
      positions.push(position)
    },
    close: (): EntryChunk => ({
      firstIndex,
      count: hashes.length,
      entries: packEntries(bundle.subarray(0, used)),
      hashes: Buffer.concat(hashes, hashes.length * hashSize),
      firstPosition: positions[0] as bigint,
      positions: encodePositions(positions),
    }),
  }
}
