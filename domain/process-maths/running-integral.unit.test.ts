import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { runningIntegral } from './running-integral.ts'

const step = 30_000
const hour = 3_600_000
const near = (actual: number, expected: number, within = 1e-9) =>
  assert.ok(Math.abs(actual - expected) <= within, `${actual}, expected ${expected}`)

test('a constant rate over two hours is twice the rate, and all is covered', () => {
  const integral = runningIntegral()
  for (let nth = 0; nth < 240; nth++) integral.push(nth * step, (nth + 1) * step, 3)
  near(integral.value().total, 6)
  assert.equal(integral.value().uncoveredSeconds, 0)
})

test('a rising rate is integrated by trapezoids', () => {
  const integral = runningIntegral()
  // Window means of rate = t (h): the exact integral of one hour is 0.5.
  for (let nth = 0; nth < 120; nth++) integral.push(nth * step, (nth + 1) * step, ((nth + 0.5) * step) / hour)
  near(integral.value().total, 0.5, 1e-4)
})

test('a gap below 5 min is bridged by its line; a longer one adds nothing and is counted', () => {
  const bridged = runningIntegral()
  bridged.push(0, step, 2)
  bridged.push(9 * step, 10 * step, 4)
  near(bridged.value().total, (2 * 15 + 3 * 270 + 4 * 15) / 3600)
  assert.equal(bridged.value().uncoveredSeconds, 0)
  const broken = runningIntegral()
  broken.push(0, step, 2)
  broken.push(10 * step, 11 * step, 4)
  near(broken.value().total, (2 * 30 + 4 * 30) / 3600)
  near(broken.value().uncoveredSeconds, 270)
})

test('an open gap is counted while it is open', () => {
  const integral = runningIntegral()
  integral.push(0, step, 2)
  for (let nth = 1; nth < 5; nth++) integral.push(nth * step, (nth + 1) * step, undefined)
  near(integral.value().total, (2 * 30) / 3600)
  near(integral.value().uncoveredSeconds, 120)
})

test('what is never known is not zero but uncovered', () => {
  const integral = runningIntegral()
  for (let nth = 0; nth < 10; nth++) integral.push(nth * step, (nth + 1) * step, undefined)
  assert.deepEqual(integral.value(), { total: 0, uncoveredSeconds: 300 })
})

test('counting starts at T = 0, known beforehand, within a window or an hour late', () => {
  const startMs = 10 * step + 12_000
  const run = (knownAfter: number) => {
    const integral = runningIntegral()
    if (knownAfter < 0) integral.startAt(startMs)
    for (let nth = 0; nth < 130; nth++) {
      integral.push(nth * step, (nth + 1) * step, 6)
      if (nth === knownAfter) integral.startAt(startMs)
    }
    return integral.value()
  }
  const expected = (6 * (130 * step - startMs)) / hour
  near(run(-1).total, expected)
  near(run(10).total, expected, 6 * (12 / 3600) + 1e-9)
  near(run(100).total, expected, 6 * (12 / 3600) + 1e-9)
  assert.equal(run(100).uncoveredSeconds, 0)
})

test('a start further back than an hour leaves what is unknown uncovered', () => {
  const integral = runningIntegral()
  for (let nth = 0; nth < 300; nth++) integral.push(nth * step, (nth + 1) * step, 6)
  integral.startAt(0)
  const { total, uncoveredSeconds } = integral.value()
  near(total / 6 + uncoveredSeconds / 3600, (300 * step) / hour, 1e-6)
  assert.ok(uncoveredSeconds > 0)
})

test('covered and uncovered time add up to the time that passed, and the total scales with the rate', () => {
  fc.assert(
    fc.property(
      fc.array(fc.option(fc.double({ min: 0, max: 100, noNaN: true }), { nil: undefined }), {
        minLength: 1,
        maxLength: 80,
      }),
      fc.double({ min: 0.1, max: 10, noNaN: true }),
      (rates, factor) => {
        const one = runningIntegral()
        const scaled = runningIntegral()
        const time = runningIntegral()
        rates.forEach((rate, nth) => {
          one.push(nth * step, (nth + 1) * step, rate)
          scaled.push(nth * step, (nth + 1) * step, rate === undefined ? undefined : rate * factor)
          time.push(nth * step, (nth + 1) * step, rate === undefined ? undefined : 1)
        })
        near(scaled.value().total, one.value().total * factor, 1e-9)
        const { total, uncoveredSeconds } = time.value()
        near(total + uncoveredSeconds / 3600, (rates.length * step) / hour)
      },
    ),
  )
})
