import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  airComposition,
  dryFraction,
  gasExchange,
  molarVolume,
  respiratoryQuotient,
  saturationPressureKPa,
  waterFraction,
} from './gas-balance.ts'

const gasIn = {
  airFlowLPerMin: 1,
  oxygenFlowLPerMin: 0,
  oxygenPurity: 0.995,
  molarVolumeLPerMol: molarVolume.at20C1013mbar,
}
const near = (actual: number, expected: number, digits: number) =>
  assert.equal(actual.toFixed(digits), expected.toFixed(digits))

test('the balance of the process description is reproduced', () => {
  const { flowIn, flowOut, oxygenUptakeRate, carbonDioxideEvolutionRate } = gasExchange(
    gasIn,
    { oxygen: 0.19, carbonDioxide: 0.014 },
    1,
  )
  near(flowIn, 2.494284, 6)
  near(flowOut, 2.475796, 6)
  near(oxygenUptakeRate, 0.052151, 6)
  near(carbonDioxideEvolutionRate, 0.033663, 6)
  const quotient = respiratoryQuotient(oxygenUptakeRate, carbonDioxideEvolutionRate)
  assert.ok(quotient.kind === 'value')
  near(quotient.value, 0.6455, 4)
})

test('gas measured wet as if it were dry gives the published wrong figures, and corrected the right ones', () => {
  const water = waterFraction(1, 30, 101.325)
  const wet = gasExchange(gasIn, { oxygen: 0.19 * (1 - water), carbonDioxide: 0.014 * (1 - water) }, 1)
  near(wet.oxygenUptakeRate, 0.076649, 4)
  const dried = gasExchange(
    gasIn,
    {
      oxygen: dryFraction(0.19 * (1 - water), 1, 30, 101.325),
      carbonDioxide: dryFraction(0.014 * (1 - water), 1, 30, 101.325),
    },
    1,
  )
  near(dried.oxygenUptakeRate, 0.052151, 6)
})

test('water vapour at 1.013 bar has the tabulated fractions', () => {
  for (const [celsius, percent] of [
    [30, 4.19],
    [25, 3.13],
    [10, 1.21],
    [5, 0.86],
  ] as const)
    near(100 * waterFraction(1, celsius, 101.325), percent, 2)
  near(saturationPressureKPa(0), 0.61121, 5)
})

test('a vessel that exchanges nothing shows no rates, and rates follow from composition whatever the flow', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.1, max: 10, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0.1, max: 10, noNaN: true }),
      (air, enrichment, volume) => {
        const flows = { ...gasIn, airFlowLPerMin: air, oxygenFlowLPerMin: enrichment }
        const oxygen = (airComposition.oxygen * air + 0.995 * enrichment) / (air + enrichment)
        const carbonDioxide = (airComposition.carbonDioxide * air) / (air + enrichment)
        const idle = gasExchange(flows, { oxygen, carbonDioxide }, volume)
        assert.ok(Math.abs(idle.oxygenUptakeRate) < 1e-9 && Math.abs(idle.carbonDioxideEvolutionRate) < 1e-9)
        const working = gasExchange(
          flows,
          { oxygen: oxygen * 0.9, carbonDioxide: carbonDioxide + 0.01 },
          volume,
        )
        assert.ok(working.oxygenUptakeRate > 0 && working.carbonDioxideEvolutionRate > 0)
      },
    ),
  )
})

test('below the error floor the quotient is withheld', () => {
  assert.deepEqual(respiratoryQuotient(0.0079, 0.0055), { kind: 'low-signal' })
  assert.deepEqual(respiratoryQuotient(0.01, 0.0049), { kind: 'low-signal' })
  assert.deepEqual(respiratoryQuotient(Number.NaN, 0.01), { kind: 'low-signal' })
})

test('impossible inputs are refused, naming the input', () => {
  assert.throws(
    () => gasExchange({ ...gasIn, airFlowLPerMin: -1 }, { oxygen: 0.2, carbonDioxide: 0 }, 1),
    /airFlowLPerMin is -1/,
  )
  assert.throws(
    () => gasExchange({ ...gasIn, airFlowLPerMin: 0 }, { oxygen: 0.2, carbonDioxide: 0 }, 1),
    /flowIn/,
  )
  assert.throws(() => gasExchange(gasIn, { oxygen: 0.7, carbonDioxide: 0.3 }, 1), /1 − oxygen/)
  assert.throws(() => gasExchange(gasIn, { oxygen: 0.2, carbonDioxide: 0 }, 0), /liquidVolumeL/)
})
