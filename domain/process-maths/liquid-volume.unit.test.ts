import assert from 'node:assert/strict'
import { test } from 'node:test'
import { evaporation, waterFraction } from './gas-balance.ts'
import { liquidVolume } from './liquid-volume.ts'

test('eight samples of 10 mL take 8 % of a litre; base adds and evaporation takes', () => {
  const balance = { initialL: 1, samplesMl: 80, baseMl: 0, evaporatedG: 0 }
  assert.equal(liquidVolume(balance), 0.92)
  assert.equal(liquidVolume({ ...balance, baseMl: 8.6, evaporatedG: 20 })?.toFixed(4), '0.9086')
})

test('a balance that leaves less than a tenth is no volume', () => {
  const balance = { initialL: 1, samplesMl: 0, baseMl: 0, evaporatedG: 0 }
  assert.equal(liquidVolume({ ...balance, evaporatedG: 899 })?.toFixed(6), '0.101000')
  assert.equal(liquidVolume({ ...balance, evaporatedG: 901 }), undefined)
  assert.equal(liquidVolume({ ...balance, samplesMl: 5000 }), undefined)
})

test('1 L/min of gas leaving saturated carries 2.0 g/h of water at 30 °C and 0.55 g/h at 10 °C', () => {
  assert.equal(evaporation(2.494284, waterFraction(1, 30, 101.325)).toFixed(1), '2.0')
  assert.equal(evaporation(2.494284, waterFraction(1, 10, 101.325)).toFixed(2), '0.55')
})
