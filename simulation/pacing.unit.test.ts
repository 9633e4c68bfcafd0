import assert from 'node:assert/strict'
import { test } from 'node:test'
import { paceOf, startOfRun } from './pacing.ts'

const now = Date.parse('2026-11-21T12:00:00.789Z')

test('a run faster than real time ends, in source time, when it was started', () => {
  for (const speed of [60, 1.5, 'max'] as const) {
    const start = startOfRun(speed, 78_000, now)
    assert.equal(new Date(start + 78_000 * 1000).toISOString(), '2026-11-21T12:00:00.000Z')
  }
})

test('at real time or slower a run begins now', () => {
  assert.equal(new Date(startOfRun(1, 78_000, now)).toISOString(), '2026-11-21T12:00:00.000Z')
  assert.equal(new Date(startOfRun(0.5, 78_000, now)).toISOString(), '2026-11-21T12:00:00.000Z')
})

test('a second is due when its time over the speed has passed', async () => {
  let nowMs = 0
  const clock = { nowMs: () => nowMs }
  const pace = paceOf(60, clock, undefined)
  nowMs = 1000
  await pace.until(60)
  const controller = new AbortController()
  const waiting = paceOf(60, clock, controller.signal).until(6_000_000)
  controller.abort()
  await assert.rejects(waiting, { code: 'aborted' })
  await assert.rejects(paceOf('max', clock, controller.signal).until(0), { code: 'aborted' })
})
