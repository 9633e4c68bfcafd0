import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulateProcess, type Truth } from '../process-model/process.ts'
import { presets } from '../process-model/settings.ts'
import { type RollFrom, rollForward } from './roll-forward.ts'

const truths = [...simulateProcess({ ...presets.N, endAfterDepletionHours: 3 })]
const at = (hours: number): Truth => {
  const truth = truths[Math.round(hours * 3600)]
  assert.ok(truth)
  return truth
}
const depletion = truths.find(({ depleted }) => depleted)?.hours ?? Number.NaN

const from = (truth: Truth): RollFrom => ({
  hours: truth.hours,
  biomass: truth.biomassGPerL,
  glycerol: truth.glycerolGPerL,
  biology: { lnMuMax: 0, lagHours: 1, lnYield: 0 },
  celsius: truth.temperatureCelsius,
  pH: truth.pH,
  volumeL: 1,
  baseMlPerMin: 0,
  oxygen: {
    kLa500: 300,
    cascade: { rpm: truth.rpm, oxygenLPerMin: 0 },
    maximumOxygenLPerMin: 0,
    setpointPercent: 30,
    airLPerMin: 1,
    exhaustOxygenFraction: truth.oxygenFraction,
  },
})

for (const hours of [1, 6, 12, 17, 19.5])
  test(`from the true state at ${hours} h the equations reach the true OD 2 h later within 1 %`, () => {
    const { lnRatio } = rollForward(from(at(hours)))
    const expected = Math.log(at(hours + 2).od / at(hours).od)
    assert.ok(Math.abs(lnRatio.PT2H - expected) < 0.01, `${lnRatio.PT2H}, expected ${expected}`)
  })

test('the time to depletion is right within a minute from 4 h before it', () => {
  for (const before of [4, 2, 1, 0.25]) {
    const minutes = rollForward(from(at(depletion - before))).depletionMinutes ?? Number.NaN
    assert.ok(Math.abs(minutes - before * 60) < 1, `${minutes} min, expected ${before * 60}`)
  }
})

test('nothing grows once glycerol is gone, and there is no time to its depletion', () => {
  const outlook = rollForward({ ...from(at(depletion + 0.2)), glycerol: 0 })
  assert.ok(Math.abs(outlook.lnRatio.PT2H) < 0.005)
  assert.equal(outlook.depletionMinutes, undefined)
})

test('depletion farther than 6.5 h ahead is not told', () => {
  assert.equal(rollForward(from(at(6))).depletionMinutes, undefined)
})

test('a vessel that transfers less oxygen grows more slowly, and says so', () => {
  const plenty = rollForward(from(at(19)))
  const little = rollForward({ ...from(at(19)), oxygen: { ...from(at(19)).oxygen, kLa500: 60 } })
  assert.ok(little.lnRatio.PT1H < plenty.lnRatio.PT1H - 0.05)
  assert.ok(little.lowestOxygenFactor < 0.9 && plenty.lowestOxygenFactor > 0.9)
})
