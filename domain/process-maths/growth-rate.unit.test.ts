import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { randomStream } from '../process-model/random.ts'
import { growthRateBetween, growthRatePoints, trailingLogSlope } from './growth-rate.ts'

const stepHours = 30 / 3600
const growth = (points = growthRatePoints) => trailingLogSlope({ points, stepHours, floor: 0.05 })

test('exponential growth has its rate, whatever the level', () => {
  fc.assert(
    fc.property(
      fc.double({ min: -0.1, max: 0.5, noNaN: true }),
      fc.double({ min: 1, max: 1000, noNaN: true }),
      (rate, level) => {
        const slope = growth()
        for (let nth = 0; nth < 100; nth++) slope.push(level * Math.exp(rate * nth * stepHours))
        assert.ok(Math.abs((slope.slopePerH() ?? Number.NaN) - rate) < 1e-9)
      },
    ),
  )
})

test('the value belongs to the middle of its span, as that of a Savitzky-Golay polynomial of order 2', () => {
  const slope = growth()
  const curve = (hours: number) => Math.exp(0.1 * hours + 0.05 * hours * hours)
  for (let nth = 0; nth < growthRatePoints; nth++) slope.push(10 * curve(nth * stepHours))
  const middleHours = 30 * stepHours
  assert.ok(Math.abs((slope.slopePerH() ?? Number.NaN) - (0.1 + 2 * 0.05 * middleHours)) < 1e-9)
})

test('there is no growth rate before 80 % of the span is filled, nor when gaps empty it', () => {
  const slope = growth(10)
  for (let nth = 0; nth < 7; nth++) {
    slope.push(1)
    assert.equal(slope.slopePerH(), undefined)
  }
  slope.push(1)
  assert.equal(slope.slopePerH(), 0)
  for (let nth = 0; nth < 4; nth++) slope.push(1)
  slope.push(undefined)
  slope.push(undefined)
  assert.equal(slope.slopePerH(), 0)
  slope.push(undefined)
  assert.equal(slope.slopePerH(), undefined)
})

test('a missing point is left out, not taken for a level', () => {
  const slope = growth(10)
  for (let nth = 0; nth < 10; nth++) slope.push(nth === 4 ? undefined : Math.exp(0.2 * nth * stepHours))
  assert.ok(Math.abs((slope.slopePerH() ?? Number.NaN) - 0.2) < 1e-9)
})

test('an optical density below 0.05 counts as 0.05', () => {
  const slope = growth(10)
  for (let nth = 0; nth < 10; nth++) slope.push(nth % 2 === 0 ? -1 : 0.049)
  assert.equal(slope.slopePerH(), 0)
})

test('1 % of noise per second leaves an SD of 0.07 over 5 window means, 0.003 over 41 and 0.0016 over 61', () => {
  for (const [points, expected] of [
    [5, 0.07],
    [41, 0.003],
    [61, 0.0016],
  ] as const) {
    const random = randomStream(1, `growth/${points}`)
    const slope = growth(points)
    let sum = 0
    let squares = 0
    let count = 0
    for (let nth = 0; nth < 20_000; nth++) {
      slope.push(10 * (1 + (0.01 / Math.sqrt(30)) * random.normal()))
      const value = slope.slopePerH()
      if (value === undefined || nth < points) continue
      sum += value
      squares += value * value
      count++
    }
    const sd = Math.sqrt(squares / count - (sum / count) ** 2)
    assert.ok(Math.abs(sd - expected) < 0.1 * expected, `${sd} for ${expected} over ${points}`)
  }
})

test('between two samples the rate is ln(later/earlier) per hour', () => {
  assert.equal(growthRateBetween(2, 4, 2).toFixed(4), '0.3466')
  assert.throws(() => growthRateBetween(0, 4, 2), RangeError)
  assert.throws(() => growthRateBetween(1, 4, 0), RangeError)
})
