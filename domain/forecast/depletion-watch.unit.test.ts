import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DepletionSigns, depletionWatch } from './depletion-watch.ts'

const growing: DepletionSigns = {
  hours: 20,
  glycerolGPerL: 2,
  baseShare: 1,
  dissolvedOxygenPercent: 33,
  carbonDioxidePercent: 3,
}
const watching = () => {
  const watch = depletionWatch()
  for (let index = 0; index < 10; index++) watch.apply({ ...growing, hours: 19.9 + index / 120 })
  return watch
}
const twice = (watch: ReturnType<typeof depletionWatch>, signs: Partial<DepletionSigns>): boolean => {
  watch.apply({ ...growing, ...signs, hours: 20 })
  return watch.apply({ ...growing, ...signs, hours: 20 + 1 / 120 })
}

test('ammonia demand that falls while dissolved oxygen climbs is depletion, from the second window on', () => {
  const watch = watching()
  assert.equal(watch.apply({ ...growing, baseShare: 0.2, dissolvedOxygenPercent: 50 }), false)
  assert.equal(watch.apply({ ...growing, hours: 20.01, baseShare: 0.1, dissolvedOxygenPercent: 60 }), true)
  assert.equal(watch.seenAtHours(), 20.01)
})

test('one sign alone is no depletion while glycerol is left', () => {
  assert.equal(twice(watching(), { glycerolGPerL: 6, baseShare: 0 }), false)
  assert.equal(twice(watching(), { glycerolGPerL: 6, dissolvedOxygenPercent: 90 }), false)
})

test('a stopped ammonia feed early in the batch is no depletion, whatever else happens', () => {
  assert.equal(twice(watching(), { glycerolGPerL: 30, baseShare: 0, carbonDioxidePercent: 1 }), false)
})

test('depletion once seen stays seen', () => {
  const watch = watching()
  twice(watch, { baseShare: 0, dissolvedOxygenPercent: 80 })
  assert.equal(watch.apply({ ...growing, hours: 21 }), true)
})
