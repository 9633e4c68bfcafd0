import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { checkpointText } from '../log/checkpoint.ts'
import { rootOf } from '../log/proof.ts'
import { tilesBetween, tileWidthAt } from '../log/tile.ts'
import { hashSize } from '../log/tree-hash.ts'
import { NotAsSealedError } from './not-as-sealed.ts'
import { type NewestCheckpoint, type SealedTiles, sealedTiles } from './sealed-tiles.ts'
import { subtreeRoot, subtreesOf, TileMissingError } from './tile-hashes.ts'

const leaf = (index: number): Buffer => hash('sha256', `leaf ${index}`, 'buffer')
const largest = 66_500
const leaves = Array.from({ length: largest }, (_, index) => leaf(index))
/** Hashes of each tile level, lowest first: some 66,500 leaves, 259 tiles, one full tile of tiles. */
const levels: Buffer[][] = [leaves]
for (let below = leaves; below.length >= 256; ) {
  const from = below
  below = Array.from({ length: Math.floor(from.length / 256) }, (_, at) =>
    subtreeRoot(Buffer.concat(from.slice(at * 256, (at + 1) * 256))),
  )
  levels.push(below)
}

/** A log in memory, its rows open to change. */
function log(size: number) {
  const rows = new Map<string, Buffer>()
  for (const { level, index } of tilesBetween(0n, BigInt(size)))
    if (level !== 'entries') {
      const width = tileWidthAt(level, index, BigInt(size))
      const from = Number(index) * 256
      rows.set(`${level}/${index}`, Buffer.concat((levels[level] ?? []).slice(from, from + width)))
    }
  let newest: NewestCheckpoint | undefined
  const tiles = sealedTiles({
    read: async (level, index, atLeast) => {
      const hashes = rows.get(`${level}/${index}`) ?? Buffer.alloc(0)
      if (hashes.length < atLeast * hashSize)
        throw new TileMissingError(level, index, hashes.length / hashSize, atLeast)
      return Buffer.from(hashes)
    },
    newest: async () => newest,
    hashesOfEntries: async (from, to) => leaves.slice(Number(from), Number(to)),
  })
  const publish = async (at: number): Promise<NewestCheckpoint> => {
    const root = await rootOf(
      BigInt(at),
      subtreesOf(async (level, index) =>
        Buffer.concat((levels[level] ?? []).slice(Number(index) * 256, Number(index) * 256 + 256)),
      ),
    )
    const text = checkpointText({ origin: 'ledger.example/site-1', size: BigInt(at), root })
    newest = { size: BigInt(at), root, note: `${text}\n— ledger.example/site-1 AAAAAAAA\n` }
    return newest
  }
  return {
    rows,
    tiles,
    publish,
    forge: (checkpoint: NewestCheckpoint) => {
      newest = checkpoint
    },
  }
}

const flip = (row: Buffer | undefined, byte: number): void => {
  assert.ok(row)
  row[byte] = (row[byte] ?? 0) ^ 1
}

/** Everything that the tree of a size consists of; what was refused instead, by the name of the tile. */
async function readAll(tiles: SealedTiles, size: number): Promise<{ right: number; refused: string[] }> {
  let right = 0
  const refused: string[] = []
  for (const { level, index, width } of tilesBetween(0n, BigInt(size))) {
    if (level === 'entries') continue
    try {
      const hashes = (await tiles.tile(level, index, width)).subarray(0, width * hashSize)
      const from = Number(index) * 256
      assert.ok(hashes.equals(Buffer.concat((levels[level] ?? []).slice(from, from + width))))
      right++
    } catch (error) {
      if (!(error instanceof NotAsSealedError)) throw error
      refused.push(error.subject)
    }
  }
  return { right, refused }
}

test('whichever byte of whichever tile was changed, what is given out is as it was sealed, and right again once it is mended', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(1, 255, 256, 257, 600, 65_536, 65_537, largest),
      fc.nat(),
      fc.nat(),
      async (size, drawnTile, drawnByte) => {
        const { rows, tiles, publish } = log(size)
        await publish(size)
        const keys = [...rows.keys()]
        const key = keys[drawnTile % keys.length] ?? ''
        const byte = drawnByte % (rows.get(key)?.length ?? 1)
        flip(rows.get(key), byte)
        const { refused } = await readAll(tiles, size)
        assert.ok(refused.length > 0)
        const [level, index] = key.split('/')
        const name = `tile/${level}/${index?.padStart(3, '0')}`
        assert.ok(
          refused.some(
            (subject) => subject === name || subject === `${name} hash ${Math.floor(byte / hashSize)}`,
          ),
          `${name} in ${refused.join(', ')}`,
        )
        flip(rows.get(key), byte)
        assert.deepEqual((await readAll(tiles, size)).refused, [])
      },
    ),
    { numRuns: 20 },
  )
})

test('a changed full tile takes nothing with it but what lies below it', async () => {
  const { rows, tiles, publish } = log(largest)
  await publish(largest)
  flip(rows.get('1/0'), 5 * hashSize)
  const { refused, right } = await readAll(tiles, largest)
  // 256 tiles of leaves below it and itself; three more of leaves and the three at the edge are as they were.
  assert.equal(refused.length, 257)
  assert.equal(right, 6)
})

test('what was checked once stays what it is when its row is changed later', async () => {
  const { rows, tiles, publish } = log(600)
  await publish(600)
  assert.deepEqual((await readAll(tiles, 600)).refused, [])
  flip(rows.get('0/0'), 7)
  assert.deepEqual((await readAll(tiles, 600)).refused, [])
})

test('a tile that is gone or cut is named', async () => {
  const { rows, tiles, publish } = log(600)
  await publish(600)
  rows.delete('0/1')
  rows.set('0/0', Buffer.alloc(hashSize))
  assert.deepEqual((await readAll(tiles, 600)).refused, ['tile/0/000', 'tile/0/001'])
  rows.delete('1/0')
  await assert.rejects(log(600).tiles.tile(0, 0n, 1), RangeError)
})

test('a newest checkpoint whose root is not that of the tiles is named, and the one after it is taken', async () => {
  const { tiles, publish, forge } = log(600)
  const newest = await publish(600)
  forge({ ...newest, root: Buffer.alloc(hashSize) })
  await assert.rejects(tiles.tile(0, 0n, 256), { subject: 'checkpoint of size 600', code: 'not-as-sealed' })
  const root = Buffer.alloc(hashSize, 7)
  const text = checkpointText({ origin: 'ledger.example/site-1', size: 600n, root })
  forge({ size: 600n, root, note: `${text}\n— ledger.example/site-1 AAAAAAAA\n` })
  await assert.rejects(tiles.tile(0, 0n, 256), { subject: 'checkpoint of size 600' })
  forge({ ...newest, note: 'no note' })
  await assert.rejects(tiles.tile(0, 0n, 256), { subject: 'checkpoint of size 600' })
  forge(newest)
  assert.deepEqual((await readAll(tiles, 600)).refused, [])
})

test('a log that became smaller is looked at anew', async () => {
  const { rows, tiles, publish } = log(600)
  await publish(600)
  await readAll(tiles, 600)
  await publish(300)
  assert.equal(await tiles.size(), 300n)
  flip(rows.get('0/0'), 0)
  await assert.rejects(tiles.tile(0, 0n, 256), { subject: 'tile/0/000' })
  await assert.rejects(tiles.tile(0, 1n, 200), RangeError)
})
