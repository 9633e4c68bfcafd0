import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sizeOf } from './record.ts'
import { inSends, type RelayRecord } from './relay-records.ts'

test('records are sent in order, each once, and no send of several is above the bound', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3_000)), (sizes) => {
      const records = sizes.map(
        (size): RelayRecord => ({ topic: 't', partition: 0, message: { value: Buffer.alloc(size) } }),
      )
      const sends = [...inSends(records, 4_000)]
      assert.deepEqual(sends.flat(), records)
      for (const send of sends) {
        assert.ok(send.length > 0)
        const bytes = send.reduce((sum, { message }) => sum + sizeOf(message), 0)
        assert.ok(send.length === 1 || bytes <= 4_000)
      }
    }),
  )
})
