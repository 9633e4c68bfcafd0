/**
 * One pass over the whole log as of its newest checkpoint: every event of the store is spelt as a leaf again and held
 * against the bundle, the tile, the chain of its stream, every tile above and every signed checkpoint. What
 * differs is told as soon as it is found. The pass goes on behind it, so that one change hides no other.
 */
import type { EventStore } from '../../infra/event-store/event-store.ts'
import type { Pool } from '../../infra/postgres/pool.ts'
import type { RecordedEvent } from '../../schemas/event.ts'
import { parseLeaf } from '../leaf/leaf.ts'
import { readingLeaf } from '../leaf/reading-leaf.ts'
import { parseCheckpoint } from '../log/checkpoint.ts'
import { type NoteVerifier, openNote, parseNote } from '../log/note.ts'
import { tilePath } from '../log/tile.ts'
import { hashSize } from '../log/tree-hash.ts'
import { openCompactRange } from '../sequencer/compact-range.ts'
import { entryCheck, type Link } from './check-entry.ts'
import { type AuditFinding, eventSubject } from './finding.ts'
import { readStoredEvents } from './stored-events.ts'
import {
  readStoredCheckpoints,
  readStoredChunks,
  readStoredTile,
  type StoredCheckpoint,
  type StoredChunk,
} from './stored-log.ts'

export type CheckLogDeps = {
  readonly pool: Pool
  /** Opened for this pass: one that remembers nothing. */
  readonly store: EventStore
  readonly origin: string
  /** Keys that may have signed the newest checkpoint; from outside the database. */
  readonly verifiers: readonly NoteVerifier[]
  readonly onFinding: (finding: AuditFinding) => void
  /** Events that are as they were sealed, in the order of the log. */
  readonly onEvents: (events: readonly RecordedEvent[]) => Promise<void>
  /** Before each step, with the entries that it takes: slows the pass down to its budget. */
  readonly pace: (entries: number) => Promise<void>
  /** Before the first step: entries under the newest checkpoint. */
  readonly onSize?: (size: bigint) => void
  /** First entry of which is not yet known whether it is as sealed. */
  readonly onProgress?: (index: bigint) => void
}

export type CheckedLog = {
  /** Size of the newest checkpoint; 0 while there is none. */
  readonly size: bigint
  readonly position: bigint | undefined
}

const chunksAtOnce = 16

export async function checkLog(deps: CheckLogDeps): Promise<CheckedLog> {
  const { pool, onFinding } = deps
  const head = await newestCheckpoint(deps)
  if (!head) return { size: 0n, position: undefined }
  const { size } = head
  deps.onSize?.(size)
  const chain = new Map<string, Link>()
  const check = entryCheck({
    origin: deps.origin,
    fastLeaf: readingLeaf(deps.origin),
    linkBefore: ({ stream, revision }) => {
      const before = chain.get(stream)
      return before?.revision === revision - 1n ? before : undefined
    },
  })
  const range = await openCompactRange(0n, async () => Buffer.alloc(hashSize))
  const tiles = upperTiles(deps)
  const roots = signedRoots(deps)
  let isRootKnown = true
  let position: bigint | undefined
  let next = 0n
  while (next < size) {
    const chunks = await chunksFrom(deps, next, size)
    const checkpoints = [...(await readStoredCheckpoints(pool, next, endOf(chunks)))]
    const stored = await eventsOf(deps, chunks, position)
    const good: RecordedEvent[] = []
    for (const chunk of chunks) {
      await deps.pace(chunk.count)
      for (let at = 0; at < chunk.count; at++) {
        const index = chunk.firstIndex + BigInt(at)
        if (index >= size) break
        const place = stored.positionOf(chunk, at)
        const event = place === undefined ? undefined : stored.take(place)
        const entry = chunk.entries?.[at]
        const { hash, findings } = check({
          index,
          position: place,
          event,
          salt: event && stored.salts.get(event.id),
          damage: place === undefined ? undefined : stored.damaged.get(place),
          entry,
          hash:
            chunk.hashes.length > 0 ? chunk.hashes.subarray(at * hashSize, (at + 1) * hashSize) : undefined,
        })
        for (const finding of findings) onFinding(finding)
        if (event && findings.length === 0) good.push(event)
        if (hash) {
          range.append(hash, tiles.add)
          const link = linkOf(event, entry)
          if (link)
            chain.set(link.stream, {
              revision: link.revision,
              position: place ?? 0n,
              hash: hash.toString('base64'),
            })
        } else isRootKnown = false
        if (place !== undefined) position = place
        if (isRootKnown && checkpoints[0]?.size === index + 1n)
          roots.compare(checkpoints.shift(), range.root())
      }
      deps.onProgress?.(chunk.firstIndex + BigInt(chunk.count))
    }
    for (const event of stored.untaken())
      onFinding({ kind: 'event', subject: eventSubject(event), finding: 'the log does not hold it' })
    if (good.length > 0) await deps.onEvents(good)
    next = endOf(chunks)
    if (isRootKnown) await tiles.compareFull()
  }
  if (isRootKnown) await tiles.compareRest()
  roots.end()
  return { size, position }
}

