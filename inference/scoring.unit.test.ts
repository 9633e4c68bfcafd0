import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { windowMs } from '../domain/process-windows/process-window.ts'
import type { Horizon } from '../schemas/events/forecast-events.ts'
import { horizonMs, judgedWindowEnd } from './scoring.ts'

const noon = Date.parse('2026-11-21T12:00:00.000Z')

test('a sample judges the forecast whose target time lies nearest to it', () => {
  const later = noon + 86_400_000
  assert.equal(judgedWindowEnd(noon, 'PT0S', later), noon)
  assert.equal(judgedWindowEnd(noon, 'PT30M', later), noon - 1_800_000)
  assert.equal(judgedWindowEnd(noon + 14_000, 'PT30S', later), noon - 30_000)
  assert.equal(judgedWindowEnd(noon + 16_000, 'PT30S', later), noon)
})

test('of two forecasts as near the earlier one is judged', () => {
  assert.equal(judgedWindowEnd(noon + 15_000, 'PT0S', noon + 86_400_000), noon)
})

test('a forecast whose window closed after the sample was recorded is not judged: it may have looked at it', () => {
  assert.equal(judgedWindowEnd(noon, 'PT0S', noon - 30_000), noon - 30_000)
  assert.equal(judgedWindowEnd(noon, 'PT0S', noon - 60_000), undefined)
  assert.equal(judgedWindowEnd(noon, 'PT2H', noon - 30_000), noon - 7_200_000)
  assert.equal(judgedWindowEnd(noon, 'PT0S', undefined), undefined)
})

test('what is judged was closed, lies on the grid of windows, and is at most one window off', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: noon - 1e9, max: noon + 1e9 }),
      fc.constantFrom(...(Object.keys(horizonMs) as Horizon[])),
      fc.integer({ min: -1_000, max: 1_000 }),
      (sampledMs, horizon, behind) => {
        const closedThrough = (Math.floor(sampledMs / windowMs) - behind) * windowMs
        const end = judgedWindowEnd(sampledMs, horizon, closedThrough)
        if (end === undefined) return
        assert.ok(end <= closedThrough)
        assert.equal(end % windowMs, 0)
        assert.ok(Math.abs(end + horizonMs[horizon] - sampledMs) <= windowMs)
      },
    ),
  )
})
