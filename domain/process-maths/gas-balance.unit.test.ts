import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  airComposition,
  dryFraction,
  flowClosure,
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
  const asIfDry = (water: number) =>
    gasExchange(gasIn, { oxygen: 0.19 * (1 - water), carbonDioxide: 0.014 * (1 - water) }, 1)
  const water = waterFraction(1, 30, 101.325)
  // The published row was computed with the vapour's tabulated 4.19 %: to that many digits of the input it holds exactly.
  const published = asIfDry(0.0419)
  near(published.flowOut, 2.449493, 6)
  near(published.oxygenUptakeRate, 0.076649, 6)
  near(published.carbonDioxideEvolutionRate, 0.031858, 6)
  near(published.carbonDioxideEvolutionRate / published.oxygenUptakeRate, 0.416, 3)
  // Unrounded the vapour is 4.1896 %, which moves outlet flow and uptake by two in the sixth decimal.
  near(100 * water, 4.1896, 4)
  const wet = asIfDry(water)
  near(wet.flowOut, 2.449495, 6)
  near(wet.oxygenUptakeRate, 0.076647, 6)
  near(wet.carbonDioxideEvolutionRate, 0.031858, 6)
  near(wet.carbonDioxideEvolutionRate / wet.oxygenUptakeRate, 0.416, 3)
  const dried = gasExchange(
    gasIn,
    {
      oxygen: dryFraction(0.19 * (1 - water), 1, 30, 101.325),
      carbonDioxide: dryFraction(0.014 * (1 - water), 1, 30, 101.325),
    },
    1,
  )
  near(dried.oxygenUptakeRate, 0.052151, 6)
  near(dried.carbonDioxideEvolutionRate, 0.033663, 6)
})

test('pressure on a standard flow, 0.9 L, 22.4 L/mol and 21 % O2 would give 0.061698, 0.043189 and 0.700', () => {
  const standardFlow = (60 * 1) / 22.4
  const pressure = 1.05 / 1.013
  const uptake = (standardFlow * (0.21 - 0.19) * pressure) / 0.9
  const evolution = (standardFlow * 0.014 * pressure) / 0.9
  near(uptake, 0.061698, 6)
  near(evolution, 0.043189, 6)
  near(evolution / uptake, 0.7, 3)
  const { oxygenUptakeRate, carbonDioxideEvolutionRate } = gasExchange(
    gasIn,
    { oxygen: 0.19, carbonDioxide: 0.014 },
    1,
  )
  near(100 * (uptake / oxygenUptakeRate - 1), 18.3, 1)
  near(100 * (evolution / carbonDioxideEvolutionRate - 1), 28.3, 1)
})

test('taking the outlet flow for the inlet flow would lose 6.7 % of the uptake', () => {
  const { flowIn, oxygenUptakeRate } = gasExchange(gasIn, { oxygen: 0.19, carbonDioxide: 0.014 }, 1)
  const assumed = flowIn * (airComposition.oxygen - 0.19)
  near(assumed, 0.048639, 6)
  near(100 * (assumed / oxygenUptakeRate - 1), -6.7, 1)
  near((flowIn * (0.014 - airComposition.carbonDioxide)) / assumed, 0.697, 3)
})

test('the reference condition of the flow controller is worth 7 to 9 %', () => {
  const at = (molarVolumeLPerMol: number) =>
    gasExchange({ ...gasIn, molarVolumeLPerMol }, { oxygen: 0.19, carbonDioxide: 0.014 }, 1).flowIn
  near(at(molarVolume.at0C1013mbar), 60 / 22.414, 6)
  near(at(molarVolume.at0C1013mbar) / at(molarVolume.at20C1013mbar), 24.055 / 22.414, 6)
  near(at(molarVolume.at0C1bar) / at(molarVolume.at25C1013mbar), 24.465 / 22.711, 6)
})

test('at the height of a batch the exhaust holds 16 % O2 and 3.7 % CO2, below the span of a 19–21 % analyser', () => {
  const { oxygenUptakeRate, carbonDioxideEvolutionRate } = gasExchange(
    gasIn,
    { oxygen: 0.16, carbonDioxide: 0.0372 },
    1,
  )
  assert.ok(oxygenUptakeRate > 0.125 && oxygenUptakeRate < 0.135, String(oxygenUptakeRate))
  near(carbonDioxideEvolutionRate / oxygenUptakeRate, 0.7, 1)
  const floor = gasExchange(gasIn, { oxygen: 0.19, carbonDioxide: 0.0146 }, 1)
  near(1000 * floor.oxygenUptakeRate, 52, 0)
})

test('rates scale with the flow and against the volume', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.1, max: 10, noNaN: true }),
      fc.double({ min: 0.1, max: 10, noNaN: true }),
      (factor, volume) => {
        const gasOut = { oxygen: 0.19, carbonDioxide: 0.014 }
        const one = gasExchange(gasIn, gasOut, 1)
        const scaled = gasExchange({ ...gasIn, airFlowLPerMin: factor }, gasOut, volume)
        for (const rate of ['oxygenUptakeRate', 'carbonDioxideEvolutionRate'] as const)
          assert.ok(Math.abs(scaled[rate] - (one[rate] * factor) / volume) < 1e-9 * factor)
      },
    ),
  )
})

test('a metered outlet within 5 % of the balanced one closes the balance', () => {
  assert.deepEqual(flowClosure(2.4, 2.4), { ratio: 1, plausible: true })
  assert.equal(flowClosure(1.05, 1).plausible, true)
  assert.equal(flowClosure(1.06, 1).plausible, false)
  assert.equal(flowClosure(0.94, 1).plausible, false)
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
