import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { laneOrder } from './lane-order.ts'

test('what follows is new, what comes again is repeated', () => {
  const order = laneOrder()
  assert.equal(order.next({ offset: 10n, position: 100n }), 'new')
  assert.equal(order.next({ offset: 11n, position: 107n }), 'new')
  assert.equal(order.next({ offset: 10n, position: 100n }), 'repeated')
  assert.equal(order.next({ offset: 12n, position: 100n }), 'repeated')
  assert.equal(order.next({ offset: 13n, position: 108n }), 'new')
  assert.equal(order.position(), 108n)
})

test('records that went to somebody else are a hole, and so is a topic that was made anew', () => {
  const order = laneOrder()
  order.next({ offset: 10n, position: 100n })
  assert.equal(order.next({ offset: 12n, position: 120n }), 'hole')
  assert.equal(order.skip(12n), 'hole')
  assert.equal(order.next({ offset: 3n, position: 130n }), 'hole')
  order.reset()
  assert.equal(order.next({ offset: 3n, position: 130n }), 'new')
})

test('a record without an event takes its place in the order', () => {
  const order = laneOrder()
  order.next({ offset: 10n, position: 100n })
  assert.equal(order.skip(11n), 'new')
  assert.equal(order.skip(11n), 'repeated')
  assert.equal(order.next({ offset: 12n, position: 101n }), 'new')
})

test('however relays repeat runs of records, each position is new once and in order', () => {
  // A relay writes on from where the partition ended, or repeats from any earlier place; never with a hole.
  const runs = fc.array(fc.record({ back: fc.nat(8), length: fc.integer({ min: 1, max: 9 }) }), {
    maxLength: 12,
  })
  fc.assert(
    fc.property(runs, fc.nat(5), (relays, startsAt) => {
      const records: bigint[] = []
      for (const { back, length } of relays) {
        const end = records.at(-1) ?? 0n
        const from = end > BigInt(back) ? end - BigInt(back) : 0n
        for (let step = 1n; step <= BigInt(length); step++) records.push(from + step)
      }
      const order = laneOrder()
      const suffix = records.slice(startsAt)
      const fresh = suffix.filter(
        (position, index) => order.next({ offset: BigInt(index), position }) === 'new',
      )
      const first = suffix[0]
      if (first === undefined) return
      const last = suffix.reduce((a, b) => (a > b ? a : b))
      const expected: bigint[] = []
      for (let position = first; position <= last; position++) expected.push(position)
      assert.deepEqual(fresh, expected)
    }),
  )
})
