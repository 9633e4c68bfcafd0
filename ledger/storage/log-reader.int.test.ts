import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { alarm, readings } from '../../infra/event-store/testing/sample-events.ts'
import { until } from '../../infra/testing/until.ts'
import type { RecordedEvent } from '../../schemas/event.ts'
import { parseLeaf } from '../leaf/leaf.ts'
import { rootOf } from '../log/proof.ts'
import type { Ledger } from '../service.ts'
import { type LedgerBed, ledgerBed } from '../testing/running-ledger.ts'
import type { PublishedCheckpoint, StreamRun } from './log-reader.ts'

describe('the log as its readers see it', () => {
  let bed: LedgerBed
  let ledger: Ledger
  let events: RecordedEvent[]
  let head: PublishedCheckpoint

  before(async () => {
    bed = await ledgerBed()
    // Three vessels whose messages interleave, sealed a few pages at a time.
    ledger = bed.start({ pageSize: 70 })
    for (let round = 0; round < 30; round++) {
      await Promise.all(
        [0, 1, 2].map((vessel) =>
          bed.store.append([
            {
              stream: `reading-${vessel}`,
              expectedRevision: 'any',
              events: readings(1 + ((round * 7 + vessel * 3) % 11)),
            },
          ]),
        ),
      )
      if (round % 10 === 9) await bed.sealed()
    }
    head = await bed.sealed()
    await ledger.stop()
    head = (await bed.reader.head()) as PublishedCheckpoint
    events = []
    for await (const page of bed.store.readAll()) events.push(...page.events)
    events = events.slice(0, Number(head.size))
  })
  after(() => bed?.close())

  const placesOf = async (runs: AsyncIterable<StreamRun>): Promise<[bigint, bigint][]> => {
    const places: [bigint, bigint][] = []
    for await (const { revision, index, count } of runs)
      for (let at = 0n; at < count; at++) places.push([revision + at, index + at])
    return places
  }
  const expected = (stream: string, from: bigint, to: bigint, size: bigint): [bigint, bigint][] =>
    events.flatMap((event, at): [bigint, bigint][] =>
      event.stream === stream && event.revision >= from && event.revision <= to && BigInt(at) < size
        ? [[event.revision, BigInt(at)]]
        : [],
    )

  test('revisions are found where the store has them, for any range and any published size', async () => {
    const { size } = head
    for (const stream of ['reading-0', 'reading-2', 'ledger-keys', 'no-such-stream'])
      for (const [from, to] of [
        [0n, 1_000n],
        [0n, 0n],
        [3n, 3n],
        [17n, 60n],
        [59n, 61n],
        [150n, 999n],
        [10n, 5n],
      ] as const)
        for (const until of [size, size / 2n, 1n, 0n])
          assert.deepEqual(
            await placesOf(bed.reader.indexesOf(stream, { from, to, size: until })),
            expected(stream, from, to, until),
            `${stream} ${from}–${to} of ${until}`,
          )
    assert.deepEqual(
      await placesOf(bed.reader.indexesOf('reading-1', { size })),
      expected('reading-1', 0n, 1_000n, size),
    )
  })

  test("a stream's entries are read in order by their runs", async () => {
    const ids: string[] = []
    for await (const { leaf } of bed.reader.entriesOf(bed.reader.indexesOf('reading-1', { size: head.size })))
      ids.push(parseLeaf(leaf).id)
    assert.deepEqual(
      ids,
      events.filter((event) => event.stream === 'reading-1').map((event) => event.id),
    )
  })

  test('the newest checkpoint at or before a size, position or time covers nothing later', async () => {
    const { rows } = await bed.pool.query<{ size: bigint }>(
      'SELECT size FROM ledger.checkpoint ORDER BY size',
    )
    assert.ok(rows.length >= 3)
    for (const { size } of rows) {
      const checkpoint = (await bed.reader.checkpointOf(size)) as PublishedCheckpoint
      const last = events[Number(size) - 1]
      assert.deepEqual(
        [checkpoint.position, checkpoint.eventId, checkpoint.recordedAt],
        [last?.position, last?.id, last?.recordedAt],
      )
      assert.deepEqual(checkpoint.root, await bed.reader.rootAt(size))
      assert.deepEqual(await bed.reader.checkpointAtOrBefore({ size }), checkpoint)
      assert.deepEqual(await bed.reader.checkpointAtOrBefore({ position: checkpoint.position }), checkpoint)
      assert.deepEqual(await bed.reader.checkpointCovering(size), checkpoint)
      const before = await bed.reader.checkpointAtOrBefore({ position: checkpoint.position - 1n })
      assert.ok(before === undefined || before.size < size)
      const atTime = await bed.reader.checkpointAtOrBefore({ recordedAt: checkpoint.recordedAt })
      assert.ok(atTime && atTime.size >= size && atTime.recordedAt === checkpoint.recordedAt)
    }
    assert.equal(await bed.reader.checkpointAtOrBefore({ recordedAt: '2000-01-01T00:00:00.000Z' }), undefined)
    assert.equal(await bed.reader.checkpointCovering(head.size + 1n), undefined)
  })

  test('roots of all sizes are those of the leaf hashes', async () => {
    for (const size of [1n, 2n, 255n, 256n, 257n, head.size - 1n])
      if (size <= head.size)
        assert.deepEqual(await bed.reader.rootAt(size), await rootOf(size, bed.reader.subtrees(size)))
    await assert.rejects(bed.reader.subtrees(3n)(1, 1n), RangeError)
  })

  test('what no checkpoint covers is not given out, although it lies in the database', async () => {
    // As a sequencer leaves it that ends between writing and publishing.
    await bed.store.append([{ stream: 'quarantine', expectedRevision: 'any', events: [alarm()] }])
    const silent = bed.start({ cadenceMs: 3_600_000 })
    const { size } = head
    await until('the event is in the log', async () => {
      const { rows } = await bed.pool.query<{ size: bigint }>('SELECT size FROM ledger.log')
      return (rows[0]?.size ?? 0n) > size
    })
    await silent.stop()
    assert.equal((await bed.reader.head())?.size, size)
    await assert.rejects(bed.reader.rootAt(size + 1n), RangeError)
    await assert.rejects(async () => {
      for await (const _ of bed.reader.entries(size, size + 1n)) assert.fail('an entry was given out')
    }, RangeError)
    await assert.rejects(async () => {
      for await (const _ of bed.reader.indexesOf('quarantine', { size: size + 1n })) assert.fail('a place')
    }, RangeError)
    assert.equal(await bed.reader.positionOf(size), undefined)
    const last = await bed.store.head()
    assert.equal(await bed.reader.indexOf(last?.position as bigint), undefined)
    assert.equal(
      await bed.reader.tile({ level: 0, index: size / 256n, width: Number(size % 256n) + 1 }),
      undefined,
    )
  })
})
