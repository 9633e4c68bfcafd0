import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import type { RecordedEvent } from '../../schemas/event.ts'
import { buildLeaf, isDigestLeaf, LeafError, maximumLeafBytes, parseLeaf } from './leaf.ts'
import { payloadDigest, payloadText } from './payload.ts'

const ledger = 'ledger.example/site-1/test'
const salt = Buffer.alloc(32, 7)
const prev = Buffer.alloc(32, 9)

const reading: RecordedEvent = {
  id: '0193cd06-7ac0-7000-8000-000000000001',
  type: 'SensorReadingRecorded',
  schemaVersion: 1,
  occurredAt: '2026-11-21T09:30:00.000Z',
  receivedAt: '2026-11-21T09:30:00.120Z',
  actor: { kind: 'device', id: 'V-01', role: 'sensor' },
  source: { topic: 'bioprocess/pichia/V-01/sensors/DO', seq: 17 },
  origin: 'live',
  site: 'site-1',
  data: { vessel: 'V-01', tag: 'DO', value: 64.2, unit: '%', quality: 'good' },
  stream: 'reading-0193cd06-7ac0-7000-8000-0000000000ff',
  revision: 17n,
  position: 123n,
  recordedAt: '2026-11-21T09:30:00.130Z',
}
const closure: RecordedEvent = {
  ...reading,
  type: 'BatchClosed',
  actor: { kind: 'human', id: 'u-1', role: 'technician' },
  reason: { code: 'planned', text: 'as planned, nothing to add' },
  data: { note: 'ärger am Ende' },
  stream: 'batch-0193cd06-7ac0-7000-8000-0000000000ff',
  revision: 0n,
}

test('the leaf of a reading is this text', () => {
  assert.equal(
    buildLeaf(reading, undefined, prev, ledger).toString(),
    '{"actor":{"id":"V-01","kind":"device","role":"sensor"},"data":{"quality":"good","tag":"DO","unit":"%","value":64.2,"vessel":"V-01"},' +
      '"id":"0193cd06-7ac0-7000-8000-000000000001","ledger":"ledger.example/site-1/test","occurredAt":"2026-11-21T09:30:00.000Z","origin":"live",' +
      '"prev":"CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=","receivedAt":"2026-11-21T09:30:00.120Z","recordedAt":"2026-11-21T09:30:00.130Z",' +
      '"revision":"17","schemaVersion":1,"site":"site-1","source":{"seq":17,"topic":"bioprocess/pichia/V-01/sensors/DO"},' +
      '"stream":"reading-0193cd06-7ac0-7000-8000-0000000000ff","type":"SensorReadingRecorded","v":1}',
  )
})

test('what people typed stands in the leaf as the salted digest of payload and reason only', () => {
  const leaf = parseLeaf(buildLeaf(closure, salt, null, ledger))
  const payload =
    '{"data":{"note":"ärger am Ende"},"reason":{"code":"planned","text":"as planned, nothing to add"}}'
  assert.equal(payloadText(closure), payload)
  assert.ok(isDigestLeaf(leaf))
  assert.deepEqual(leaf.payload, {
    alg: 'sha256',
    hash: createHash('sha256')
      .update('bioprocess-ledger/payload/v1\n')
      .update(salt)
      .update(payload)
      .digest('base64'),
    size: String(Buffer.byteLength(payload)),
  })
  assert.ok(!('data' in leaf) && !('reason' in leaf))
  assert.notDeepEqual(payloadDigest(payload, Buffer.alloc(32, 8)), leaf.payload)
})

test('a typed payload without its salt makes no leaf', () => {
  assert.throws(() => buildLeaf(closure, undefined, null, ledger), LeafError)
  assert.throws(() => buildLeaf(closure, Buffer.alloc(31), null, ledger), RangeError)
})

