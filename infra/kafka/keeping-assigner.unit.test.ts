import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sharedOut } from './keeping-assigner.ts'

const claims = fc
  .uniqueArray(fc.string({ minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 6 })
  .chain((members) =>
    fc
      .tuple(...members.map(() => fc.array(fc.nat(14), { maxLength: 15 })))
      .map((lists) => new Map(members.map((member, index) => [member, lists[index] ?? []]))),
  )

test('every partition has exactly one owner, and no owner more than one above another', () => {
  fc.assert(
    fc.property(claims, fc.nat(12), (wanted, count) => {
      const partitions = Array.from({ length: count }, (_, index) => index)
      const shares = sharedOut(partitions, wanted)
      assert.deepEqual(
        [...shares.values()].flat().toSorted((a, b) => a - b),
        partitions,
      )
      const sizes = [...shares.values()].map((share) => share.length)
      assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1)
    }),
  )
})

test('whoever owns partitions keeps them when a worker comes or goes, as far as the shares stay even', () => {
  const before = sharedOut(
    [0, 1, 2, 3, 4, 5],
    new Map([
      ['a', []],
      ['b', []],
      ['c', []],
    ]),
  )
  const left = sharedOut([0, 1, 2, 3, 4, 5], new Map([...before].filter(([member]) => member !== 'b')))
  for (const member of ['a', 'c'])
    for (const partition of before.get(member) ?? []) assert.ok(left.get(member)?.includes(partition))
  const joined = sharedOut([0, 1, 2, 3, 4, 5], new Map([...left, ['d', []]]))
  const moved = ['a', 'c'].flatMap((member) =>
    (left.get(member) ?? []).filter((partition) => !joined.get(member)?.includes(partition)),
  )
  assert.equal(moved.length, 2)
})
