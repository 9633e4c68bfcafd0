import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { exhaustGas } from './gas.ts'
import { lagFactor, pHFactor, steadyOxygen, temperatureFactor } from './kinetics.ts'

test('temperature and pH act on growth as the literature values say', () => {
  for (const [celsius, factor] of [
    [29, 0.945],
    [30, 1],
    [31, 1.02],
    [32, 1],
  ] as const)
    assert.equal(temperatureFactor(celsius), factor)
  assert.ok(temperatureFactor(36) < 0.6)
  for (const [pH, factor] of [
    [2.2, 0],
    [2.6, 0.5],
    [3, 0.9],
    [3.5, 1],
    [5, 1],
    [6.5, 1],
  ] as const)
    assert.equal(pHFactor(pH), factor)
  assert.equal(pHFactor(1.9), 0)
})

test('nothing grows before inoculation and lag ends with its scale', () => {
  assert.equal(lagFactor(0, 1), 0)
  assert.equal(lagFactor(-1, 1), 0)
  assert.ok(Math.abs(lagFactor(1, 1) - (1 - Math.exp(-1))) < 1e-12)
  assert.ok(lagFactor(3, 1) > 0.999)
})

test('at the steady oxygen concentration transfer equals uptake', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 2, max: 2000, noNaN: true }),
      fc.double({ min: 0.01, max: 0.5, noNaN: true }),
      fc.double({ min: 0, max: 300, noNaN: true }),
      (kLa, saturation, demand) => {
        const affinity = 0.003
        const oxygen = steadyOxygen(kLa, saturation, affinity, demand)
        assert.ok(oxygen >= 0 && oxygen <= saturation + 1e-9)
        const transfer = kLa * (saturation - oxygen)
        const uptake = (demand * oxygen) / (affinity + oxygen)
        assert.ok(Math.abs(transfer - uptake) <= 1e-7 * Math.max(1, uptake), `${transfer} ${uptake}`)
      },
    ),
  )
})

test('exhaust gas turns back into the rates by the inert balance', () => {
  // The gas balance vector: OUR 52.151 and CER 33.663 mmol/L/h at 1 L/min give 19.00 % O2 and 1.40 % CO2.
  const exhaust = exhaustGas(1, 0, 52.151, 33.663)
  assert.ok(Math.abs(exhaust.oxygenFraction * 100 - 19) < 0.001, String(exhaust.oxygenFraction))
  assert.ok(
    Math.abs(exhaust.carbonDioxideFraction * 100 - 1.4) < 0.001,
    String(exhaust.carbonDioxideFraction),
  )
  assert.ok(Math.abs((exhaust.flowOutLPerMin * 60) / 24.055 - 2.475796) < 1e-4)
})
