import assert from 'node:assert/strict'
import { test } from 'node:test'
import { waterFraction } from '../process-maths/gas-balance.ts'
import { defaultProcessSettings } from './process-settings.ts'
import { type GasSignals, vesselGas } from './vessel-gas.ts'

const signals: GasSignals = {
  air: 1,
  inlet: 1,
  oxygen: undefined,
  outlet: 0.9926,
  oxygenOut: 19,
  carbonDioxideOut: 1.4,
  pressureBar: 1.013,
  volumeL: 1,
}
const balance = (given: Partial<GasSignals> = {}, settings = defaultProcessSettings) =>
  vesselGas(settings).close({ ...signals, ...given })
const mmol = (value: number | null) => (value === null ? null : (1000 * value).toFixed(3))

test('the published balance is what a window gives', () => {
  const state = balance()
  assert.equal(mmol(state.transfer.value), '52.151')
  assert.equal(mmol(state.evolution.value), '33.663')
  assert.equal(state.closure.value?.toFixed(3), '1.000')
  assert.equal(state.saturation?.toFixed(8), (0.222e-3 * (0.19 / 0.2095)).toFixed(8))
})

test('without the air controller the inlet meter stands for the air; without either, or an analyser, nothing does', () => {
  assert.equal(mmol(balance({ air: undefined }).evolution.value), '33.663')
  const missing = { value: null, reason: 'missing_input' }
  assert.deepEqual(balance({ air: undefined, inlet: undefined }).evolution, missing)
  assert.deepEqual(balance({ oxygenOut: undefined }).evolution, missing)
  assert.deepEqual(balance({ carbonDioxideOut: undefined }).transfer, missing)
  assert.deepEqual(balance({ air: 0, inlet: 0 }).transfer, { value: null, reason: 'no_air_flow' })
  assert.deepEqual(balance({ volumeL: undefined }).transfer, { value: null, reason: 'implausible_volume' })
  assert.deepEqual(balance({ oxygenOut: 60, carbonDioxideOut: 39.5 }).transfer.reason, 'implausible_gas')
})

test('oxygen enrichment without its flow withholds what needs it, and CER stands', () => {
  const unknown = { value: null, reason: 'oxygen_flow_unknown' }
  const byFlow = balance({ inlet: 1.02, oxygenOut: 20.4 })
  assert.deepEqual([byFlow.transfer, byFlow.closure], [unknown, unknown])
  assert.ok(byFlow.evolution.value !== null)
  assert.deepEqual(balance({ inlet: undefined, oxygenOut: 24 }).transfer, unknown)
  // The noise of two meters is no enrichment.
  assert.ok(balance({ inlet: 1.012 }).transfer.value !== null)
})

test('with the oxygen flow known, enrichment is part of the balance', () => {
  const known = balance({ oxygen: 0.1, inlet: 1.1, oxygenOut: 24 })
  assert.ok(known.transfer.value !== null && known.transfer.value > 0.05)
})

test('after enrichment the balance stays withheld until no enriched gas is on its way, 5 min', () => {
  const gas = vesselGas(defaultProcessSettings)
  gas.close({ ...signals, inlet: 1.1 })
  for (let nth = 1; nth < 10; nth++) assert.equal(gas.close(signals).transfer.value, null, String(nth))
  assert.ok(gas.close(signals).transfer.value !== null)
})

test('gas measured wet is dried, and an analyser that shows 20.69 on air is set right', () => {
  const humidity = { relativeHumidity: 1, celsius: 30, pressureKPa: 101.325 }
  const water = waterFraction(1, 30, 101.325)
  const wet = balance(
    { oxygenOut: 19 * (1 - water), carbonDioxideOut: 1.4 * (1 - water) },
    { ...defaultProcessSettings, analyserHumidity: humidity },
  )
  assert.equal(mmol(wet.transfer.value), '52.151')
  const low = balance(
    { oxygenOut: (19 * 20.69) / 20.95 },
    { ...defaultProcessSettings, oxygenShownOnAir: 0.2069 },
  )
  assert.equal(mmol(low.transfer.value), '52.151')
})
