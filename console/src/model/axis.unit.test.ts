import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { axisOrigin, decimalsFor, logTicks, reachAhead, tickLabels, timeTicks, visibleRange } from './axis.ts'

const hour = 3_600_000

test('ticks are round clock times of the zone, not of UTC', () => {
  const from = Date.parse('2026-11-21T00:10:00Z')
  const mode = { kind: 'clock', zone: 'Asia/Kathmandu' } as const
  const ticks = timeTicks(from, from + 4 * hour, 4, axisOrigin(mode, from))
  assert.deepEqual(tickLabels(ticks, mode), ['06:00\n21 Nov', '07:00', '08:00', '09:00'])
})

test('elapsed ticks are round times since inoculation', () => {
  const inoculatedMs = Date.parse('2026-11-21T00:07:31Z')
  const mode = { kind: 'elapsed', inoculatedMs } as const
  const ticks = timeTicks(inoculatedMs - 0.5 * hour, inoculatedMs + 3 * hour, 4, axisOrigin(mode, 0))
  assert.deepEqual(tickLabels(ticks, mode), ['0:00', '1:00', '2:00', '3:00'])
})

test('seconds are shown where ticks are closer than a minute', () => {
  const from = Date.parse('2026-11-21T00:00:00Z')
  const mode = { kind: 'clock', zone: 'UTC' } as const
  assert.deepEqual(tickLabels(timeTicks(from, from + 30_000, 3, 0), mode), [
    '00:00:00\n21 Nov',
    '00:00:10',
    '00:00:20',
    '00:00:30',
  ])
})

test('there are never many more ticks than asked for, all inside the range and evenly spaced', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2e12 }),
      fc.integer({ min: 1, max: 1e10 }),
      fc.integer({ min: 1, max: 20 }),
      (from, span, limit) => {
        const ticks = timeTicks(from, from + span, limit, 0)
        assert.ok(ticks.length <= limit + 1)
        assert.ok(ticks.every((at) => at >= from && at <= from + span))
        assert.ok(new Set(ticks.slice(1).map((at, index) => at - (ticks[index] ?? 0))).size <= 1)
      },
    ),
  )
})

test('a batch that has just begun has an axis of at least a minute', () => {
  assert.deepEqual(visibleRange({ kind: 'all' }, 1000, 1000), { from: 1000, to: 61_000 })
  assert.deepEqual(visibleRange({ kind: 'last', ms: 500 }, 0, 1000), { from: 500, to: 1000 })
})

test('a logarithmic axis has round values, also where it spans less than a decade', () => {
  assert.deepEqual(logTicks(0.3, 30), [0.5, 1, 2, 5, 10, 20])
  assert.deepEqual(logTicks(16, 35), [20, 25, 30, 35])
  assert.deepEqual(logTicks(0, 10), [])
})

test('axis values have the decimals that tell them apart and no more', () => {
  assert.equal(decimalsFor([1.75, 2, 2.25]), 2)
  assert.equal(decimalsFor([20, 40]), 0)
  assert.equal(decimalsFor([0.1, 0.2, 0.1 + 0.2]), 1)
})

test('over the whole batch the axis reaches the longest horizon, however young the batch; a chosen stretch keeps its width', () => {
  for (const shown of [hour / 60, 2 * hour, 20 * hour])
    assert.equal(reachAhead({ kind: 'all' }, shown, 2 * hour), 2 * hour)
  assert.equal(reachAhead({ kind: 'last', ms: hour }, hour, 2 * hour), hour / 2)
  assert.equal(reachAhead({ kind: 'last', ms: 4 * hour }, 4 * hour, 2 * hour), 2 * hour)
  assert.equal(reachAhead({ kind: 'fixed', from: 0, to: hour }, hour, 2 * hour), 0)
})
