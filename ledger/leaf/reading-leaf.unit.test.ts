import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { RecordedEvent } from '../../schemas/event.ts'
import { leafText } from './leaf.ts'
import { readingLeaf } from './reading-leaf.ts'

const ledger = 'ledger.example/site-1/test'
const few = fc.constantFrom('a', 'b"', 'ü\n', '\u2028', '😀')
const value = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 5e-324, 1e21, 1e-7, 0.1 + 0.2, 2 ** 53),
)
const instant = fc
  .integer({ min: 1_700_000_000_000, max: 1_900_000_000_000 })
  .map((ms) => new Date(ms).toISOString())

const readings = fc.record({
  id: fc.uuid(),
  type: fc.constant('SensorReadingRecorded'),
  schemaVersion: fc.integer({ min: 1, max: 2 }),
  occurredAt: instant,
  receivedAt: instant,
  recordedAt: instant,
  actor: fc.record({ kind: fc.constantFrom('device' as const, 'service' as const), id: few, role: few }),
  source: fc.oneof(fc.record({ topic: few }), fc.record({ topic: few, seq: fc.nat() })),
  origin: fc.constantFrom('live' as const, 'simulated' as const),
  site: few,
  stream: fc.constantFrom('reading-1', 'reading-2'),
  revision: fc.bigInt({ min: 1n, max: 2n ** 60n }),
  position: fc.bigInt({ min: 1n, max: 2n ** 60n }),
  data: fc.record(
    { vessel: few, tag: few, unit: few, quality: few, value, flags: fc.constant(['late']) },
    { requiredKeys: ['vessel', 'tag', 'unit', 'quality', 'value'] },
  ),
})

test('the fast leaf of any sequence of readings is the canonical one, to the byte', () => {
  let fast = 0
  fc.assert(
    fc.property(
      fc.array(readings, { minLength: 1, maxLength: 30, size: 'max' }),
      (events: RecordedEvent[]) => {
        const leafOf = readingLeaf(ledger)
        const prev = Buffer.alloc(32, 3).toString('base64')
        for (const event of [...events, ...events]) {
          const text = leafOf(event, prev)
          if (text === undefined) continue
          assert.equal(text, leafText(event, undefined, prev, ledger))
          fast++
        }
        const first = { ...(events[0] as RecordedEvent), revision: 0n }
        const text = leafOf(first, null)
        if (text !== undefined) assert.equal(text, leafText(first, undefined, null, ledger))
      },
    ),
  )
  assert.ok(fast > 100, `${fast} readings went the fast way`)
})

test('a reading that differs from the one before in any one thing gets a leaf of its own', () => {
  const [event] = fc.sample(readings, { numRuns: 1, seed: 1 }) as unknown as [RecordedEvent]
  const data = { vessel: 'v', tag: 't', unit: 'u', quality: 'good', value: 1 }
  const base: RecordedEvent = { ...event, data, source: { topic: 'a', seq: 1 } }
  const { actor } = base
  const prev = Buffer.alloc(32, 3).toString('base64')
  for (const change of [
    { stream: 'reading-9' },
    { site: 'elsewhere' },
    { origin: 'replayed' as const },
    { schemaVersion: 7 },
    { id: '0193cd06-7ac0-7000-8000-00000000000f' },
    { occurredAt: '2001-01-01T00:00:00.000Z' },
    { receivedAt: '2001-01-01T00:00:00.000Z' },
    { recordedAt: '2001-01-01T00:00:00.000Z' },
    { revision: 77n },
    { source: { topic: 'b', seq: 1 } },
    { source: { topic: 'a', seq: 2 } },
    { source: { topic: 'a' } },
    { actor: { ...actor, id: 'other' } },
    { actor: { ...actor, kind: 'model' as const } },
    { actor: { ...actor, role: 'other' } },
    ...['vessel', 'tag', 'unit', 'quality'].map((field) => ({ data: { ...data, [field]: 'other' } })),
    { data: { ...data, value: 2 } },
  ]) {
    const leafOf = readingLeaf(ledger)
    const changed: RecordedEvent = { ...base, ...change }
    for (const reading of [base, changed, base])
      assert.equal(
        leafOf(reading, prev),
        leafText(reading, undefined, prev, ledger),
        JSON.stringify(change, spelt),
      )
  }
})

const spelt = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value)

test('a reading that is unusual in any way is left to the general form', () => {
  const leafOf = readingLeaf(ledger)
  const [event] = fc.sample(readings, { numRuns: 1, seed: 1 }) as unknown as [RecordedEvent]
  const plain = { ...event, data: { vessel: 'v', tag: 't', unit: 'u', quality: 'good', value: 1 } }
  assert.ok(leafOf(plain, 'x') !== undefined)
  for (const odd of [
    { ...plain, type: 'AlarmRaised' },
    { ...plain, data: { ...plain.data, flags: ['late'] } },
    { ...plain, data: { ...plain.data, value: '1' } },
    { ...plain, data: { ...plain.data, value: Number.NaN } },
    { ...plain, reason: { code: 'a', text: 'b' } },
    { ...plain, causationId: plain.id },
    { ...plain, source: { topic: 't', seq: 1, more: true } },
  ])
    assert.equal(leafOf(odd as RecordedEvent, 'x'), undefined)
  const { source: _, ...without } = plain
  assert.equal(leafOf(without, 'x'), undefined)
})
