/** The last tile of each level above 0 while it fills: at most 256 hashes a level. */
import { hashSize } from '../log/tree-hash.ts'

export type TileWrite = { readonly level: number; readonly index: bigint; readonly hashes: Buffer }

export type PartialTiles = {
  /** The next hash of a level: the root of the tile below that has just become full. */
  add(level: number, hash: Buffer): void
  /** Every tile that changed since the last call, as it is now. */
  takeChanged(): readonly TileWrite[]
}

/** `held`: the last tile of each level as it is stored. */
export function partialTiles(held: readonly TileWrite[]): PartialTiles {
  const open = new Map<number, { index: bigint; hashes: Buffer[]; changed: boolean }>()
  for (const { level, index, hashes } of held) {
    const split = Array.from({ length: hashes.length / hashSize }, (_, at) =>
      hashes.subarray(at * hashSize, (at + 1) * hashSize),
    )
    open.set(level, { index, hashes: split, changed: false })
  }
  const full: TileWrite[] = []
  return {
    add(level, hash) {
      let tile = open.get(level)
      if (!tile || tile.hashes.length === 256) {
        tile = { index: tile ? tile.index + 1n : 0n, hashes: [], changed: true }
        open.set(level, tile)
      }
      tile.hashes.push(hash)
      tile.changed = true
      if (tile.hashes.length < 256) return
      full.push({ level, index: tile.index, hashes: Buffer.concat(tile.hashes) })
      tile.changed = false
    },
    takeChanged() {
      const changed = full.splice(0)
      for (const [level, tile] of open) {
        if (!tile.changed) continue
        changed.push({ level, index: tile.index, hashes: Buffer.concat(tile.hashes) })
        tile.changed = false
      }
      return changed
    },
  }
}
