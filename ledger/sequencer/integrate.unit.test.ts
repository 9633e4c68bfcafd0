import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { reading } from '../../infra/event-store/testing/sample-events.ts'
import type { RecordedEvent } from '../../schemas/event.ts'
import { parseLeaf } from '../leaf/leaf.ts'
import { rootOf } from '../log/proof.ts'
import { emptyRoot, leafHash, nodeHash } from '../log/tree-hash.ts'
import { decodeRuns, splitBundle, unpackEntries } from '../storage/entry-codec.ts'
import { openCompactRange } from './compact-range.ts'
import { type Batch, EventOutOfOrderError, integrator, type StreamHead } from './integrate.ts'
import { partialTiles } from './partial-tiles.ts'

const origin = 'ledger.example/test'
const none = async () => assert.fail('nothing is read of an empty tree')

async function freshIntegrator() {
  const heads = new Map<string, StreamHead>()
  let key = 0
  const { integrate } = integrator({
    origin,
    range: await openCompactRange(0n, none),
    tiles: partialTiles([]),
    heads,
    nextStreamKey: () => ++key,
  })
  return { integrate, heads }
}

/** Events of streams in this order, positions with these gaps. */
function eventsOf(streams: readonly number[], gap: bigint): RecordedEvent[] {
  const next = new Map<number, bigint>()
  return streams.map((stream, at) => {
    const revision = next.get(stream) ?? 0n
    next.set(stream, revision + 1n)
    return {
      ...reading(),
      stream: `reading-${stream}`,
      revision,
      position: BigInt(at) * gap + 1n,
      recordedAt: '2026-11-21T09:30:00.130Z',
    }
  })
}

function subtreesOf(leaves: readonly Buffer[]) {
  const read = async (level: number, index: bigint): Promise<Buffer> =>
    level === 0
      ? (leaves[Number(index)] as Buffer)
      : nodeHash(await read(level - 1, 2n * index), await read(level - 1, 2n * index + 1n))
  return read
}

test('however events are cut into pages, entries, hashes, root, places and heads are those of the whole', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(4), { minLength: 1, maxLength: 900, size: 'max' }),
      fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }),
      fc.constantFrom(1n, 7n),
      async (streams, cuts, gap) => {
        const events = eventsOf(streams, gap)
        const { integrate, heads } = await freshIntegrator()
        const batches: Batch[] = []
        for (let at = 0, cut = 0; at < events.length; cut++) {
          const size = cuts[cut % cuts.length] as number
          batches.push(integrate(events.slice(at, at + size), new Map()))
          at += size
        }
        const chunks = batches.flatMap((batch) => batch.chunks)
        const leaves = chunks.flatMap((chunk) => splitBundle(unpackEntries(chunk.entries)))
        assert.deepEqual(
          leaves.map((leaf) => parseLeaf(leaf).id),
          events.map((event) => event.id),
        )
        const hashes = leaves.map((leaf) => leafHash(leaf))
        assert.deepEqual(Buffer.concat(chunks.map((chunk) => chunk.hashes)), Buffer.concat(hashes))
        for (const batch of batches) {
          assert.deepEqual(batch.root, await rootOf(batch.size, subtreesOf(hashes)))
          assert.deepEqual(
            batch.rootBefore,
            batch.sizeBefore === 0n ? emptyRoot : await rootOf(batch.sizeBefore, subtreesOf(hashes)),
          )
        }
        for (const { firstIndex, count } of chunks)
          assert.equal(firstIndex / 256n, (firstIndex + BigInt(count) - 1n) / 256n)
        const places = batches.flatMap((batch) =>
          batch.runs.flatMap((run) =>
            decodeRuns({ ...run, runs: run.runs ?? null }).flatMap(({ revision, index, count }) =>
              Array.from({ length: count }, (_, at) => [
                run.streamKey,
                revision + BigInt(at),
                index + BigInt(at),
              ]),
            ),
          ),
        )
        assert.deepEqual(
          places.toSorted((one, other) => Number((one[2] as bigint) - (other[2] as bigint))),
          events.map((event, at) => [heads.get(event.stream)?.streamKey, event.revision, BigInt(at)]),
        )
        for (const [stream, head] of heads) {
          const own = events.filter((event) => event.stream === stream)
          const last = events.lastIndexOf(own.at(-1) as RecordedEvent)
          assert.deepEqual(
            [head.count, head.lastIndex, head.lastHash],
            [BigInt(own.length), BigInt(last), hashes[last]?.toString('base64')],
          )
        }
      },
    ),
    // Shrinking hundreds of events would take minutes.
    { numRuns: 25, endOnFailure: true },
  )
})

test('tiles above level 0 are the roots of full tiles, and a range opened from them goes on as if never closed', async () => {
  const { integrate } = await freshIntegrator()
  const leaves: Buffer[] = []
  const tiles = new Map<string, Buffer>()
  const events = eventsOf(
    Array.from({ length: 70_000 }, (_, at) => at % 3),
    1n,
  )
  for (let at = 0; at < events.length; at += 5_000) {
    const batch = integrate(events.slice(at, at + 5_000), new Map())
    for (const chunk of batch.chunks)
      for (let from = 0; from < chunk.hashes.length; from += 32)
        leaves.push(chunk.hashes.subarray(from, from + 32))
    for (const tile of batch.tiles) tiles.set(`${tile.level}/${tile.index}`, tile.hashes)
  }
  const read = subtreesOf(leaves)
  assert.deepEqual([...tiles.keys()].sort(), ['1/0', '1/1', '2/0'])
  assert.deepEqual([...tiles].map(([name, hashes]) => [name, hashes.length / 32]).sort(), [
    ['1/0', 256],
    ['1/1', 17],
    ['2/0', 1],
  ])
  assert.deepEqual(tiles.get('2/0'), await read(16, 0n))
  assert.deepEqual(tiles.get('1/1')?.subarray(16 * 32), await read(8, 272n))
  const size = 69_999n
  const reopened = await openCompactRange(size, read)
  assert.deepEqual(reopened.root(), await rootOf(size, read))
  reopened.append(leaves[69_999] as Buffer, () => {})
  assert.deepEqual(reopened.root(), await rootOf(70_000n, read))
})

test('an event that cannot follow what the log holds is refused', async () => {
  const [first, second, third] = eventsOf([1, 1, 1], 1n) as [RecordedEvent, RecordedEvent, RecordedEvent]
  const { integrate } = await freshIntegrator()
  integrate([first], new Map())
  assert.throws(() => integrate([third], new Map()), EventOutOfOrderError)
  const again = await freshIntegrator()
  assert.throws(() => again.integrate([second], new Map()), EventOutOfOrderError)
})
