import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { rootOf } from '../log/proof.ts'
import { leafHash, nodeHash } from '../log/tree-hash.ts'
import { type HeadRecord, HeadsError, headsRoot, recordText, sortedByKey, streamKeyOf } from './heads-list.ts'

const siteKey = Buffer.alloc(32, 5)
const naming = { siteKey, origin: 'ledger.example.org/site-1/test' }

/** A log whose entries belong to these streams, as a true list of heads. */
function recordsOf(streams: readonly number[]): HeadRecord[] {
  const heads = new Map<number, { count: bigint; lastIndex: bigint }>()
  for (const [at, stream] of streams.entries())
    heads.set(stream, { count: (heads.get(stream)?.count ?? 0n) + 1n, lastIndex: BigInt(at) })
  return sortedByKey(
    [...heads].map(([stream, head]) => ({
      ...head,
      streamKey: streamKeyOf(naming, `vessel-${stream}`),
      lastLeafHash: leafHash(Buffer.from(String(head.lastIndex))),
    })),
  )
}

const logs = fc.array(fc.nat(12), { minLength: 1, maxLength: 60, size: 'max' })

test('the root of a true list is that of the RFC 6962 tree over its records', async () => {
  await fc.assert(
    fc.asyncProperty(logs, async (streams) => {
      const records = recordsOf(streams)
      const leaves = records.map((record) => leafHash(Buffer.from(recordText(record))))
      const read = async (level: number, index: bigint): Promise<Buffer> =>
        level === 0
          ? (leaves[Number(index)] as Buffer)
          : nodeHash(await read(level - 1, 2n * index), await read(level - 1, 2n * index + 1n))
      assert.deepEqual(headsRoot(records, BigInt(streams.length)), await rootOf(BigInt(records.length), read))
    }),
  )
})

test('a list that leaves out an event, invents one, repeats a stream or is out of order is refused', () => {
  fc.assert(
    fc.property(logs, fc.nat(), (streams, pick) => {
      const size = BigInt(streams.length)
      const records = recordsOf(streams)
      const at = pick % records.length
      const record = records[at] as HeadRecord
      const changed = (change: Partial<HeadRecord>) => records.with(at, { ...record, ...change })
      for (const lie of [
        changed({ count: record.count - 1n }),
        changed({ count: record.count + 1n }),
        changed({ lastIndex: size }),
        changed({ count: 0n }),
        records.toSpliced(at, 1),
        records.toSpliced(at, 0, record),
        records.length > 1 ? records.toReversed() : [],
      ])
        assert.throws(() => headsRoot(lie, size), HeadsError)
    }),
  )
})

test('a stream whose name can be guessed is called by HMAC-SHA-256 of it under the site key', () => {
  const uuid = '01935f7e-0000-7000-a000-00000000000a'
  for (const name of [
    'vessel-V-01',
    `reading-V-${uuid}-idle-20261120`,
    'campaign-C-1',
    'quarantine',
    'user-p-017',
    `x${uuid}`,
  ])
    assert.deepEqual(streamKeyOf(naming, name), createHmac('sha256', siteKey).update(name).digest(), name)
})

test('a stream of a batch or of the ledger is called by what anybody can compute of its name and the log', () => {
  const uuid = '01935f7e-0000-7000-a000-00000000000a'
  for (const name of [
    `batch-${uuid}`,
    `reading-${uuid}`,
    `forecast-${uuid}`,
    'ledger-keys',
    'ledger-findings',
  ]) {
    const text = `bioprocess-ledger/stream/v1\nledger.example.org/site-1/test\n${name}`
    assert.deepEqual(streamKeyOf(naming, name), createHash('sha256').update(text).digest(), name)
  }
})

test('a record is spelt as canonical JSON of four texts', () => {
  assert.equal(
    recordText({ streamKey: Buffer.alloc(32), count: 3n, lastIndex: 17n, lastLeafHash: Buffer.alloc(32, 1) }),
    '{"count":"3","lastIndex":"17","lastLeafHash":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=","streamKey":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}',
  )
})
