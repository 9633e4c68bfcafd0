/**
 * Tiles of a static log (C2SP tlog-tiles v0.1.0): paths, and which tiles a tree of a size consists of. A tile
 * holds up to 256 hashes of its level; level L ≥ 1 holds the roots of full tiles of level L − 1. An entry bundle
 * holds the up to 256 entries under a level-0 tile, each behind its length as uint16.
 */
const tileWidth = 256n

export type Tile = {
  /** 0–63, or `entries` for a bundle. */
  readonly level: number | 'entries'
  readonly index: bigint
  /** 1–256; below 256 the tile is partial. */
  readonly width: number
}

/** Path below the log's prefix, e.g. `tile/0/x001/x234/067.p/5`. */
export function tilePath({ level, index, width }: Tile): string {
  return `tile/${level}/${spellIndex(index)}${width < 256 ? `.p/${width}` : ''}`
}

/** The tile of a path, or undefined for anything but the one spelling of it. */
export function parseTilePath(path: string): Tile | undefined {
  const match = /^tile\/(entries|0|[1-5]?\d|6[0-3])\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/([1-9]\d{0,2}))?$/.exec(
    path,
  )
  if (!match) return undefined
  const [, level, spelt, partial] = match
  const width = partial === undefined ? 256 : Number(partial)
  const tile: Tile = {
    level: level === 'entries' ? level : Number(level),
    index: BigInt(spelt!.replaceAll(/[x/]/g, '')),
    width,
  }
  return width <= 256 && tilePath(tile) === path ? tile : undefined
}

/** Hashes that the tile `index` of `level` holds in a tree of `size` leaves: 0 when it does not exist yet. */
export function tileWidthAt(level: number, index: bigint, size: bigint): number {
  const hashes = size >> (8n * BigInt(level))
  const held = hashes - index * tileWidth
  return Number(held < 0n ? 0n : held > tileWidth ? tileWidth : held)
}

/** Every tile of a tree of `size` leaves that differs from those of a tree of `before` leaves, bundles first. */
export function tilesBetween(before: bigint, size: bigint): Tile[] {
  const tiles: Tile[] = []
  for (const level of ['entries', ...Array.from({ length: 8 }, (_, at) => at)] as const) {
    const height = level === 'entries' ? 0 : level
    const [old, now] = [before, size].map((leaves) => leaves >> (8n * BigInt(height))) as [bigint, bigint]
    if (now === old) continue
    for (let index = old / tileWidth; index * tileWidth < now; index++)
      tiles.push({ level, index, width: tileWidthAt(height, index, size) })
  }
  return tiles
}

function spellIndex(index: bigint): string {
  const digits = index.toString()
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0')
  const groups = padded.match(/\d{3}/g) ?? []
  return groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/')
}
