import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { acidMmolPerGram, baseMmolPerMl, pHOfCharge, strongIonCharge } from './acid-base.ts'

test('pH without base falls with biomass as tabulated', () => {
  const start = strongIonCharge(5)
  for (const [grams, pH] of [
    [0.5, 4.82],
    [1, 4.56],
    [2, 3.89],
    [3, 3.53],
    [5, 3.19],
    [8, 2.91],
    [12, 2.68],
    [24, 2.27],
  ] as const) {
    const found = pHOfCharge(start - acidMmolPerGram * grams)
    assert.ok(Math.abs(found - pH) <= 0.011, `${grams} g/L: ${found} against ${pH}`)
  }
})

test('buffer capacity is 18 mmol/L per pH at 5.0 and lowest, about 7, near 4.3', () => {
  const capacity = (pH: number) => (strongIonCharge(pH + 0.001) - strongIonCharge(pH - 0.001)) / 0.002
  assert.ok(Math.abs(capacity(5) - 18) < 1, String(capacity(5)))
  const grid = Array.from({ length: 300 }, (_, index) => 3 + index / 100)
  const lowest = grid.reduce((best, pH) => (capacity(pH) < capacity(best) ? pH : best), 3)
  assert.ok(Math.abs(lowest - 4.3) < 0.1, String(lowest))
  assert.ok(Math.abs(capacity(lowest) - 7) < 0.5, String(capacity(lowest)))
})

test('bringing the medium from pH 1.5 to 5.0 takes about 22 mL/L of 28 % ammonia', () => {
  // The phosphate and the free protons; the tabulated 22 mL is rounded from the same balance with potassium.
  const ml = (strongIonCharge(5) - strongIonCharge(1.5)) / baseMmolPerMl
  assert.ok(Math.abs(ml - 22) < 1.5, String(ml))
})

test('growth to 24 g/L takes 8.6 to 8.8 mL/L of ammonia', () => {
  const ml = (acidMmolPerGram * 24) / baseMmolPerMl
  assert.ok(ml > 8.5 && ml < 8.8)
})

test('pH of a charge is the inverse of the charge of a pH, with and without a near guess', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1.6, max: 8.9, noNaN: true }),
      fc.double({ min: -0.5, max: 0.5, noNaN: true }),
      (pH, off) => {
        const charge = strongIonCharge(pH)
        assert.ok(Math.abs(pHOfCharge(charge) - pH) < 1e-6)
        assert.ok(Math.abs(pHOfCharge(charge, pH + off) - pH) < 1e-6)
      },
    ),
  )
})
