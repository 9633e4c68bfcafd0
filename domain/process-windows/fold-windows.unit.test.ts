import assert from 'node:assert/strict'
import { test } from 'node:test'
import { windowFold } from './fold-windows.ts'
import { vesselEvents } from './testing/vessel-events.ts'

const startMs = Date.parse('2026-11-01T08:00:00.000Z')

test('a window closes with the first reading one second after its end, and not before', () => {
  const events = vesselEvents({ vessel: 'V-01', startMs })
  const fold = windowFold({ vessel: 'V-01' })
  fold.apply(events.created(startMs - 1000))
  for (let second = 0; second <= 30; second++)
    assert.deepEqual(fold.apply(events.reading(startMs + second * 1000, 'pH', 5)), [])
  const [window, ...others] = fold.apply(events.reading(startMs + 31_000, 'pH', 5))
  assert.equal(others.length, 0)
  assert.ok(window)
  assert.deepEqual([window.fromMs, window.toMs], [startMs, startMs + 30_000])
  assert.deepEqual(window.tags.pH, {
    mean: 5,
    min: 5,
    max: 5,
    last: 5,
    goodCount: 30,
    expectedCount: 30,
    quality: 'good',
  })
})
