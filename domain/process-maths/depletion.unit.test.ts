import assert from 'node:assert/strict'
import { test } from 'node:test'
import { depletionWatch } from './depletion.ts'

const step = 30_000
const startMs = 20 * 3_600_000

/** Feeds dissolved oxygen window by window from 20 h on; gives the minutes until confirmation. */
function minutesUntilConfirmed(
  oxygen: readonly (number | undefined)[],
  hoursAtStart = 20,
): number | undefined {
  const watch = depletionWatch(step)
  let confirmed: number | undefined
  oxygen.forEach((value, nth) => {
    const toMs = startMs + (nth + 1) * step
    confirmed = watch.push(toMs, value, hoursAtStart + ((nth + 1) * step) / 3_600_000)
  })
  return confirmed === undefined ? undefined : (confirmed - startMs) / 60_000
}
const held = (value: number | undefined, minutes: number) => Array.from({ length: 2 * minutes }, () => value)
const ramp = (from: number, to: number, minutes: number) =>
  Array.from({ length: 2 * minutes }, (_, nth) => from + ((to - from) * (nth + 1)) / (2 * minutes))

test('a rise from 30 to 95 % that stays is confirmed ten minutes after it passed 80 %', () => {
  const confirmed = minutesUntilConfirmed([...held(30, 10), ...ramp(30, 95, 15), ...held(95, 30)])
  assert.ok(confirmed !== undefined && confirmed >= 31 && confirmed <= 32, String(confirmed))
})

test('dips of up to three points do not start it anew, a deeper one does', () => {
  const rise = [...held(30, 10), ...ramp(30, 85, 10)]
  const dipped = minutesUntilConfirmed([...rise, ...held(85, 5), 77.1, ...held(85, 20)])
  const fell = minutesUntilConfirmed([...rise, ...held(85, 5), 76.9, ...held(85, 20)])
  assert.ok(dipped !== undefined && fell !== undefined && fell > dipped + 4, `${dipped} ${fell}`)
})

test('high oxygen that never rose is no depletion', () => {
  assert.equal(minutesUntilConfirmed(held(98, 60)), undefined)
  assert.equal(minutesUntilConfirmed([...held(45, 10), ...ramp(45, 84, 10), ...held(84, 60)]), undefined)
})

test('a rise of 40 points must come within 30 min', () => {
  assert.equal(minutesUntilConfirmed([...held(30, 10), ...ramp(30, 90, 90), ...held(90, 60)]), undefined)
})

test('nothing is confirmed before 12 h after inoculation, nor without one', () => {
  const spike = [...held(30, 10), ...ramp(30, 95, 10), ...held(95, 30)]
  assert.equal(minutesUntilConfirmed(spike, 11), undefined)
  const watch = depletionWatch(step)
  spike.forEach((value, nth) => {
    assert.equal(watch.push(startMs + nth * step, value, undefined), undefined)
  })
})

test('ten minutes must have been seen: unknown oxygen interrupts them', () => {
  const rise = [...held(30, 10), ...ramp(30, 95, 10)]
  const seen = minutesUntilConfirmed([...rise, ...held(95, 40)])
  const interrupted = minutesUntilConfirmed([...rise, ...held(95, 5), undefined, ...held(95, 40)])
  assert.ok(seen !== undefined && interrupted !== undefined && interrupted > seen + 4)
})
