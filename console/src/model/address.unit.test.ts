import assert from 'node:assert/strict'
import test from 'node:test'
import { readAddress, writeAddress } from './address.ts'

test('batch and asOf are read from the address', () => {
  assert.deepEqual(readAddress('?batch=b1&asOf=2026-11-03T14:20:07.000Z'), {
    batchId: 'b1',
    asOfMs: Date.parse('2026-11-03T14:20:07.000Z'),
    refused: null,
  })
  assert.deepEqual(readAddress(''), { batchId: null, asOfMs: null, refused: null })
})

test('an asOf that is no time is refused by name instead of silently showing the live page', () => {
  assert.match(readAddress('?asOf=yesterday').refused?.words ?? '', /^asOf=yesterday: /)
})

test('a position is refused by name instead of silently showing the live page, also beside an instant', () => {
  for (const search of ['?asOfPosition=120', '?batch=b1&asOf=2026-11-03T14:20:07Z&asOfPosition=120'])
    assert.match(readAddress(search).refused?.words ?? '', /^asOfPosition=120: write asOf=<instant> instead/)
})

test('an address written is read back the same', () => {
  const address = { batchId: '019a-b', asOfMs: Date.parse('2026-11-03T14:20:07.123Z') }
  assert.equal(writeAddress(address), '?batch=019a-b&asOf=2026-11-03T14:20:07.123Z')
  assert.deepEqual(readAddress(writeAddress(address)), { ...address, refused: null })
  assert.equal(writeAddress({ batchId: null, asOfMs: null }), '')
})