test('an event too large for an entry stands in its leaf as an unsalted digest, one just small enough in full', () => {
  const sized = (bytes: number): RecordedEvent => ({
    ...reading,
    type: 'LedgerFindingRaised',
    data: { kind: 'event', subject: 's', finding: 'x'.repeat(bytes) },
  })
  const empty = buildLeaf(sized(0), undefined, prev, ledger).length
  const full = buildLeaf(sized(maximumLeafBytes - empty), undefined, prev, ledger)
  assert.equal(full.length, maximumLeafBytes)
  assert.ok(!isDigestLeaf(parseLeaf(full)))
  const event = sized(maximumLeafBytes - empty + 1)
  const leaf = parseLeaf(buildLeaf(event, undefined, prev, ledger))
  assert.ok(isDigestLeaf(leaf))
  assert.deepEqual(leaf.payload, payloadDigest(payloadText(event), undefined))
  assert.equal(leaf.payload.salted, false)
})

test('the position and the trace context are not in the leaf', () => {
  const other = { ...reading, position: 999n, traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` }
  assert.deepEqual(buildLeaf(other, undefined, prev, ledger), buildLeaf(reading, undefined, prev, ledger))
})

test('prev is required from revision 1 on, and refused at revision 0', () => {
  assert.throws(() => buildLeaf(reading, undefined, null, ledger), LeafError)
  assert.throws(() => buildLeaf(closure, salt, prev, ledger), LeafError)
  assert.throws(() => buildLeaf(reading, undefined, Buffer.alloc(31), ledger), LeafError)
})

test('any event whatever comes back from its leaf as it was written', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()),
      fc.bigInt({ min: 1n, max: 2n ** 62n }),
      fc.option(fc.uuid(), { nil: undefined }),
      (payload, revision, causationId) => {
        const data = JSON.parse(JSON.stringify(payload)) as Record<string, unknown>
        const event: RecordedEvent = {
          ...reading,
          data,
          revision,
          ...(causationId === undefined ? {} : { causationId }),
        }
        const { position: _, ...kept } = event
        assert.deepEqual(parseLeaf(buildLeaf(event, undefined, prev, ledger)), {
          ...kept,
          data: JSON.parse(JSON.stringify(data)),
          revision: String(revision),
          v: 1,
          ledger,
          prev: prev.toString('base64'),
        })
      },
    ),
  )
})

test('every single changed byte of a leaf is refused or says something else', () => {
  const bytes = buildLeaf(reading, undefined, prev, ledger)
  const said = JSON.stringify(parseLeaf(bytes))
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] as number) ^ change
      let leaf: unknown
      try {
        leaf = parseLeaf(changed)
      } catch (error) {
        assert.ok(error instanceof LeafError, String(error))
        return
      }
      assert.notEqual(JSON.stringify(leaf), said)
    }),
    { numRuns: 1_000 },
  )
})

test('other spellings of the same statement are refused', () => {
  const text = buildLeaf(reading, undefined, prev, ledger).toString()
  const twice = text.replace('"v":1}', '"v":1,"v":1}')
  for (const other of [
    ` ${text}`,
    `${text}\n`,
    `\ufeff${text}`,
    twice,
    text.replace('64.2', '64.20'),
    text.replace('"DO"', '"\\u0044O"'),
    text.replace('"v":1}', '"v":1,"w":1}'),
    text.replace('"v":1}', '"v":2}'),
    text.replace('"revision":"17"', '"revision":"017"'),
    text.replace('"revision":"17"', '"revision":17'),
    text.replace('CQk="', 'CQl="'),
    text.replace(/"prev":"[^"]+"/, '"prev":null'),
    '['.repeat(30_000) + ']'.repeat(30_000),
    'null',
    '',
  ])
    assert.throws(() => parseLeaf(Buffer.from(other)), LeafError, other.slice(0, 80))
  assert.throws(() => parseLeaf(Buffer.from([0x22, 0xff, 0x22])), LeafError)
  assert.throws(() => parseLeaf(Buffer.alloc(maximumLeafBytes + 1, 0x20)), LeafError)
})
