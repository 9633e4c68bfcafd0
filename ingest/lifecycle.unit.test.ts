import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { RecordedEvent } from '../schemas/event.ts'
import { idleStream, lifecycle } from './lifecycle.ts'

const hour = 3_600_000
const start = Date.UTC(2026, 10, 20)

const event = (type: string, atMs: number, data: Record<string, unknown>): RecordedEvent => ({
  id: '00000000-0000-7000-8000-000000000000',
  type,
  schemaVersion: 1,
  occurredAt: new Date(atMs).toISOString(),
  receivedAt: new Date(atMs).toISOString(),
  actor: { kind: 'human', id: 'p', role: 'technician' },
  origin: 'live',
  site: 's',
  data,
  stream: 'batch-x',
  revision: 0n,
  position: 0n,
  recordedAt: new Date(atMs).toISOString(),
})

test('a batch has its vessel from its creation on, to the instant of its end and not with it', () => {
  const known = lifecycle()
  known.apply(event('BatchCreated', start, { batchId: 'a', vessel: 'V-1' }))
  const at = (ms: number) => known.occupancyAt('V-1', ms)?.batchId
  assert.equal(at(start - 1), undefined)
  assert.equal(at(start), 'a')
  assert.equal(at(start + 1000 * hour), 'a')
  assert.equal(known.occupancyAt('V-2', start), undefined)
  known.apply(event('BatchClosed', start + hour, { batchId: 'a' }))
  assert.equal(at(start + hour - 1), 'a')
  assert.equal(at(start + hour), undefined)
  known.apply(event('BatchAborted', start + 2 * hour, { batchId: 'a' }))
  assert.equal(at(start + hour), undefined, 'a batch ends once')
  assert.deepEqual(
    [...known.ended()].map(({ batchId }) => batchId),
    ['a'],
  )
})

test('of batches one after the other on a vessel each gets the times that are its own', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ idle: fc.nat(1000), lasts: fc.integer({ min: 1, max: 1000 }) }), { maxLength: 8 }),
      fc.nat(20_000),
      (plan, probe) => {
        const known = lifecycle()
        let at = start
        let expected: string | undefined
        for (const [index, { idle, lasts }] of plan.entries()) {
          at += idle
          known.apply(event('BatchCreated', at, { batchId: `b${index}`, vessel: 'V-1' }))
          if (start + probe >= at && start + probe < at + lasts) expected = `b${index}`
          at += lasts
          known.apply(event('BatchClosed', at, { batchId: `b${index}` }))
        }
        assert.equal(known.occupancyAt('V-1', start + probe)?.batchId, expected)
      },
    ),
  )
})

test('idle readings of a vessel have one stream a UTC day', () => {
  assert.equal(idleStream('V-1', Date.UTC(2026, 10, 20, 23, 59, 59, 999)), 'reading-V-1-idle-20261120')
  assert.equal(idleStream('V-1', Date.UTC(2026, 10, 21)), 'reading-V-1-idle-20261121')
})
