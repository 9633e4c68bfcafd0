import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { derivedId, readingId, uuidV7 } from './ids.ts'

test('the UUIDv7 of RFC 9562 appendix A.6 is reproduced', () => {
  const random = Buffer.from('0cc3' + '18c4dc0c0c07398f', 'hex')
  assert.equal(uuidV7(0x017f22e279b0, random), '017f22e2-79b0-7cc3-98c4-dc0c0c07398f')
})

const reading = fc.record({
  vessel: fc.string({ minLength: 1, maxLength: 12 }),
  tag: fc.constantFrom('pH', 'DO', 'OD'),
  atMs: fc.integer({ min: 0, max: 4_102_444_800_000 }),
  seq: fc.option(fc.nat(), { nil: undefined }),
})

test('the same reading has the same id; another vessel, tag, time or sequence has another', () => {
  fc.assert(
    fc.property(reading, reading, (a, b) => {
      assert.equal(readingId(a), readingId({ ...a }))
      const same = a.vessel === b.vessel && a.tag === b.tag && a.atMs === b.atMs && a.seq === b.seq
      assert.equal(readingId(a) === readingId(b), same)
    }),
  )
})

test('ids of later readings sort after those of earlier ones', () => {
  fc.assert(
    fc.property(reading, fc.integer({ min: 1, max: 100_000 }), (a, later) => {
      assert.ok(readingId(a) < readingId({ ...a, atMs: a.atMs + later }))
    }),
  )
})

test('parts are kept apart: ab + c is not a + bc', () => {
  assert.notEqual(derivedId(1, 'ab', 'c'), derivedId(1, 'a', 'bc'))
})