const endOf = (chunks: readonly StoredChunk[]): bigint => {
  const last = chunks.at(-1)
  return last ? last.firstIndex + BigInt(last.count) : 0n
}

/** The next chunks; one without anything in it where rows are gone. */
async function chunksFrom(deps: CheckLogDeps, from: bigint, size: bigint): Promise<readonly StoredChunk[]> {
  const found = await readStoredChunks(deps.pool, from, size, chunksAtOnce)
  const whole: StoredChunk[] = []
  let next = from
  for (const chunk of found) {
    while (next < chunk.firstIndex) next = addHole(chunk.firstIndex)
    whole.push(chunk)
    next = chunk.firstIndex + BigInt(chunk.count)
    if (chunk.trouble !== undefined)
      deps.onFinding({
        kind: 'bundle',
        subject: `${tilePath({ level: 'entries', index: chunk.firstIndex / 256n, width: 256 })} entries from ${chunk.firstIndex}`,
        finding: chunk.trouble,
      })
  }
  if (found.length < chunksAtOnce) while (next < size) next = addHole(size)
  return whole

  /** Within one tile, so that a hole is told tile by tile. */
  function addHole(until: bigint): bigint {
    const end = (next / 256n + 1n) * 256n
    const to = end < until ? end : until
    const count = Number(to - next)
    deps.onFinding({
      kind: 'bundle',
      subject: `${tilePath({ level: 'entries', index: next / 256n, width: 256 })} entries ${next} to ${to - 1n}`,
      finding: 'the row that held them is gone',
    })
    whole.push({
      firstIndex: next,
      count,
      entries: undefined,
      hashes: Buffer.alloc(0),
      positions: undefined,
      trouble: 'gone',
    })
    return to
  }
}

/** Events of the chunks; where a chunk's positions are unknown, those that come next, if there are as many. */
async function eventsOf(deps: CheckLogDeps, chunks: readonly StoredChunk[], after: bigint | undefined) {
  const inferred = new Map<StoredChunk, readonly bigint[]>()
  let reached = after
  for (const chunk of chunks) {
    if (!chunk.positions) inferred.set(chunk, await nextPositions(deps.store, reached, chunk.count))
    reached = chunk.positions?.at(-1) ?? inferred.get(chunk)?.at(-1) ?? reached
  }
  const positions = chunks.flatMap((chunk) => chunk.positions ?? inferred.get(chunk) ?? [])
  const first = positions[0]
  const stored =
    first === undefined
      ? { events: new Map<bigint, RecordedEvent>(), salts: new Map(), damaged: new Map<bigint, string>() }
      : await readStoredEvents(deps.store, {
          first,
          last: positions.at(-1) ?? first,
          limit: positions.length + 1,
        })
  const left = new Map(stored.events)
  return {
    salts: stored.salts as ReadonlyMap<string, Uint8Array>,
    damaged: stored.damaged,
    positionOf: (chunk: StoredChunk, at: number): bigint | undefined =>
      (chunk.positions ?? inferred.get(chunk))?.[at],
    take: (position: bigint): RecordedEvent | undefined => {
      const event = left.get(position)
      left.delete(position)
      return event
    },
    untaken: () => left.values(),
  }
}

async function nextPositions(
  store: EventStore,
  after: bigint | undefined,
  count: number,
): Promise<readonly bigint[]> {
  const positions: bigint[] = []
  for await (const page of store.readAll({ ...(after === undefined ? {} : { after }), pageSize: count })) {
    positions.push(...page.events.map((event) => event.position))
    if (positions.length >= count) break
  }
  return positions.slice(0, count)
}

