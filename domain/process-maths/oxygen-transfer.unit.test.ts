import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  dissolvedOxygen,
  effectiveSaturation,
  transferCoefficient,
  transferRate,
  uptakeRate,
} from './oxygen-transfer.ts'

const saturationMolPerL = 0.222e-3
const exhaust = { saturationMolPerL, oxygenOut: 0.19, pressureBar: 1.013, calibrationPressureBar: 1.013 }

test('OUR 50 mmol/L/h at DO 30 % under 19 % O2 is a kLa of 371 1/h, not the 286 of the inlet gas', () => {
  const saturation = effectiveSaturation(exhaust)
  assert.equal((1000 * saturation).toFixed(5), '0.20134')
  const concentration = dissolvedOxygen(30, saturationMolPerL)
  assert.equal((1000 * concentration).toFixed(4), '0.0666')
  const coefficient = transferCoefficient(0.05, saturation, concentration)
  assert.ok(coefficient.kind === 'value')
  assert.equal(coefficient.perH.toFixed(0), '371')
})

test('saturation rises with pressure and enrichment; the probe’s concentration takes no pressure factor', () => {
  const saturation = effectiveSaturation({ ...exhaust, oxygenOut: 0.419, pressureBar: 2.026 })
  assert.ok(Math.abs(saturation - saturationMolPerL * 4) < 1e-9)
  assert.equal(dissolvedOxygen(100, saturationMolPerL), saturationMolPerL)
})

test('above 85 % of saturation there is no kLa', () => {
  assert.equal(transferCoefficient(0.01, 1, 0.85).kind, 'value')
  assert.equal(transferCoefficient(0.01, 1, 0.8501).kind, 'near-saturation')
  assert.equal(transferCoefficient(0.01, Number.NaN, 0.1).kind, 'near-saturation')
})

test('kLa and OTR are each other’s inverse', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 0.2, noNaN: true }),
      fc.double({ min: 1e-5, max: 1e-3, noNaN: true }),
      fc.double({ min: 0, max: 0.85, noNaN: true }),
      (rate, saturation, part) => {
        const concentration = part * saturation
        const coefficient = transferCoefficient(rate, saturation, concentration)
        assert.ok(coefficient.kind === 'value')
        assert.ok(Math.abs(transferRate(coefficient.perH, saturation, concentration) - rate) < 1e-12)
      },
    ),
  )
})

test('oxygen that the broth stores was not taken up', () => {
  // 0.1 mmol/L more within 30 s.
  assert.equal(uptakeRate(0.05, 0.0001, 0.0002, 30 / 3600).toFixed(6), '0.038000')
  assert.equal(uptakeRate(0.05, 0.0001, 0.0001, 30 / 3600), 0.05)
})
