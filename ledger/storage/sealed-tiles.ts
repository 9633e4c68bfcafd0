/**
 * Tiles that are as they were sealed: what is read from storage is given out, and kept, only once it leads to the root
 * of a published checkpoint. The tiles at the right edge of the tree make that root together; a full tile makes the
 * hash that stands for it in the tile above. What does not is refused and not kept, so that it is right again as soon as
 * the database is.
 *
 * The signature under the checkpoint is not checked here: whoever reads the log does that with a key of his own.
 */
import { CheckpointError, parseCheckpoint } from '../log/checkpoint.ts'
import { NoteError, parseNote } from '../log/note.ts'
import { rootOf, type SubtreeReader } from '../log/proof.ts'
import { tilePath } from '../log/tile.ts'
import { emptyRoot, hashSize } from '../log/tree-hash.ts'
import { NotAsSealedError } from './not-as-sealed.ts'
import { subtreeRoot, subtreesOf, TileMissingError, type TileReader } from './tile-hashes.ts'

export type NewestCheckpoint = { readonly size: bigint; readonly root: Buffer; readonly note: string }

export type SealedTiles = {
  /**
   * The first hashes of a tile, `atLeast` or more, all of them checked. Throws `NotAsSealedError` that names what
   * differs, and RangeError where no published checkpoint covers them.
   */
  readonly tile: TileReader
  readonly subtree: SubtreeReader
  /** Size of the newest published checkpoint. */
  size(): Promise<bigint>
}

export type SealedTilesDeps = {
  /** Unchecked. */
  readonly read: TileReader
  readonly newest: () => Promise<NewestCheckpoint | undefined>
  /** Leaf hashes of the entries `from` … `to` − 1, hashed anew: to tell which side was changed. */
  readonly hashesOfEntries: (from: bigint, to: bigint) => Promise<readonly Buffer[]>
}

/** Hashes at the right edge of a tree whose root is that of a checkpoint. */
type Anchor = { readonly size: bigint; readonly edge: ReadonlyMap<string, Buffer> }

/** Full tiles kept in memory: 8 kB each. */
const tilesKept = 1_024
const keyOf = (level: number, index: bigint): string => `${level}/${index}`

export function sealedTiles(deps: SealedTilesDeps): SealedTiles {
  const full = new Map<string, Buffer>()
  let anchor: Anchor = { size: 0n, edge: new Map() }
  let opening: Promise<Anchor> | undefined

  const tile: TileReader = async (level, index, atLeast) => {
    const key = keyOf(level, index)
    const known = full.get(key)
    if (known) return known
    const { edge } = await anchorOver((index * 256n + BigInt(atLeast)) << BigInt(8 * level))
    const atEdge = edge.get(key)
    if (atEdge) return atEdge
    const hashes = await stored(deps.read, level, index, 256)
    const at = Number(index % 256n)
    const above = await tile(level + 1, index / 256n, at + 1)
    if (!subtreeRoot(hashes).equals(above.subarray(at * hashSize, (at + 1) * hashSize)))
      throw new NotAsSealedError(
        tilePath({ level, index, width: 256 }),
        `its hashes do not make the one that ${tilePath({ level: level + 1, index: index / 256n, width: 256 })} holds of it`,
      )
    if (full.size >= tilesKept) full.clear()
    full.set(key, hashes)
    return hashes
  }

  /** Of a checkpoint of at least `needed` entries; many who ask at once cause one look. */
  async function anchorOver(needed: bigint): Promise<Anchor> {
    for (;;) {
      if (anchor.size >= needed) return anchor
      const isJoined = opening !== undefined
      opening ??= openNewest().finally(() => {
        opening = undefined
      })
      const opened = await opening
      if (opened.size >= needed) return opened
      // A look that began before may have missed what was published since.
      if (!isJoined)
        throw new RangeError(
          `entry ${needed - 1n} is not published: the newest checkpoint is of ${opened.size}`,
        )
    }
  }

  async function openNewest(): Promise<Anchor> {
    const newest = await deps.newest()
    const opened = newest ? await openAnchor(deps, newest) : { size: 0n, edge: new Map<string, Buffer>() }
    if (opened.size > anchor.size) anchor = opened
    return opened
  }

  return {
    tile,
    subtree: subtreesOf(tile),
    size: async () => {
      const size = (await deps.newest())?.size ?? 0n
      if (size < anchor.size) {
        // Another database, or an older state of it: what was known of the one before is void.
        anchor = { size: 0n, edge: new Map() }
        full.clear()
      }
      return size
    },
  }
}

