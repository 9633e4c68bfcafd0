import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cascadeStep } from './cascade.ts'
import { simulateProcess } from './process.ts'
import { presets } from './settings.ts'

const step = (rpm: number, oxygenLPerMin: number, oxygen: number, limit = 0.3) =>
  cascadeStep({ rpm, oxygenLPerMin }, oxygen, 30, limit)

test('below the setpoint agitation rises by 50 rpm to 1000, then oxygen by 0.02 L/min to its limit', () => {
  assert.deepEqual(step(500, 0, 29.9), { rpm: 550, oxygenLPerMin: 0 })
  assert.deepEqual(step(950, 0, 10), { rpm: 1000, oxygenLPerMin: 0 })
  assert.deepEqual(step(1000, 0, 10), { rpm: 1000, oxygenLPerMin: 0.02 })
  assert.deepEqual(step(1000, 0.3, 10), { rpm: 1000, oxygenLPerMin: 0.3 })
  assert.deepEqual(step(1000, 0, 10, 0), { rpm: 1000, oxygenLPerMin: 0 })
})

test('from 30 to 45 % nothing moves', () => {
  for (const oxygen of [30, 38, 45]) assert.deepEqual(step(700, 0, oxygen), { rpm: 700, oxygenLPerMin: 0 })
})

test('above 45 % oxygen goes back first, then agitation to 500', () => {
  assert.deepEqual(step(1000, 0.02, 46), { rpm: 1000, oxygenLPerMin: 0 })
  assert.deepEqual(step(1000, 0, 46), { rpm: 950, oxygenLPerMin: 0 })
  assert.deepEqual(step(500, 0, 99), { rpm: 500, oxygenLPerMin: 0 })
})

test('whatever the probe shows, agitation and oxygen stay in their ranges and on their steps', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: -5, max: 200, noNaN: true }), { maxLength: 80 }), (readings) => {
      let state = { rpm: 500, oxygenLPerMin: 0 }
      for (const reading of readings) {
        state = cascadeStep(state, reading, 30, 0.3)
        assert.ok(state.rpm >= 500 && state.rpm <= 1000 && state.rpm % 50 === 0)
        assert.ok(state.oxygenLPerMin >= 0 && state.oxygenLPerMin <= 0.3)
        assert.equal(state.oxygenLPerMin, Math.round(state.oxygenLPerMin * 50) / 50)
      }
    }),
  )
})

test('the controller acts on whole minutes only', () => {
  let previous = 500
  for (const truth of simulateProcess(presets.N)) {
    if (truth.rpmSetpoint !== previous) assert.equal(truth.second % 60, 0)
    previous = truth.rpmSetpoint
  }
})
