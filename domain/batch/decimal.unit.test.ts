import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decimalString } from '../../schemas/event.ts'
import {
  compareDecimals,
  formatDecimal,
  hoursWithTwoDecimals,
  parseDecimal,
  scaleMeasured,
} from './decimal.ts'

const typed = fc
  .tuple(fc.bigInt({ min: 0n, max: 99_999_999n }), fc.integer({ min: 0, max: 6 }))
  .map(([units, decimals]) => formatDecimal({ units, decimals }))
const factor = fc
  .tuple(fc.bigInt({ min: 1000n, max: 1_000_000n }), fc.integer({ min: 0, max: 3 }))
  .map(([units, decimals]) => formatDecimal({ units, decimals }))

test('a decimal is spelt again exactly as it was typed, sign and closing zeros included', () => {
  for (const text of ['0', '4.50', '-0.25', '100', '0.0000', '123456789012345.123456789012'])
    assert.equal(formatDecimal(parseDecimal(text)), text)
  fc.assert(fc.property(typed, (text) => assert.equal(formatDecimal(parseDecimal(text)), text)))
})

const products: [string, string, string][] = [
  ['0.412', '10', '4.12'],
  ['0.3750', '50', '18.75'],
  ['0.412', '1', '0.412'],
  ['0.41', '1000', '410'],
  ['0.9995', '100', '99.95'],
  ['0.999', '1.0005', '0.999'],
  ['0.995', '1.005', '1.00'],
  ['9.995', '10.001', '99.96'],
  ['0.125', '1.5', '0.188'],
  ['1', '1.5', '2'],
  ['0.000', '20', '0.000'],
  ['0', '20', '0'],
  ['9999.9999', '1000', '9999999.9'],
]
for (const [measured, times, expected] of products)
  test(`${measured} diluted ${times} times was ${expected}: the digits that were measured, no more and no fewer`, () => {
    assert.equal(scaleMeasured(measured, times), expected)
  })

test('a diluted value is within half a last digit of the exact product, has the digits of what was measured, and can be recorded', () => {
  fc.assert(
    fc.property(typed, factor, (measured, times) => {
      const text = scaleMeasured(measured, times)
      assert.ok(decimalString.safeParse(text).success, text)
      const [raw, by, got] = [parseDecimal(measured), parseDecimal(times), parseDecimal(text)]
      assert.ok(got.decimals <= raw.decimals)
      const digits = raw.units.toString().length
      const scale = Math.max(got.decimals, raw.decimals + by.decimals)
      const at = (units: bigint, decimals: number) => units * 10n ** BigInt(scale - decimals)
      const exact = at(raw.units * by.units, raw.decimals + by.decimals)
      const difference = at(got.units, got.decimals) - exact
      // The last kept digit stands `digits` places below the first digit of the result.
      const lastDigit = 10n ** BigInt(Math.max(0, at(got.units, got.decimals).toString().length - digits))
      assert.ok(
        (difference < 0n ? -difference : difference) * 2n <= lastDigit,
        `${measured} × ${times} = ${text}`,
      )
      if (got.decimals > 0 && raw.units > 0n) assert.equal(got.units.toString().length, digits)
    }),
    { numRuns: 2000 },
  )
})

test('decimals are compared by value, whatever their closing zeros', () => {
  assert.equal(compareDecimals('2.0', '2.000'), 0)
  assert.ok(compareDecimals('1.999', '2.0') < 0)
  assert.ok(compareDecimals('-0.25', '-0.3') > 0)
})

test('hours have two decimals, round half away from zero and never read -0.00', () => {
  const cases: [number, string][] = [
    [0, '0.00'],
    [-1, '0.00'],
    [17_999, '0.00'],
    [18_000, '0.01'],
    [-18_000, '-0.01'],
    [-15 * 60_000, '-0.25'],
    [7_200_000, '2.00'],
    [74_520_000, '20.70'],
  ]
  for (const [ms, expected] of cases) assert.equal(hoursWithTwoDecimals(ms), expected)
})
