import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ForeignFeedError } from '../feed/feed.ts'
import type { LastRecord } from './last-records.ts'
import {
  decodeProgress,
  encodeProgress,
  PartitionsChangedError,
  type RelayProgress,
  resumePoint,
} from './resume-point.ts'

const storeId = 'store-1'
const partition = (number: number, end: bigint, position?: bigint, store = storeId): LastRecord => ({
  topic: 'vessels',
  partition: number,
  end,
  last:
    position === undefined
      ? undefined
      : { storeId: store, position, eventId: `event-${position}`, value: null },
})
const progress = (position: bigint, ends: Record<string, bigint>): RelayProgress => ({
  storeId,
  position,
  eventId: `event-${position}`,
  ends,
})

test('empty topics are filled from the beginning', () => {
  const point = resumePoint(storeId, [partition(0, 0n), partition(1, 0n)], undefined)
  assert.equal(point.after, undefined)
  assert.equal(point.furthest, undefined)
})

test('without a progress the lowest last record decides, and a partition without one means the beginning', () => {
  const point = resumePoint(storeId, [partition(0, 5n, 90n), partition(1, 7n, 40n)], undefined)
  assert.equal(point.after, 40n)
  assert.equal(point.lastPositions.get('vessels/0'), 90n)
  assert.equal(point.furthest?.position, 90n)
  assert.equal(resumePoint(storeId, [partition(0, 5n, 90n), partition(1, 0n)], undefined).after, undefined)
})

test('a progress spares reading the store again for partitions that are idle', () => {
  const stated = progress(80n, { 'vessels/0': 5n, 'vessels/1': 0n })
  const point = resumePoint(storeId, [partition(0, 6n, 90n), partition(1, 0n)], stated)
  assert.equal(point.after, 80n)
  assert.equal(point.furthest?.position, 90n)
})

test('a progress that is ahead of a topic which was made anew does not count', () => {
  const stated = progress(80n, { 'vessels/0': 5n, 'vessels/1': 3n })
  assert.equal(resumePoint(storeId, [partition(0, 5n, 80n), partition(1, 0n)], stated).after, undefined)
})

test('records or a progress of another store are refused', () => {
  assert.throws(() => resumePoint(storeId, [partition(0, 1n, 3n, 'other')], undefined), ForeignFeedError)
  assert.throws(
    () => resumePoint(storeId, [partition(0, 0n)], { ...progress(1n, {}), storeId: 'other' }),
    ForeignFeedError,
  )
})

test('partitions that were added to a filled topic are refused', () => {
  const stated = progress(80n, { 'vessels/0': 5n })
  assert.throws(
    () => resumePoint(storeId, [partition(0, 5n, 80n), partition(1, 0n)], stated),
    PartitionsChangedError,
  )
})

test('a relay never goes on behind an event that a partition lacks', () => {
  // A relay that died had acknowledged everything up to `stated`, and single records beyond it.
  const relayed = fc.record({
    events: fc.array(fc.nat(3), { minLength: 1, maxLength: 60 }),
    stated: fc.nat(60),
    beyond: fc.array(fc.nat(20), { minLength: 4, maxLength: 4 }),
    isStated: fc.boolean(),
  })
  fc.assert(
    fc.property(relayed, ({ events, stated, beyond, isStated }) => {
      const sent = Math.min(stated, events.length)
      const held = [0, 1, 2, 3].map((number) => {
        const positions = events.flatMap((of, index) => (of === number ? [BigInt(index + 1)] : []))
        const certain = positions.filter((position) => position <= BigInt(sent)).length
        return { all: positions, count: Math.min(positions.length, certain + (beyond[number] ?? 0)), certain }
      })
      const partitions = held.map(({ all, count }, number) =>
        partition(number, BigInt(count), count === 0 ? undefined : all[count - 1]),
      )
      const ends = Object.fromEntries(
        held.map(({ certain }, number) => [`vessels/${number}`, BigInt(certain)]),
      )
      const point = resumePoint(
        storeId,
        partitions,
        isStated && sent > 0 ? progress(BigInt(sent), ends) : undefined,
      )
      held.forEach(({ all, count }, number) => {
        const last = point.lastPositions.get(`vessels/${number}`) ?? -1n
        const written = all.filter((position) => position > (point.after ?? 0n) && position > last)
        assert.deepEqual(written, all.slice(count))
      })
    }),
  )
})

test('a progress comes back from its bytes, and nothing else is one', () => {
  const stated = progress(9_007_199_254_740_993n, { 'vessels/0': 5n })
  assert.deepEqual(decodeProgress(encodeProgress(stated)), stated)
  for (const bytes of [null, Buffer.from(''), Buffer.from('{}'), Buffer.from('{"position":1}')])
    assert.equal(decodeProgress(bytes), undefined)
})
