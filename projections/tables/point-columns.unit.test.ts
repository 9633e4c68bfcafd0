import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readingFlag } from '../../schemas/events/sensor-events.ts'
import {
  flagsOf,
  knownAt,
  markOf,
  noPoints,
  openPoints,
  packableLength,
  packPoints,
  pointAt,
  qualityOf,
} from './point-columns.ts'

const points = fc
  .array(
    fc.record({
      at: fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }),
      value: fc.double({ noNaN: true, noDefaultInfinity: true }),
      step: fc.bigInt({ min: 1n, max: 2n ** 40n }),
      mark: fc.integer({ min: 0, max: 255 }),
    }),
    { minLength: 1, maxLength: 60 },
  )
  .map((rows) => {
    const columns = noPoints()
    let position = 0n
    for (const row of rows) {
      position += row.step
      columns.at.push(row.at)
      columns.value.push(row.value)
      columns.position.push(position)
      columns.mark.push(row.mark)
    }
    return columns
  })

test('readings come out of their packing as they went in, however far apart times and positions lie', () => {
  fc.assert(
    fc.property(points, fc.boolean(), (columns, isTail) => {
      const given = isTail ? { ...columns, series: columns.at.map((_, index) => index * 7) } : columns
      let start = 0
      while (start < columns.at.length) {
        const length = packableLength(columns, start, 1000)
        assert.ok(length > 0)
        const packed = openPoints(packPoints(given, start, length))
        assert.equal(packed.length, length)
        for (let index = 0; index < length; index++) {
          const point = pointAt(packed, index)
          assert.equal(point.at, columns.at[start + index])
          assert.ok(Object.is(point.value, columns.value[start + index]))
          assert.equal(point.position, columns.position[start + index])
          assert.equal(point.mark, columns.mark[start + index])
          if (isTail) assert.equal(packed.series?.[index], (start + index) * 7)
        }
        start += length
      }
    }),
  )
})

test('at a position exactly the readings recorded up to it are known', () => {
  fc.assert(
    fc.property(points, fc.bigInt({ min: 0n, max: 2n ** 46n }), (columns, position) => {
      const length = packableLength(columns, 0, 1000)
      const packed = openPoints(packPoints(columns, 0, length))
      assert.equal(
        knownAt(packed, position),
        columns.position.slice(0, length).filter((known) => known <= position).length,
      )
    }),
  )
})

test('quality and flags of a reading survive', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('good' as const, 'uncertain' as const, 'bad' as const),
      fc.subarray(readingFlag.options),
      (quality, flags) => {
        const mark = markOf(quality, flags)
        assert.ok(mark <= 255)
        assert.equal(qualityOf(mark), quality)
        assert.deepEqual(flagsOf(mark), flags)
      },
    ),
  )
})

test('a damaged packing is refused', () => {
  const columns = { at: [1], value: [2], position: [3n], mark: [0] }
  const bytes = packPoints(columns, 0, 1)
  assert.throws(() => openPoints(bytes.subarray(0, bytes.length - 1)), /damaged/)
})