async function openAnchor(deps: SealedTilesDeps, newest: NewestCheckpoint): Promise<Anchor> {
  const { size } = newest
  const root = signedRoot(newest)
  const edge = new Map<string, Buffer>()
  for (let level = 0; size >> BigInt(8 * level) > 0n; level++) {
    const hashes = size >> BigInt(8 * level)
    const width = Number(hashes % 256n)
    if (width === 0) continue
    const index = hashes / 256n
    edge.set(
      keyOf(level, index),
      (await stored(deps.read, level, index, width)).subarray(0, width * hashSize),
    )
  }
  const made = size === 0n ? emptyRoot : await rootOf(size, subtreesOf(edgeOnly(edge)))
  if (made.equals(root)) return { size, edge }
  throw (
    (await changedAbove(deps.read, edge)) ??
    (await changedLeaf(deps, edge, size)) ??
    new NotAsSealedError(
      `checkpoint of size ${size}`,
      `its root is not the one that ${[...edge.keys()].map((key) => `tile/${key}`).join(', ')} make`,
    )
  )
}

function signedRoot({ size, root, note }: NewestCheckpoint): Buffer {
  const subject = `checkpoint of size ${size}`
  try {
    const signed = parseCheckpoint(parseNote(note).text)
    if (signed.size !== size) throw new NotAsSealedError(subject, `its note is about size ${signed.size}`)
    if (!signed.root.equals(root))
      throw new NotAsSealedError(subject, 'the root beside its note is another than the one in it')
    return signed.root
  } catch (error) {
    if (error instanceof CheckpointError || error instanceof NoteError)
      throw new NotAsSealedError(subject, error.message)
    throw error
  }
}

const edgeOnly =
  (edge: ReadonlyMap<string, Buffer>): TileReader =>
  async (level, index) => {
    const hashes = edge.get(keyOf(level, index))
    if (!hashes) throw new RangeError(`tile ${level}/${index} is not at the edge`)
    return hashes
  }

async function stored(read: TileReader, level: number, index: bigint, atLeast: number): Promise<Buffer> {
  try {
    return (await read(level, index, atLeast)).subarray(0, 256 * hashSize)
  } catch (error) {
    if (!(error instanceof TileMissingError)) throw error
    throw new NotAsSealedError(
      tilePath({ level, index, width: 256 }),
      `it holds ${error.held} hashes, at least ${error.needed} were sealed`,
    )
  }
}

/** The hash above level 0 at the edge that is not that of the tile below it. */
async function changedAbove(
  read: TileReader,
  edge: ReadonlyMap<string, Buffer>,
): Promise<NotAsSealedError | undefined> {
  for (const [key, hashes] of edge) {
    const [level, index] = placeOf(key)
    if (level === 0) continue
    for (let at = 0; at * hashSize < hashes.length; at++) {
      const below = await stored(read, level - 1, index * 256n + BigInt(at), 256)
      if (!subtreeRoot(below).equals(hashes.subarray(at * hashSize, (at + 1) * hashSize)))
        return new NotAsSealedError(
          `${tilePath({ level, index, width: 256 })} hash ${at}`,
          'it is not that of the tile below it',
        )
    }
  }
  return undefined
}

/** The leaf hash at the edge that is not that of its entry. */
async function changedLeaf(
  deps: SealedTilesDeps,
  edge: ReadonlyMap<string, Buffer>,
  size: bigint,
): Promise<NotAsSealedError | undefined> {
  const index = size / 256n
  const hashes = edge.get(keyOf(0, index))
  if (!hashes) return undefined
  const made = await deps.hashesOfEntries(index * 256n, size)
  const at = made.findIndex(
    (hash, place) => !hash.equals(hashes.subarray(place * hashSize, (place + 1) * hashSize)),
  )
  return at < 0
    ? undefined
    : new NotAsSealedError(
        `${tilePath({ level: 0, index, width: 256 })} hash ${at}`,
        `it is not that of entry ${index * 256n + BigInt(at)}`,
      )
}

function placeOf(key: string): [number, bigint] {
  const [level = '0', index = '0'] = key.split('/')
  return [Number(level), BigInt(index)]
}
