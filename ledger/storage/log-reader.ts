/**
 * The log as everybody but its sequencer sees it: published checkpoints, entries, hashes, and which entry is which
 * event. Nothing beyond the newest published checkpoint is ever given out. Indexes, sizes and revisions are `bigint`;
 * positions are the event store's. `postgresLogReader(pool)` makes one, which may be shared.
 *
 * Tiles, bundles, subtrees and roots are given out only as they were sealed: what does not lead to the root of a published
 * checkpoint throws `NotAsSealedError`, which names it, and is read again the next time. `entries` and `entriesOf` are
 * not held against their hashes: whoever proves something of them does that.
 */
import type { HeadRecord } from '../heads/heads-list.ts'
import type { SubtreeReader } from '../log/proof.ts'
import type { Tile } from '../log/tile.ts'

export type PublishedCheckpoint = {
  readonly size: bigint
  readonly root: Buffer
  /** The signed note as published, with the cosignatures that came in by now. */
  readonly note: string
  readonly signedAt: string
  /** Of the last event covered, index `size` − 1. */
  readonly position: bigint
  readonly eventId: string
  readonly recordedAt: string
}

export type LogEntry = { readonly index: bigint; readonly leaf: Buffer }

/** Revisions `revision` … `revision + count − 1` are entries `index` … `index + count − 1`. */
export type StreamRun = { readonly revision: bigint; readonly index: bigint; readonly count: number }

/** A heads statement whose event is in the log. */
export type HeadsStatement = {
  /** The log size that it is about; its own event stands at `index` ≥ `size`. */
  readonly size: bigint
  readonly index: bigint
  readonly root: Buffer
  readonly streams: bigint
}

export type LogReader = {
  /** First line of every checkpoint; undefined before the first sequencer ever ran. */
  origin(): Promise<string | undefined>
  /** Key of `streamKeyOf` (heads/heads-list.ts): what a stream is called in a heads statement. */
  siteKey(): Promise<Buffer>

  /** The newest published checkpoint; undefined while there is none. */
  head(): Promise<PublishedCheckpoint | undefined>
  checkpointOf(size: bigint): Promise<PublishedCheckpoint | undefined>
  /** The newest checkpoint all of whose events were recorded at or before that instant, or up to that position. */
  checkpointAtOrBefore(
    limit: { readonly recordedAt: string } | { readonly position: bigint } | { readonly size: bigint },
  ): Promise<PublishedCheckpoint | undefined>
  /** The oldest published checkpoint of at least `size` entries; undefined: not published yet. */
  checkpointCovering(size: bigint): Promise<PublishedCheckpoint | undefined>

  /** Entries `from` … `to` − 1 in order. Throws RangeError where no published checkpoint covers them. */
  entries(from: bigint, to: bigint): AsyncIterable<LogEntry>
  /** The entries of the runs, in the order of the runs; runs must ascend by index and not overlap. */
  entriesOf(runs: AsyncIterable<StreamRun> | Iterable<StreamRun>): AsyncIterable<LogEntry>

  /**
   * Where the revisions `from` … `to` (inclusive; default all) of a stream stand among the first `size` entries, in
   * order, as runs. What is not among them is left out; a stream that is not there gives nothing.
   */
  indexesOf(
    stream: string,
    range: { readonly from?: bigint; readonly to?: bigint; readonly size: bigint },
  ): AsyncIterable<StreamRun>

  /** The store's position of the entry; undefined when no published checkpoint covers it. */
  positionOf(index: bigint): Promise<bigint | undefined>
  /** The entry of the event at exactly that position; undefined when none, or not covered yet. */
  indexOf(position: bigint): Promise<bigint | undefined>

  /** Hashes of perfect subtrees inside the first `size` entries: what `rootOf`, `inclusionProof` and `consistencyProof` read. */
  subtrees(size: bigint): SubtreeReader
  /** Root of the first `size` entries, `size` at most the published one. */
  rootAt(size: bigint): Promise<Buffer>
  /** Bytes of a tile or an entry bundle as C2SP tlog-tiles says; undefined when no published checkpoint covers it. */
  tile(tile: Tile): Promise<Buffer | undefined>

  /** The newest heads statement whose event is among the first `size` entries. */
  headsStatement(size: bigint): Promise<HeadsStatement | undefined>
  /** Every record of the statement about `size`, sorted by stream key: what its root is over. */
  headsRecords(size: bigint): Promise<readonly HeadRecord[]>
  /** Asks the sequencer for a heads statement; it comes with a checkpoint soon after, also on an idle log. */
  requestHeads(): Promise<void>
}
