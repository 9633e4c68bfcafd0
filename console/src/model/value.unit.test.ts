import assert from 'node:assert/strict'
import test from 'node:test'
import { flagWords, formatValue, placeInRange, qualityStatus, rangeStatus, unitLabelOf } from './value.ts'

test("a value has the tag's decimals, a true minus sign and no negative zero", () => {
  assert.equal(formatValue(5, 2), '5.00')
  assert.equal(formatValue(-1.25, 1), '−1.3')
  assert.equal(formatValue(-0.001, 2), '0.00')
})

test('a value outside the operating range is said in a word with a direction', () => {
  assert.deepEqual(placeInRange(5.5, [3, 8], 'pH', '[pH]'), { share: 0.5, verdict: 'within' })
  assert.equal(rangeStatus(placeInRange(2.8, [3, 8], 'pH', '[pH]'))?.word, 'below range')
  assert.equal(rangeStatus(placeInRange(8.2, [3, 8], 'pH', '[pH]'))?.word, 'above range')
  assert.equal(rangeStatus(placeInRange(8, [3, 8], 'pH', '[pH]')), undefined)
})

test('noise around the end of the range does not make the word flicker', () => {
  assert.equal(placeInRange(101.5, [0, 100], 'DO', '%')?.verdict, 'within')
  assert.equal(placeInRange(102.5, [0, 100], 'DO', '%')?.verdict, 'above')
})

test('a flag is said in words; being late says nothing about simulated data', () => {
  assert.equal(flagWords(['late', 'out-of-hard-bounds'], 'live'), 'late, out of hard bounds')
  assert.equal(flagWords(['late'], 'simulated'), '')
})

test("a value sent in another of the tag's units is placed in the range of that unit", () => {
  assert.equal(placeInRange(60, [0, 120], 'Gas_Flow_Inlet', 'L/h')?.share, 0.5)
  assert.equal(placeInRange(1013, [900, 1500], 'Reactor_Pressure', 'mbar')?.verdict, 'within')
  assert.equal(placeInRange(60, [0, 120], 'Gas_Flow_Inlet', 'furlong'), undefined)
})

test("a unit that is not the tag's own stands as it was sent", () => {
  assert.equal(unitLabelOf('Temp_Broth', 'Cel'), '°C')
  assert.equal(unitLabelOf('Gas_Flow_Inlet', 'L/h'), 'L/h')
})

test('each quality has its own word and its own shape', () => {
  const all = (['good', 'uncertain', 'bad'] as const).map(qualityStatus)
  assert.equal(new Set(all.map((status) => status.shape)).size, 3)
  assert.equal(new Set(all.map((status) => status.word)).size, 3)
})
