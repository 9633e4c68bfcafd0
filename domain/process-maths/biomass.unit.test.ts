import assert from 'node:assert/strict'
import { test } from 'node:test'
import { carbonClosure, dryBiomass, dryCellWeight, glycerolGPerCmol, specificRate } from './biomass.ts'

test('a filter of 0.0850 g that weighs 0.1005 g after 5.0 mL and drying holds 3.10 g/L', () => {
  const weighed = { driedG: 0.1005, emptyFilterG: 0.085, volumeMl: 5 }
  assert.equal(dryCellWeight(weighed).toFixed(2), '3.10')
  assert.throws(() => dryCellWeight({ ...weighed, driedG: 0.08 }), /driedG is 0.08/)
  assert.throws(() => dryCellWeight({ ...weighed, volumeMl: 0 }), /volumeMl is 0/)
})

test('40 g/L of glycerol are 1.303 C-mol/L, found again in CO2 and biomass', () => {
  assert.equal((40 / glycerolGPerCmol).toFixed(3), '1.303')
  const closure = carbonClosure({
    carbonDioxideMolPerL: 1.303 - 23.64 / 26,
    biomassGainGPerL: 23.64,
    glycerolUsedGPerL: 40,
  })
  assert.equal(closure?.toFixed(3), '1.000')
  assert.equal(
    carbonClosure({ carbonDioxideMolPerL: 0, biomassGainGPerL: 0, glycerolUsedGPerL: 0 }),
    undefined,
  )
})

test('dry biomass follows the correlation and is never negative; without biomass there is no specific rate', () => {
  assert.equal(dryBiomass(60, { gPerLPerOd: 0.4, offsetGPerL: 0 }), 24)
  assert.equal(dryBiomass(0.1, { gPerLPerOd: 0.4, offsetGPerL: -0.1 }), 0)
  assert.equal(specificRate(0.06, 10), 0.006)
  assert.equal(specificRate(0.06, 0), undefined)
})
