import assert from 'node:assert/strict'
import test from 'node:test'
import type { TimelineItem } from '../api/answers.ts'
import { addToTimeline, applyReadings, newestSourceMs } from './current.ts'

const frame = (at: string, value: number, tag = 'pH') => ({
  position: '5',
  readings: [{ tag, at, value, quality: 'good' as const, unit: '[pH]' }],
})

test('a live reading becomes the current value with label, decimals and range of its tag', () => {
  const [value] = applyReadings([], frame('2026-11-21T12:00:00.000Z', 5.01))
  assert.equal(value?.label, 'pH')
  assert.equal(value?.unitLabel, 'pH')
  assert.deepEqual(value?.operatingRange, [3, 8])
})

test('a late reading does not replace a newer current value', () => {
  const current = applyReadings([], frame('2026-11-21T12:00:00.000Z', 5.01))
  const after = applyReadings(current, frame('2026-11-21T11:59:00.000Z', 4))
  assert.equal(after[0]?.value, 5.01)
  assert.equal(applyReadings(after, frame('2026-11-21T12:00:01.000Z', 5.02))[0]?.value, 5.02)
})

test('the newest source time is the newest of all tags, and none when there are none', () => {
  const current = applyReadings(
    applyReadings([], frame('2026-11-21T12:00:00.000Z', 5)),
    frame('2026-11-21T12:00:09.000Z', 60, 'DO'),
  )
  assert.equal(newestSourceMs(current), Date.parse('2026-11-21T12:00:09.000Z'))
  assert.equal(newestSourceMs([]), null)
})

test('the timeline has each event once, newest position first, also beyond nine digits', () => {
  const item = (eventId: string, position: string) => ({ eventId, position }) as TimelineItem
  const timeline = addToTimeline([item('a', '9'), item('b', '8')], [item('c', '10'), item('a', '9')])
  assert.deepEqual(
    timeline.map(({ eventId }) => eventId),
    ['c', 'a', 'b'],
  )
})
