import assert from 'node:assert/strict'
import { test } from 'node:test'
import { growthOnGlycerol, metabolicHeat } from './stoichiometry.ts'

test('yields of 0.50 to 0.65 g/g give the tabulated oxygen demand, quotient and total', () => {
  for (const [yieldGPerG, carbonYield, perGram, quotient, total] of [
    [0.5, '0.590', '35.6', '0.75', '713'],
    [0.55, '0.649', '28.7', '0.72', '632'],
    [0.6, '0.708', '23.0', '0.69', '551'],
    // 0.7675 to four places.
    [0.65, '0.768', '18.1', '0.64', '470'],
  ] as const) {
    const growth = growthOnGlycerol(yieldGPerG)
    assert.deepEqual(
      [
        growth.carbonYield.toFixed(3),
        growth.oxygenMmolPerGBiomass.toFixed(1),
        growth.respiratoryQuotient.toFixed(2),
        (40 * growth.oxygenMmolPerGGlycerol).toFixed(0),
      ],
      [carbonYield, perGram, quotient, total],
    )
  }
})

test('burning glycerol without growth gives RQ 0.857, the ceiling', () => {
  assert.equal(growthOnGlycerol(1e-12).respiratoryQuotient.toFixed(3), '0.857')
  assert.throws(() => growthOnGlycerol(0.9), /yieldGPerG is 0.9/)
})

test('130 mmol/L/h release 16.6 W/L', () => {
  assert.equal(metabolicHeat(0.13).toFixed(1), '16.6')
})
