import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProcessWindow } from '../process-windows/process-window.ts'
import { softFeatures } from './feature-schema.ts'
import { forecastFold } from './forecast-fold.ts'
import type { ForecastInput } from './outcome.ts'
import { simulatedWindows } from './testing/simulated-windows.ts'

const batch = simulatedWindows(3)
const inputsOf = (windows: readonly ProcessWindow[]): readonly (ForecastInput | undefined)[] => {
  const fold = forecastFold()
  return windows.map((window) => fold.apply(window))
}
const inputs = inputsOf(batch.windows)
const at = (hours: number): { input: ForecastInput; trueOd: number } => {
  const index = Math.round(hours * 120) - 1
  const input = inputs[index]
  const trueOd = batch.trueOd[index]
  assert.ok(input && trueOd !== undefined)
  return { input, trueOd }
}
const bytes = (input: ForecastInput | undefined, features?: number): string =>
  input === undefined
    ? ''
    : Buffer.from(Float32Array.from(input.features.subarray(0, features)).buffer).toString('hex')

test('the state follows the true OD within 4 % from 2 h to the end, and its own doubt holds it', () => {
  for (const hours of [2, 5, 8, 12, 16, 19, 21]) {
    const { input, trueOd } = at(hours)
    const apart = input.basis.lnOd - Math.log(trueOd)
    assert.ok(Math.abs(apart) < 0.04, `${hours} h: ${apart}`)
    assert.ok(
      Math.abs(apart) < 4 * input.basis.scale.PT30S,
      `${hours} h: ${apart}, SD ${input.basis.scale.PT30S}`,
    )
  }
})

test('2 h ahead the equations reach the true OD within 5 %', () => {
  for (const hours of [3, 6, 10, 14, 17]) {
    const { input } = at(hours)
    const apart = input.basis.lnOd + input.basis.outlook.lnRatio.PT2H - Math.log(at(hours + 2).trueOd)
    assert.ok(Math.abs(apart) < 0.05, `${hours} h: ${apart}`)
  }
})

test('depletion is seen within 5 min, and growth is forecast no more', () => {
  assert.equal(at(batch.depletionHours - 0.1).input.basis.depleted, false)
  const { input } = at(batch.depletionHours + 5 / 60)
  assert.equal(input.basis.depleted, true)
  assert.ok(Math.abs(input.basis.outlook.lnRatio.PT2H) < 0.01)
})

test('without a fault nothing is withheld', () => {
  const withheld = inputs.filter((input) => input?.withhold !== undefined)
  assert.ok(withheld.length < 0.02 * inputs.length, withheld[0]?.withhold?.detail)
})

test('the same windows give the same bytes, also after another batch in the same fold', () => {
  const fold = forecastFold()
  for (const window of simulatedWindows(4).windows.slice(0, 300)) fold.apply(window)
  for (const [index, window] of batch.windows.slice(0, 600).entries())
    assert.equal(bytes(fold.apply(window)), bytes(inputs[index]))
})

test('what the online OD probe shows changes no feature of the soft sensor', () => {
  const deaf = batch.windows.map((window, index) => {
    const { OD, ...others } = window.tags
    assert.ok(OD)
    const wrong = { ...OD, mean: OD.mean * (1.5 + Math.sin(index)), last: OD.last * 2 }
    return index % 3 === 0 ? { ...window, tags: others } : { ...window, tags: { ...others, OD: wrong } }
  })
  for (const [index, input] of inputsOf(deaf).entries()) {
    assert.equal(
      bytes(input, softFeatures.length),
      bytes(inputs[index], softFeatures.length),
      `window ${index}`,
    )
    assert.equal(input?.basis.softLnOd, inputs[index]?.basis.softLnOd)
  }
})

test('a probe that reads 10 % low from the middle of a batch on is found out within 5 min', () => {
  const windows = simulatedWindows(3, [
    { kind: 'gain', fromHours: 10, toHours: 48, tag: 'OD', factor: 0.9 },
  ]).windows
  const judged = inputsOf(windows.slice(0, 10 * 120 + 10))
  assert.equal(judged[10 * 120 - 5]?.withhold, undefined)
  assert.equal(judged.at(-1)?.withhold?.reason, 'inputs-disagree')
})

test('before inoculation, and in the first minutes, there is no input', () => {
  const [window] = batch.windows
  assert.ok(window)
  assert.equal(forecastFold().apply({ ...window, hours: undefined }), undefined)
  assert.equal(forecastFold().apply({ ...window, hours: -0.5 }), undefined)
  assert.equal(forecastFold().apply(window), undefined)
})