function linkOf(
  event: RecordedEvent | undefined,
  entry: Buffer | undefined,
): { stream: string; revision: bigint } | undefined {
  if (event) return event
  try {
    const leaf = entry && parseLeaf(entry)
    return leaf && { stream: leaf.stream, revision: BigInt(leaf.revision) }
  } catch {
    return undefined
  }
}

/** The signed checkpoint that the pass is about. Its signature is checked first: everything is held against it. */
async function newestCheckpoint(deps: CheckLogDeps): Promise<StoredCheckpoint | undefined> {
  const { rows } = await deps.pool.query<StoredCheckpoint>(
    'SELECT size, root, note FROM ledger.checkpoint ORDER BY size DESC LIMIT 1',
  )
  const [newest] = rows
  if (!newest) return undefined
  const subject = `checkpoint of size ${newest.size}`
  try {
    const { text } = openNote(newest.note, deps.verifiers)
    if (parseCheckpoint(text).origin !== deps.origin)
      deps.onFinding({ kind: 'checkpoint', subject, finding: 'it names another ledger' })
  } catch (error) {
    const { rule } = error as { rule?: string }
    deps.onFinding({ kind: 'checkpoint', subject, finding: rule ?? String(error) })
  }
  return newest
}

/**
 * Every signed root against that of the entries. One that differs between others that agree was changed itself; from
 * the first one on after which none agrees, it is the entries that were.
 */
function signedRoots(deps: CheckLogDeps) {
  let agreedSize = 0n
  let disagreeing: { size: bigint; finding: string }[] = []
  const report = (size: bigint, finding: string) =>
    deps.onFinding({ kind: 'checkpoint', subject: `checkpoint of size ${size}`, finding })
  return {
    compare: (checkpoint: StoredCheckpoint | undefined, root: Buffer): void => {
      if (!checkpoint) return
      const { size } = checkpoint
      const finding = disagreement(checkpoint, root)
      if (finding !== undefined) {
        disagreeing.push({ size, finding })
        return
      }
      for (const other of disagreeing) report(other.size, other.finding)
      disagreeing = []
      agreedSize = size
    },
    end: (): void => {
      const [first] = disagreeing
      if (first)
        report(
          first.size,
          `${first.finding}; what differs is among entries ${agreedSize} to ${first.size - 1n}`,
        )
    },
  }
}

function disagreement(checkpoint: StoredCheckpoint, root: Buffer): string | undefined {
  try {
    const signed = parseCheckpoint(parseNote(checkpoint.note).text)
    if (signed.size !== checkpoint.size) return `its note is about size ${signed.size}`
    if (!signed.root.equals(root)) return 'its root is not that of the entries'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  return checkpoint.root.equals(root) ? undefined : 'the root beside its note is not that of the entries'
}

/** Tiles above level 0 as the leaves make them, held against the stored ones as soon as they are full. */
function upperTiles(deps: CheckLogDeps) {
  const open: { index: bigint; hashes: Buffer[] }[] = []
  const full: { level: number; index: bigint; hashes: Buffer[] }[] = []
  return {
    add: (level: number, hash: Buffer): void => {
      const tile = open[level] ?? { index: 0n, hashes: [] }
      open[level] = tile
      tile.hashes.push(hash)
      if (tile.hashes.length < 256) return
      full.push({ level, ...tile })
      open[level] = { index: tile.index + 1n, hashes: [] }
    },
    compareFull: async () => {
      for (let tile = full.shift(); tile; tile = full.shift()) await compare(tile.level, tile)
    },
    compareRest: async () => {
      for (const [level, tile] of open.entries())
        if (tile && tile.hashes.length > 0) await compare(level, tile)
    },
  }

  async function compare(level: number, { index, hashes }: { index: bigint; hashes: readonly Buffer[] }) {
    const stored = await readStoredTile(deps.pool, level, index)
    const path = tilePath({ level, index, width: 256 })
    if (!stored)
      return deps.onFinding({ kind: 'tile', subject: path, finding: 'the row that held it is gone' })
    for (const [at, hash] of hashes.entries())
      if (!hash.equals(stored.subarray(at * hashSize, (at + 1) * hashSize)))
        deps.onFinding({
          kind: 'tile',
          subject: `${path} hash ${at}`,
          finding: 'the hash is not that of the tile below it',
        })
  }
}
